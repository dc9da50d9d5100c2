"""Puts a lesson's files where the user asked for them: one folder per lesson, whole or not at all.

The files are copied, not linked: a teacher may edit what is in that folder, and the store must not change with it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chasqui.errors import NotWritable
from chasqui.records import Lesson
from chasqui.store import Store
from chasqui.store.guard import disk


@contextmanager
def writable(out: Path) -> Iterator[None]:
    """Try to write to `out` before hours of work; folders made for that go again if nothing was put into them.

    Raises:
        NotWritable, DiskFull: `out` cannot be made or written to.
    """
    missing = [folder for folder in (out, *out.parents) if not folder.exists()]
    try:
        with disk(out):
            out.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=out) as probe:
                probe.write(b"chasqui")
        yield
    finally:
        for folder in missing:
            if not folder.is_dir() or any(folder.iterdir()):
                break
            folder.rmdir()


def deliver(lesson: Lesson, parent: Path, store: Store) -> Path:
    """The folder below `parent` that now holds the lesson.

    A lesson keeps the folder it has. A folder that belongs to another recording of the same name is left alone, and the
    newcomer gets its id behind its name.

    Raises:
        NotWritable, DiskFull: nothing was changed.
    """
    with disk(parent):
        parent.mkdir(parents=True, exist_ok=True)
        while True:
            home = _home(lesson, parent)
            if _same(lesson, home) or _place(lesson, home, store):
                return home


def _home(lesson: Lesson, parent: Path) -> Path:
    plain, own = parent / lesson.slug, parent / f"{lesson.slug}-{lesson.recording_id[:8]}"
    if _owner(own) == lesson.recording_id:
        return own
    if not plain.exists() or _owner(plain) == lesson.recording_id:
        return plain
    if own.exists():
        raise NotWritable(path=str(own), why="something else is there already")
    return own


def _owner(home: Path) -> str | None:
    """The recording whose lesson lies in a folder, or None if it is not a lesson of ours."""
    try:
        manifest: Any = json.loads((home / "lesson.json").read_bytes())
        return str(manifest["id"])
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _same(lesson: Lesson, home: Path) -> bool:
    """Whether the folder holds these very files already (and no half of an older form)."""
    for blob in lesson.files:
        file = home / blob.name
        if not file.is_file() or file.stat().st_size != blob.bytes:
            return False
        with file.open("rb") as opened:
            if hashlib.file_digest(opened, "sha256").hexdigest() != blob.sha256:
                return False
    return True


def _place(lesson: Lesson, home: Path, store: Store) -> bool:
    """Copy aside, then rename. False if somebody else took that name in the meantime."""
    # Only the holder of this recording packs it, so what lies under these names was left by a killed run.
    aside = home.with_name(f".{home.name}.{lesson.recording_id}.part")
    old = home.with_name(f".{home.name}.{lesson.recording_id}.old")
    shutil.rmtree(aside, ignore_errors=True)
    if old.exists() and not home.exists():
        old.rename(home)
    aside.mkdir()
    try:
        for blob in lesson.files:
            _copy_synced(store.path(blob), aside / blob.name)
        if home.exists():
            _keep_what_is_not_ours(home, aside)
            shutil.rmtree(old, ignore_errors=True)
            home.rename(old)
        try:
            aside.rename(home)
        except OSError:
            if not home.exists():
                raise
            return False
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)
    return True


def _copy_synced(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    with target.open("rb+") as file:
        os.fsync(file.fileno())


def _keep_what_is_not_ours(home: Path, aside: Path) -> None:
    """Carry over what the user put beside an older form of the lesson: everything its manifest does not name."""
    ours = (home / "lesson.json").read_text(encoding="utf-8")
    for file in home.iterdir():
        if file.name == "lesson.json" or f'"{file.name}"' in ours or (aside / file.name).exists():
            continue
        (shutil.copytree if file.is_dir() else shutil.copy2)(file, aside / file.name)
