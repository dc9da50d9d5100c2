"""The models that can be asked for by name: what they are, what they cost, and where they are on this machine.

Sizes, parameters and relative speed are as commonly published for these models (README of openai/whisper, "Available
models"; huggingface/distil-whisper), written down without a network and not checked against the hub: about right, to
choose by. Memory is estimated: int8 on a processor needs about half of the float16 file for the weights, and 0.4–1.2 GB
around them.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from chasqui.errors import BadModel, ModelAbsent

#: What faster-whisper needs of a model; the vocabulary has had two names.
FILES = ("config.json", "model.bin", "tokenizer.json")
VOCABULARIES = ("vocabulary.json", "vocabulary.txt")
#: What is fetched of a repository; the rest of it are readmes.
WANTED = ("config.json", "preprocessor_config.json", "model.bin", "tokenizer.json", "vocabulary.*")


@dataclass(frozen=True)
class Entry:
    """One model at the Hugging Face hub, as CTranslate2 reads it."""

    name: str
    repository: str
    megabytes: int  # to download, 10^6 bytes
    memory_mb: int  # of this process when it runs as int8 on a processor, about
    parameters: int  # millions
    speed: float  # × the speed of `large`
    licence: str = "MIT"
    languages: int = 99  # 1: English only


CATALOG = {
    entry.name: entry
    for entry in (
        Entry("tiny", "Systran/faster-whisper-tiny", 78, 400, 39, 10),
        Entry("tiny.en", "Systran/faster-whisper-tiny.en", 78, 400, 39, 10, languages=1),
        Entry("base", "Systran/faster-whisper-base", 148, 500, 74, 7),
        Entry("base.en", "Systran/faster-whisper-base.en", 148, 500, 74, 7, languages=1),
        Entry("small", "Systran/faster-whisper-small", 486, 1000, 244, 4),
        Entry("small.en", "Systran/faster-whisper-small.en", 486, 1000, 244, 4, languages=1),
        Entry("medium", "Systran/faster-whisper-medium", 1531, 1900, 769, 2),
        Entry("medium.en", "Systran/faster-whisper-medium.en", 1531, 1900, 769, 2, languages=1),
        Entry("large-v2", "Systran/faster-whisper-large-v2", 3090, 3100, 1550, 1),
        Entry("large-v3", "Systran/faster-whisper-large-v3", 3091, 3100, 1550, 1, languages=100),
        Entry("turbo", "mobiuslabsgmbh/faster-whisper-large-v3-turbo", 1621, 2000, 809, 8, languages=100),
        Entry("distil-large-v3", "Systran/faster-distil-whisper-large-v3", 1516, 1900, 756, 6.3, languages=1),
        Entry("distil-small.en", "Systran/faster-distil-whisper-small.en", 336, 800, 166, 5.6, languages=1),
    )
}


def find(model: str) -> Path:
    """The folder of a model on this machine, by its name in the catalog, its repository at the hub, or its own path.

    Raises:
        BadModel: a folder that is not there, or lacks files.
        ModelAbsent: a name whose model was not pulled yet, or is not known.
    """
    path = Path(model).expanduser()
    if path.is_dir():
        return complete(path)
    if repository := repository_of(model):
        from chasqui.asr.pull import cached

        folder = cached(repository)
        if folder is None:
            raise ModelAbsent(path=model, why="it was not pulled yet")
        return complete(folder)
    if model.startswith((".", "~")) or path.is_absolute() or os.sep in model:
        raise BadModel(path=model, why="there is no such folder")
    raise ModelAbsent(path=model, why=f"nobody knows it; known: {', '.join(CATALOG)}")


def repository_of(model: str) -> str | None:
    """Where at the hub a model is: by its name in the catalog, or `owner/name` as it stands."""
    if model in CATALOG:
        return CATALOG[model].repository
    owner, slash, name = model.partition("/")
    plain = slash and owner and name and "/" not in name and not model.startswith((".", "~"))
    return model if plain else None


def complete(folder: Path) -> Path:
    """The folder, if a model is in it.

    Raises:
        BadModel: files are missing or empty.
    """
    missing = [name for name in FILES if not _holds(folder / name)]
    if not any(_holds(folder / name) for name in VOCABULARIES):
        missing.append(VOCABULARIES[0])
    if missing:
        raise BadModel(path=str(folder), why=f"these files of it are missing or empty: {', '.join(missing)}")
    return folder


def _holds(file: Path) -> bool:
    try:
        return file.stat().st_size > 0
    except OSError:
        return False


def fingerprint(*paths: Path) -> str:
    """16 hexadecimal digits that change with the model: names and sizes of its files, the first and last MB of each."""
    files = sorted(file for path in paths for file in ([path] if path.is_file() else path.iterdir()) if file.is_file())
    return _fingerprint(tuple((str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files))


@lru_cache(maxsize=32)
def _fingerprint(files: tuple[tuple[str, int, int], ...]) -> str:
    """Cached by size and time, so that a long-lived process reads 3 GB of model once."""
    digest = hashlib.sha256()
    for path, size, _ in files:
        digest.update(f"{Path(path).name}:{size}\n".encode())
        with Path(path).open("rb") as file:
            digest.update(file.read(1 << 20))
            file.seek(max(0, size - (1 << 20)))
            digest.update(file.read())
    return digest.hexdigest()[:16]
