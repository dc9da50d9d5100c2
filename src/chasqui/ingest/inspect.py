"""Looking inside: what is it, which stream is the lesson, how much of it is there, and is it worth going on."""

from __future__ import annotations

from collections.abc import Callable
from math import log10
from pathlib import Path
from typing import TYPE_CHECKING

from chasqui.errors import Damaged, IsReference, NoAudio, NotMedia, OnlySilence, Rejected, TooShort, Unreadable
from chasqui.events import Report
from chasqui.ingest.content import HEAD_BYTES, QUICKTIME, Content, content_of
from chasqui.ingest.quicktime import Atoms, atoms
from chasqui.ingest.tags import chapters_of, cleaned
from chasqui.ingest.upload import digest
from chasqui.media.probe import Counted, Look, count, look
from chasqui.records import Damage, Recording, Request
from chasqui.store import Workspace

if TYPE_CHECKING:
    from chasqui.ingest import Options

#: Shorter than declared by more than this is a loss; less is padding, which encoders and containers disagree about.
LOST_S, LOST_SHARE = 1.0, 0.001
EXACT_S = 0.02  # where the container counts samples: less than any codec's frame
AT_THE_END_S = 0.1

#: Shown as the level of a file in which every sample is zero.
NOTHING_DBFS = -120.0

CUT_OFF = "its table of contents, written last, is missing: the recording or the download was cut off"
LOCKED = "its sound is locked (DRM). Ask for a copy without protection."

#: FFmpeg's words for broken headers and packets, in ours.
_PLAIN = {
    "Invalid data found when processing input": "its structure makes no sense",
    "Invalid argument": "its header makes no sense",
    "End of file": "it ends before any sound begins",
}

_MEDIA_TYPES = {
    "aac": "audio/aac",
    "aiff": "audio/aiff",
    "amr": "audio/amr",
    "asf": "video/x-ms-asf",
    "avi": "video/x-msvideo",
    "flac": "audio/flac",
    "matroska": "{}/x-matroska",
    "mov": "{}/mp4",
    "mp3": "audio/mpeg",
    "ogg": "{}/ogg",
    "wav": "audio/wav",
}


def recording(request: Request, options: Options, work: Workspace, report: Report) -> Recording:
    """The Recording of a Request; the source's bytes are in the store afterwards.

    Raises:
        Rejected: one of its kinds, with the reason.
    """
    copy = work.folder / "source"
    sha256, _ = digest(_here(request, work), request.name, copy_to=copy)
    if sha256 != request.sha256:
        raise Unreadable(name=request.name, why="it changed while it was being taken in; run the same command again")
    found = _seen(copy, request.name, options)
    index, counted = _heard(copy, request.name, found, options, report)
    _worth_it(request.name, counted, found.declared_s.get(index), options)
    damage = _damage(counted, found.declared_s.get(index), EXACT_S if found.exact else LOST_S)
    if damage is not None:
        report.warned(damage.why, kept_s=damage.kept_s, errors=damage.errors)
    return Recording(
        recording_id=request.recording_id,
        source=work.keep(copy, _media_type(found)),
        container=found.container,
        audio_index=index,
        codec=counted.codec,
        rate_hz=counted.rate_hz,
        channels=counted.channels,
        duration_s=counted.tally.seconds,
        declared_duration_s=found.claimed_s,
        streams=found.streams,
        tags=cleaned(found.tags),
        chapters=chapters_of(found.chapters, counted.tally.seconds),
        damage=damage,
        why=_why(found, index),
    )


def _here(request: Request, work: Workspace) -> Path:
    """Where the bytes are: in the store, if they were handed over. An object of a bucket that was fetched by another
    machine, or given up, is fetched again.
    """
    if request.handed is not None:
        return work.path(request.handed)
    path = Path(request.path)
    if request.url and not path.exists():
        from chasqui.ingest.bucket import fetched_again

        return fetched_again(request, work.folder)
    return path


def _seen(path: Path, name: str, options: Options) -> Look:
    """What the container holds, if it is one and holds sound.

    Raises:
        IsReference, NotMedia, Damaged, NoAudio, TooSlow
    """
    with path.open("rb") as file:
        content = content_of(file.read(HEAD_BYTES))
    if content.verdict == "reference":
        raise IsReference(name=name, kind=content.what)
    if content.verdict == "other":
        raise NotMedia(name=name, why=content.what)
    boxes = atoms(path) if content.what == QUICKTIME else None
    if boxes is not None and boxes.external:
        raise IsReference(name=name, kind="QuickTime or MP4 file without its own sound")
    try:
        found = look(path, name, options.limit_s)
    except Damaged as error:
        raise _refusal(name, content, boxes, str(error.evidence["why"])) from error
    if found.asked_for:
        raise IsReference(name=name, kind=f"{found.container} file")
    if not found.audio and found.undecodable:
        raise Rejected(name=name, why="its sound is in a code that cannot be decoded here.")
    if not found.audio:
        streams = ", ".join(f"{stream.kind} ({stream.codec})" for stream in found.streams)
        raise NoAudio(name=name, streams=streams or "none")
    return found


def _refusal(name: str, content: Content, boxes: Atoms | None, said: str) -> Rejected:
    """Why FFmpeg could not open it, in words that help."""
    if content.verdict == "unknown":
        return NotMedia(name=name, why=content.what)
    if boxes is not None and boxes.locked:
        return Rejected(name=name, why=LOCKED)
    if boxes is not None and not boxes.has_index:
        said = CUT_OFF
    return Damaged(name=name, why=_PLAIN.get(said, said), kind=content.what)


def _heard(path: Path, name: str, found: Look, options: Options, report: Report) -> tuple[int, Counted]:
    """The first stream, in the order of sense, that gives any sound; if none does, the first."""
    tried: list[tuple[int, Counted]] = []
    for index in found.audio:
        counted = count(
            path,
            index,
            name=name,
            most_s=options.maximum_h * 3600,
            audible=10 ** (options.silence_dbfs / 20),
            progress=_progress(report, found.declared_s.get(index)),
            limit_s=options.limit_s,
        )
        if counted.tally.samples:
            return index, counted
        tried.append((index, counted))
    return tried[0]


def _progress(report: Report, total_s: float | None) -> Callable[[float], None]:
    return lambda done_s: report.advanced(done_s, total_s if total_s and total_s >= done_s else None)


def _worth_it(name: str, counted: Counted, declared_s: float | None, options: Options) -> None:
    """Raises: Damaged, TooShort, OnlySilence, Rejected: nothing that a lesson could be made of."""
    tally = counted.tally
    if tally.encrypted:
        raise Rejected(name=name, why=LOCKED)
    if not tally.samples and (tally.errors or declared_s):
        raise Damaged(name=name, why=_PLAIN.get(tally.first_error, tally.first_error) or "its sound stream is empty")
    if tally.seconds < options.minimum_s:
        raise TooShort(name=name, duration_s=tally.seconds, minimum_s=options.minimum_s)
    if not counted.complete:
        raise Rejected(name=name, why="it holds more sound than ingest.maximum_h allows.", maximum_h=options.maximum_h)
    level = 20 * log10(counted.peak) if counted.peak > 0 else NOTHING_DBFS
    if level < options.silence_dbfs:
        raise OnlySilence(name=name, peak_dbfs=max(level, NOTHING_DBFS))


def _damage(counted: Counted, declared_s: float | None, tolerance_s: float) -> Damage | None:
    tally, kept_s = counted.tally, counted.tally.seconds
    lost_s = (declared_s or 0.0) - kept_s
    short = lost_s > max(tolerance_s, LOST_SHARE * kept_s * (tolerance_s >= LOST_S))
    if not tally.errors and counted.gap_s is None and not short:
        return None
    said = []
    first_s = min((at for at in (tally.first_error_s, counted.gap_s) if at is not None), default=None)
    errors = tally.errors + (counted.gap_s is not None)
    if first_s is not None and first_s > kept_s - AT_THE_END_S:
        said.append("it breaks off")
    elif first_s is not None:
        said.append(f"damaged from {_clock(first_s)} on")
    if short:
        said.append(f"missing: {_clock(lost_s)} of {_clock(declared_s or 0.0)}")
    said.append(f"saved: {_clock(kept_s)}")
    return Damage(
        kept_s=kept_s,
        declared_s=declared_s,
        errors=errors,
        first_error_s=first_s,
        why="; ".join(said),
    )


def _clock(seconds: float) -> str:
    """m:ss or h:mm:ss, as a player shows it; below ten seconds with tenths."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def _why(found: Look, index: int) -> str:
    if len(found.audio) + found.undecodable == 1:
        return "the only sound stream"
    place = found.audio.index(index)
    passed = f"; {place} before it gave no sound" if place else ""
    return f"best of {len(found.audio)} sound streams: no commentary, then marked as default, then longest{passed}"


def _media_type(found: Look) -> str:
    kind = (
        "video" if any(stream.kind == "video" and stream.codec not in _STILL for stream in found.streams) else "audio"
    )
    return _MEDIA_TYPES.get(found.container.split(",")[0], "application/octet-stream").format(kind)


_STILL = frozenset({"mjpeg", "png", "bmp", "gif", "webp", "tiff"})  # cover art
