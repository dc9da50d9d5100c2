"""What tokens depend on beside the options themselves: versions of what is installed, contents of what is named."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from chasqui.tokenize import norm, tongues

if TYPE_CHECKING:
    from chasqui.tokenize import Options

#: The codebooks that come along, by name. Here, and not in `units.py`, because options are asked without its packages.
SHIPPED = Path(__file__).parent / "codebooks"


def made_with(options: Options) -> dict[str, str]:
    """Names of parts and their versions or hashes."""
    from chasqui.tokenize import audio, extras

    parts = {"norm": norm.VERSION, "plain": tongues.PLAIN}
    if options.tokenizer != "plain" and tongues.has_spacy():
        parts["spacy"] = installed("spacy")
        if options.lemmas:
            parts["lookups"] = installed("spacy-lookups-data")
    if options.pieces:
        parts["pieces"] = f"{installed('tokenizers')} {content(Path(options.pieces))}"
    for name in options.extras:
        wanted = extras.asked(name)
        if wanted.source:
            parts[name] = f"{installed('spacy')} {content(Path(wanted.source))}"
    for name in options.audio:
        choice = audio.asked(name)
        folder = Path(choice.folder) if choice.folder else SHIPPED / name
        parts[name] = content(folder)
    return parts


@lru_cache(maxsize=64)
def installed(package: str) -> str:
    """Its version, or "absent"."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def content(path: Path) -> str:
    """Hash of a file, or of the names, sizes and small files of a folder; "absent" if there is none.

    Weights of a gigabyte are not read for a key: their size and their small files (configurations, cards with the
    weights' own hashes) tell models apart.
    """
    if not path.exists():
        return "absent"
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            size = file.stat().st_size
            digest.update(f"{file.relative_to(path)} {size}\n".encode())
            if size <= 8_000_000:
                digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
