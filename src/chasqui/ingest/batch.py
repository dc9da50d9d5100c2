"""Which files a batch holds. Everything is listed, whatever its name says: content decides later."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path


def walk(paths: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """(file, folder) in a stable order: what the user named in their order, the content of folders sorted.

    `folder` is the place below the named folder, with that folder's own name in front, always with `/`; it is empty for
    files that were named themselves. Hidden files are skipped unless named, links to folders are not followed, and a
    file reached twice comes once. A named path that does not exist comes too, so that `accept` can say so.
    """
    seen: set[str] = set()
    for path in paths:
        for file, folder in _below(path) if path.is_dir() else [(path, "")]:
            place = os.path.realpath(file)
            if place not in seen:
                seen.add(place)
                yield file, folder


def _below(root: Path) -> Iterator[tuple[Path, str]]:
    name = root.resolve().name  # "." has no name of its own
    for here, folders, files in os.walk(root, followlinks=False):
        folders[:] = sorted(folder for folder in folders if not folder.startswith("."))
        inside = Path(here).relative_to(root)
        for file in sorted(files):
            if not file.startswith("."):
                yield Path(here, file), (Path(name) / inside).as_posix()
