"""Where an object of a bucket may lie on this machine: its key as a path that no file system, no other key and no
attacker can turn into something else.

A key is any text up to 1,024 bytes: `../../etc/passwd`, `C:\\a`, `a//b`, `a` beside `a/b`, `Clase.mp3` beside
`clase.MP3`. Steps in small letters, digits, `_`, `-` and `.` between them stay as they are: folders without `.`, files
with one. Every other step is made plain and gets the hash of what it was, so that different keys have different
places, also where the file system sees no difference between `A` and `a`.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from pathlib import PurePosixPath

#: Bytes of a step that every file system takes (255), less room for what others put behind it.
MOST_STEP = 120
#: Bytes and steps of a path: Linux takes 4,096 bytes, Windows without asking 260 characters.
MOST_PATH = 400
#: Of the hash: 64 bits. A billion different steps in one folder meet with a probability of 3 %.
HASH_CHARS = 16

_FOLDER = re.compile(r"[a-z0-9_][a-z0-9_-]*")
_FILE = re.compile(r"[a-z0-9_][a-z0-9_-]*(?:\.[a-z0-9_-]+)+")
#: Names that Windows keeps for devices, with or without an ending.
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?")
_ENDING = re.compile(r"\.[A-Za-z0-9]{1,8}$")


def local_path(key: str) -> PurePosixPath:
    """The path of an object below any folder: relative, of plain steps, the same for the same key, for no other."""
    *folders, file = key.split("/")
    steps = [*(_step(folder, _FOLDER, "") for folder in folders), _file(file)]
    path = "/".join(steps)
    if len(path.encode()) > MOST_PATH:
        return PurePosixPath(f"~{_hash(key)}", steps[-1])
    return PurePosixPath(path)


def _file(name: str) -> str:
    ending = _ENDING.search(name)
    return _step(name, _FILE, ending[0].lower() if ending else "")


def _step(step: str, plain: re.Pattern[str], ending: str) -> str:
    if (
        len(step.encode("utf-8", "surrogatepass")) <= MOST_STEP
        and plain.fullmatch(step)
        and not _DEVICES.fullmatch(step)
    ):
        return step
    stem = step[: len(step) - len(ending)] if ending else step
    return f"{_readable(stem)}~{_hash(('file:' if plain is _FILE else 'folder:') + step)}{ending}"


def _readable(text: str) -> str:
    """What is left of a name in plain letters, for people who look into the folder. It proves nothing."""
    letters = unicodedata.normalize("NFKD", text[:MOST_STEP]).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_-]+", "_", letters).strip("_-")[: MOST_STEP // 2]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:HASH_CHARS]
