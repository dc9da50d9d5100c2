"""Captions that a person brings: which file belongs to which recording, and keeping it beside the recording.

A file is for one recording. A folder is for many: a recording takes the file of the same name (`clase.vtt`,
`clase.es.srt`), of the same sub-folder where there is one. Nothing is picked up that was not asked for, and of several
none is guessed. What was brought stays known to later runs, until other captions are brought or they are taken away.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from chasqui.captions.read import read
from chasqui.errors import BadCaptions, BadConfig
from chasqui.events import Listener, Report
from chasqui.ingest.upload import digest
from chasqui.records import Failure, Given
from chasqui.store import Store

#: Take away what was brought.
NONE = "none"
SUFFIXES = (".vtt", ".srt", ".json")

Found = tuple[Path, str]  # a recording, and its folder as `ingest.find` gives it


@dataclass(frozen=True)
class Brought:
    """What `--captions` means for one recording."""

    file: Path | None = None
    away: bool = False
    problem: str | None = None  # why there is no file, in words
    lasting: bool = False  # the transcript shall say so


def match(captions: str | Path | None, recordings: Sequence[Found], language: str | None = None) -> dict[Path, Brought]:
    """What each recording is to get; those that nothing was said of are left out.

    Raises:
        BadCaptions: a file was named that cannot be read.
        BadConfig: one file for several recordings.
    """
    if captions is None:
        return {}
    if str(captions) == NONE:
        return {path: Brought(away=True) for path, _ in recordings}
    given = Path(captions)
    recordings = [found for found in recordings if not _same(found[0], given)]
    if given.is_dir():
        return _by_name(given, recordings, language)
    if len(recordings) > 1:
        why = f"one file of captions cannot be of {len(recordings)} recordings; "
        raise BadConfig(why=why + "give a folder with a file for each, of the same name")
    read(given)  # told before an hour's work, not after
    return {path: Brought(file=given) for path, _ in recordings}


def without(recordings: Sequence[Found], brought: Mapping[Path, Brought]) -> list[Found]:
    """The recordings, but for the files that are their captions: those may lie in the same folder."""
    files = {each.file.resolve() for each in brought.values() if each.file}
    return [found for found in recordings if found[0].resolve() not in files]


def bring(brought: Brought | None, recording_id: str, store: Store, listener: Listener | None = None) -> None:
    """Keep what was brought in the store, under the name `captions`.

    A file that cannot be read costs the transcript of its recording, and says so there.
    """
    if brought is None:
        return
    known = store.get(recording_id, "captions", Given)
    if brought.away:
        if known is not None and (known.source or known.failure):
            gone = Given(recording_id=recording_id, name=known.name)
            store.put(recording_id, "captions", gone, key=NONE)
        return
    if brought.file is None:
        Report("captions", recording_id, listener).warned(brought.problem or "")
        if brought.lasting:
            _refuse(recording_id, "captions", brought.problem or "", store)
        return
    try:
        read(brought.file)
        _keep(brought.file, recording_id, known, store)
    except BadCaptions as error:
        _refuse(recording_id, brought.file.name, str(error.evidence["why"]), store)


def _keep(file: Path, recording_id: str, known: Given | None, store: Store) -> None:
    sha256, _ = digest(file, file.name)
    if known and known.source and (known.name, known.source.sha256) == (file.name, sha256):
        return
    with store.workspace(recording_id, "captions") as work:
        copy = work.folder / f"captions{file.suffix.lower()}"
        shutil.copyfile(file, copy)
        _, language = _stem(file)
        record = Given(recording_id=recording_id, name=file.name, source=work.keep(copy), language=language)
        store.put(recording_id, "captions", record, key=sha256[:32])


def _refuse(recording_id: str, name: str, why: str, store: Store) -> None:
    failure = Failure(error="BadCaptions", evidence={"name": name, "why": why})
    store.put(recording_id, "captions", Given(recording_id=recording_id, name=name, failure=failure), key="unreadable")


def _by_name(folder: Path, recordings: Sequence[Found], language: str | None) -> dict[Path, Brought]:
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
    recordings = [found for found in recordings if found[0].suffix.lower() not in SUFFIXES]
    stems = Counter(path.stem for path, _ in recordings)
    return {path: _of(path, inside, folder, files, stems, language) for path, inside in recordings}


def _of(
    path: Path, inside: str, folder: Path, files: Sequence[Path], stems: Counter[str], language: str | None
) -> Brought:
    named = [file for file in files if path.stem in (file.stem, _stem(file)[0])]
    # The folder that the user named is the first step of `inside`; the captions have their own root.
    place = Path(*Path(inside).parts[1:])
    here = [file for file in named if file.parent.relative_to(folder) == place]
    if not here and stems[path.stem] > 1 and named:
        return Brought(problem=f"several recordings are called like {path.stem}", lasting=True)
    here = here or named
    if language and len(here) > 1:
        here = [file for file in here if _stem(file)[1] == language] or here
    if not here:
        return Brought(problem=f"nothing in {folder.name or folder} is called like {path.stem}")
    if len(here) > 1:
        names = ", ".join(file.name for file in here)
        return Brought(problem=f"several files are called like {path.stem}: {names}", lasting=True)
    return Brought(file=here[0])


def _stem(file: Path) -> tuple[str, str | None]:
    """Name and language of `clase.es.srt`; without a language the whole name is the name."""
    found = re.fullmatch(r"(.+)\.([a-z]{2,3})(?:-[A-Za-z0-9]{2,8})?", file.stem)
    return (found[1], found[2]) if found else (file.stem, None)


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()
