"""Fetches models from the Hugging Face hub into its usual cache, and checks what is there against the hub's own hashes.

In that cache every file is kept under the hash that the hub declared for it: SHA-256 for large files, git's SHA-1 for
small ones. So a model can be checked, to the last bit, without a network.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chasqui.asr import need
from chasqui.asr.catalog import WANTED, complete, find, repository_of
from chasqui.errors import BadModel, DiskFull, ModelAbsent

BLOCK = 1 << 22


def cached(repository: str) -> Path | None:
    """The folder of a repository that was pulled before, or None. Never asks the network."""
    need("huggingface_hub", f"whisper:{repository}", "asr")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # who runs what is nobody's business
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(repository, allow_patterns=list(WANTED), local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError):
        return None


def pull(model: str) -> Path:
    """Fetches a model and gives its folder. What is there already is not fetched again; a broken download goes on.

    Raises:
        ModelAbsent: an unknown name, no network, or the hub refuses.
        DiskFull, BadModel.
    """
    need("huggingface_hub", f"whisper:{model}", "asr")
    if (repository := repository_of(model)) is None:
        return find(model)  # says what is wrong with it
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE") and cached(repository) is None:
        raise ModelAbsent(path=model, why="HF_HUB_OFFLINE forbids to fetch it")
    try:
        endpoint = os.environ.get("HF_ENDPOINT") or None  # a mirror, for schools that have one
        return complete(Path(snapshot_download(repository, allow_patterns=list(WANTED), endpoint=endpoint)))
    except HFValidationError as error:
        raise ModelAbsent(path=model, why="that is no name of a model") from error
    except HfHubHTTPError as error:
        raise ModelAbsent(path=model, why=f"the hub answered {error.response.status_code}") from error
    except OSError as error:
        if error.errno == 28:
            raise DiskFull(path=str(error.filename or "~/.cache/huggingface")) from error
        raise ModelAbsent(path=model, why="the hub cannot be reached") from error


def check(model: str, load: Callable[[str], Any] | None = None) -> dict[str, str]:
    """How each file of a model was proved: file → hash. `load`, if given, is called with the model's folder last.

    Raises:
        ModelAbsent, BadModel: not there, incomplete, other bytes than the hub declared, or not loadable.
    """
    folder = find(model)
    proofs = {}
    for file in sorted(path for path in folder.iterdir() if path.is_file()):
        declared = file.resolve().name if file.is_symlink() else ""
        proofs[file.name] = _prove(file, declared)
    if load is not None:
        load(str(folder))
    return proofs


def _prove(file: Path, declared: str) -> str:
    kind = {40: "sha1", 64: "sha256"}.get(len(declared)) if re.fullmatch(r"[0-9a-f]+", declared) else None
    digest = hashlib.new(kind or "sha256")
    if kind == "sha1":  # git's: of the content behind its kind and length
        digest.update(b"blob %d\0" % file.stat().st_size)
    with file.open("rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
    if kind and digest.hexdigest() != declared:
        raise BadModel(path=str(file), why="its bytes are not those that the hub declared; delete it and pull it again")
    return f"{kind or 'sha256'} {digest.hexdigest()}" + (" as declared" if kind else "")
