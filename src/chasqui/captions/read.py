"""Reads captions that somebody else made, puts right what can be, and says what had to be.

WebVTT, SRT (and the many files that are a little of both), Podcasting 2.0 JSON. What comes out is in order, without
overlaps, from 0 on. Text without times is no caption.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from chasqui.captions import Cue, cleaned
from chasqui.captions.mend import mended
from chasqui.errors import BadCaptions

#: A day of speech is 1 MB.
LARGEST = 20_000_000

_TIME = r"(-?)\s*(?:(\d+)\s*:)?\s*(\d{1,3})\s*:\s*(\d{1,2})(?:\s*[.,:]\s*(\d{1,6}))?"
TIMING = re.compile(rf"^\s*{_TIME}\s*-{{1,2}}[>›]\s*{_TIME}(?:\s.*)?$")
VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]*)>")
#: <i>, <c.yellow>, <00:01.500>, <font color=…>, {\an8}; but not "a < b".
TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<\d[\d:.]*>|\{\\[^{}]*\}")
NO_CUES = ("NOTE", "STYLE", "REGION")
#: In the header of WebVTT, and beside the segments of JSON.
LANGUAGE = re.compile(r"\b[Ll]anguage\"?\s*:\s*\"?([a-zA-Z]{2,3})\b")


@dataclass(frozen=True)
class Captions:
    """What was read."""

    cues: tuple[Cue, ...]
    format: str  # webvtt, srt, json
    encoding: str
    mended: tuple[str, ...]  # what had to be put right, in words
    language: str | None = None  # ISO 639, where the file says it


def read(path: Path, name: str = "") -> Captions:
    """Captions from a file; `name` is what its owner calls it.

    Raises:
        BadCaptions: it cannot be read, or there is nothing in it that has a time and a text.
    """
    name = name or path.name
    try:
        if path.stat().st_size > LARGEST:
            raise BadCaptions(name=name, why=f"it is larger than {LARGEST // 1_000_000} MB")
        data = path.read_bytes()
    except OSError as error:
        raise BadCaptions(name=name, why=error.strerror or str(error)) from error
    return parse(data, name)


def parse(data: bytes, name: str = "captions") -> Captions:
    """Captions from bytes; the format is told by the content, whatever the name says.

    Raises:
        BadCaptions: nothing in it has a time and a text.
    """
    if not data.strip():
        raise BadCaptions(name=name, why="it is empty")
    text, encoding, notes = decoded(data, name)
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if text.lstrip().startswith(("{", "[")) and "-->" not in text.split("\n", 1)[0]:
        kind, raw = "json", list(_of_json(text, name))
    else:
        kind = "webvtt" if text.lstrip().upper().startswith("WEBVTT") else "srt"
        raw = list(_of_blocks(text, unescape=kind == "webvtt"))
    cues, more = mended(raw)
    if not cues:
        raise BadCaptions(name=name, why="nothing in it has a time and a text")
    said = LANGUAGE.search(text.split("\n\n", 1)[0] if kind == "webvtt" else text[-200:] + text[:200])
    return Captions(tuple(cues), kind, encoding, (*notes, *more), said[1].lower() if said and kind != "srt" else None)


def decoded(data: bytes, name: str) -> tuple[str, str, list[str]]:
    """Text, encoding and what was odd about it: UTF-8 and UTF-16 as they say, else what Windows writes in the West.

    Raises:
        BadCaptions: not text at all.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace"), "utf-16", []
    if b"\0" in data:
        raise BadCaptions(name=name, why="it is not a text")
    try:
        text, encoding, notes = data.decode("utf-8-sig"), "utf-8", []
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace"), "cp1252", ["it was not in UTF-8 and was read as Windows-1252"]
    if re.search("[ÃÂ][\u0080-\u00bf¡-¿\u2018-\u2122]", text):
        # á that was UTF-8, was read as Windows-1252 and written as UTF-8 again: undone where it can be.
        try:
            return text.encode("cp1252").decode("utf-8"), "utf-8", ["its letters were encoded twice, which was undone"]
        except UnicodeError:
            notes = ["its letters seem to be encoded twice, which could not be undone"]
    return text, encoding, notes


def _of_blocks(text: str, unescape: bool) -> Iterator[Cue]:
    """Cues of WebVTT and SRT alike: a line with two times, and the lines behind it up to a blank one."""
    times: tuple[float, float] | None = None
    lines: list[str] = []
    for line in [*text.split("\n"), ""]:
        timing = TIMING.match(line)
        # In WebVTT a line of spaces is a line (video sites write some); in SRT files it is meant to be empty.
        if timing is None and (line if unescape else line.strip()):
            lines.append(line)
            continue
        if times is not None:
            # Without a blank line between cues, the number of the next one ends up behind our text.
            number = timing is not None and len(lines) > 1 and lines[-1].strip().isdecimal()
            yield _cue(times, lines[:-1] if number else lines, unescape)
        times = _times(timing) if timing else None
        lines = []


def _times(found: re.Match[str]) -> tuple[float, float]:
    parts = found.groups()
    return _seconds(*parts[:5]), _seconds(*parts[5:])


def _seconds(sign: str, hours: str | None, minutes: str, seconds: str, fraction: str | None) -> float:
    value = int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + float(f"0.{fraction or 0}")
    return -value if sign else value


def _cue(times: tuple[float, float], lines: list[str], unescape: bool) -> Cue:
    speaker = next((found[1] for line in lines if (found := VOICE.search(line))), None)
    plain = [TAG.sub("", line) for line in lines]
    if unescape:
        plain = [html.unescape(line) for line in plain]
        speaker = html.unescape(speaker) if speaker else None
    kept = tuple(line for line in map(cleaned, plain) if line)
    return Cue(times[0], times[1], kept, cleaned(speaker or "") or None)


def _of_json(text: str, name: str) -> Iterator[Cue]:
    """Podcasting 2.0; also the bare list of segments that some tools write, and Whisper's names of the fields."""
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadCaptions(name=name, why=f"it begins like JSON but is none ({error})") from error
    segments = whole.get("segments") if isinstance(whole, dict) else whole
    for segment in segments if isinstance(segments, list) else ():
        if not isinstance(segment, dict):
            continue
        start, end = (_number(segment, *names) for names in (("startTime", "start"), ("endTime", "end")))
        body = segment.get("body", segment.get("text"))
        if start is None or not isinstance(body, str):
            continue
        speaker = segment.get("speaker")
        lines = tuple(line for line in map(cleaned, body.split("\n")) if line)
        named = cleaned(speaker) or None if isinstance(speaker, str) else None
        yield Cue(start, start if end is None else end, lines, named)


def _number(segment: dict[str, object], *names: str) -> float | None:
    for name in names:
        value = segment.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9:
            return float(value)
    return None
