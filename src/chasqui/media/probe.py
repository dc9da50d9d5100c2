"""What a file holds: its streams as the container describes them, and its sound as decoding it to the end shows it.

Headers are hearsay: durations are counted here, and a header is believed only to notice that something is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition

from chasqui.errors import Damaged
from chasqui.media.guard import LIMIT_S, opened
from chasqui.media.headers import wav_seconds, xing_seconds
from chasqui.media.source import Tally, as_float, audio_stream, frames, planar
from chasqui.records import Stream

#: Containers whose duration is written down, not guessed from the bit rate. MP3 is believed only with a Xing header.
HONEST = frozenset(("aiff", "asf", "avi", "flv", "mov", "mpc", "mpc8", "ogg"))

#: … and those of them that count samples without padding: here a missing frame shows.
EXACT = frozenset(("ape", "au", "caf", "dsf", "flac", "tak", "tta", "w64", "wav", "wv"))

#: Below this mean rate a header cannot be true: the thriftiest codec we know (Codec2) needs 700 b/s.
LEAST_BPS = 100.0

#: A gap this long is missing sound, not rounding.
GAP_S = 0.01

#: Seconds of sound between two reports of progress.
REPORT_EVERY_S = 30.0

_NOT_SPEECH = (
    Disposition.attached_pic | Disposition.visual_impaired | Disposition.hearing_impaired | Disposition.comment
)


@dataclass(frozen=True)
class Look:
    """What the container says about itself. `audio` lists the streams that may be tried, best first."""

    container: str
    streams: tuple[Stream, ...]
    audio: tuple[int, ...]
    undecodable: int  # audio streams for which there is no decoder
    declared_s: dict[int, float | None]  # by audio stream; None: unknown, guessed, or absurd
    claimed_s: float | None  # the container's own word, however absurd
    exact: bool  # declared to the sample
    tags: dict[str, str]  # as found, uncleaned
    chapters: tuple[tuple[float, str], ...]  # start in seconds and title, as found, uncleaned
    asked_for: tuple[str, ...]  # addresses that the file wanted opened; none was


@dataclass(frozen=True)
class Counted:
    """One stream, decoded to the end."""

    tally: Tally
    codec: str
    rate_hz: int
    channels: int
    peak: float  # of full scale; exact below `audible`, else at least that
    complete: bool  # False: there was more than `most_s`
    gap_s: (
        float | None
    )  # where the first samples are missing without an error; known only in containers that count them


def look(path: Path, name: str, limit_s: float = LIMIT_S) -> Look:
    """Streams, tags and durations, without decoding.

    Raises:
        Unreadable, TooSlow
        Damaged: FFmpeg cannot make anything of it (also: it is no media at all; the caller knows what it looks like).
    """
    try:
        with opened(path, name, limit_s) as (container, guard):
            return _look(container, path, guard.bytes, tuple(guard.asked_for))
    except (av.FFmpegError, OSError) as error:
        raise Damaged(name=name, why=getattr(error, "strerror", None) or str(error)) from error


def _look(container: InputContainer, path: Path, size: int, asked_for: tuple[str, ...]) -> Look:
    sound = [stream for stream in container.streams if isinstance(stream, AudioStream)]
    able = [stream for stream in sound if stream.codec_context is not None]
    able.sort(key=_rank)
    tags = dict(container.metadata)
    for stream in able[:1]:  # Ogg keeps its tags in the stream
        tags = {**stream.metadata, **tags}
    declared = {stream.index: _plausible(_declared(container, stream, path), size) for stream in able}
    return Look(
        container=container.format.name,
        streams=tuple(_described(stream) for stream in container.streams),
        audio=tuple(stream.index for stream in able),
        undecodable=len(sound) - len(able),
        declared_s=declared,
        claimed_s=container.duration / 1e6 if container.duration and container.duration > 0 else None,
        exact=container.format.name in EXACT,
        tags=tags,
        chapters=_chapters(container),
        asked_for=asked_for,
    )


def _chapters(container: InputContainer) -> tuple[tuple[float, str], ...]:
    """MP4, Matroska, Ogg, ID3 CHAP … From the first sample on: containers may begin at another time than 0."""
    begins_s = container.start_time / 1e6 if container.start_time and container.start_time > 0 else 0.0
    return tuple(
        (float(chapter["start"] * chapter["time_base"]) - begins_s, chapter["metadata"].get("title", ""))
        for chapter in container.chapters()
        if chapter["time_base"]
    )


def _rank(stream: AudioStream) -> tuple[bool, bool, float, int]:
    """Smaller is better: not a commentary, marked as default, longest, first."""
    disposition = stream.disposition
    seconds = _seconds(stream.duration, stream.time_base) or 0.0
    return bool(disposition & _NOT_SPEECH), not disposition & Disposition.default, -seconds, stream.index


def _described(stream: Any) -> Stream:
    context = stream.codec_context
    sound, picture = stream.type == "audio", stream.type == "video"
    return Stream(
        index=stream.index,
        kind=stream.type,
        codec=context.name if context is not None else "unknown",
        rate_hz=(context.sample_rate or None) if context is not None and sound else None,
        channels=(context.channels or None) if context is not None and sound else None,
        bitrate_bps=(context.bit_rate or None) if context is not None and sound else None,
        width=(context.width or None) if context is not None and picture else None,
        height=(context.height or None) if context is not None and picture else None,
    )


def _declared(container: InputContainer, stream: AudioStream, path: Path) -> float | None:
    """Seconds that the header promises for this stream, where the header is worth believing."""
    family = container.format.name.split(",")[0]
    if family == "mp3":
        return xing_seconds(path)
    if family == "wav" and (promised := wav_seconds(path)) is not None:
        return promised
    if family in HONEST | EXACT:
        return _seconds(stream.duration, stream.time_base)
    if family == "matroska" and not container.streams.video:
        return container.duration / 1e6 if container.duration else None
    return None


def _seconds(duration: int | None, time_base: Fraction | None) -> float | None:
    return float(duration * time_base) if duration and duration > 0 and time_base else None


def _plausible(seconds: float | None, size: int) -> float | None:
    return seconds if seconds and size * 8 / seconds >= LEAST_BPS else None


def count(
    path: Path,
    index: int,
    *,
    name: str,
    most_s: float,
    audible: float,
    progress: Callable[[float], None] = lambda done_s: None,
    limit_s: float = LIMIT_S,
) -> Counted:
    """Decode one stream to the end (or to `most_s`) without keeping or resampling anything.

    Sample values are looked at only until one is louder than `audible` (of full scale): the rest is counting.

    Raises:
        Unreadable, TooSlow, Damaged
    """
    tally, peak, rate, channels, reported, complete = Tally(), 0.0, 0, 0, 0.0, True
    late = _Late()
    try:
        with opened(path, name, limit_s) as (container, guard):
            stream, exact = audio_stream(container, index, name), container.format.name in EXACT
            for frame in frames(container, stream, guard.clock, tally):
                rate, channels = rate or frame.sample_rate, channels or frame.layout.nb_channels
                seconds = tally.seconds
                if exact:
                    late.see(frame, seconds)
                if peak < audible:
                    peak = max(peak, float(np.abs(as_float(planar(frame), frame.format.name)).max()))
                if seconds - reported >= REPORT_EVERY_S:
                    reported = seconds
                    progress(reported)
                if seconds > most_s:
                    complete = False
                    break
            guard.check()
            return Counted(tally, stream.codec_context.name, rate, channels, peak, complete, late.gap_s)
    except (av.FFmpegError, OSError) as error:
        raise Damaged(name=name, why=getattr(error, "strerror", None) or str(error)) from error


class _Late:
    """Frames that come later than the sound before them is long: FLAC frames with a wrong checksum vanish silently."""

    def __init__(self) -> None:
        self.gap_s: float | None = None
        self._start: float | None = None

    def see(self, frame: AudioFrame, seconds: float) -> None:
        if self.gap_s is not None or frame.pts is None or frame.time_base is None:
            return
        before = seconds - frame.samples / frame.sample_rate
        at = float(frame.pts * frame.time_base)
        self._start = at if self._start is None else self._start
        if at - self._start - before > GAP_S:
            self.gap_s = round(before, 3)
