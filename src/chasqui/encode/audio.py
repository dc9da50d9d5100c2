"""The renditions of a lesson's sound: voice.opus after the plan, and voice.mp3 beside it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from chasqui.codecs.opus import PACKET_SAMPLES, RATE_HZ
from chasqui.encode import Options
from chasqui.encode.course import by_lot, courses
from chasqui.encode.shelf import Shelf
from chasqui.encode.spending import Spending
from chasqui.encode.voice import Part, Voice
from chasqui.encode.words import relisten
from chasqui.errors import DiskFull
from chasqui.events import Report
from chasqui.media import lame, ogg, pairs
from chasqui.media.flac import read_master
from chasqui.metrics.targets import best_kept
from chasqui.metrics.threads import one_blas_thread
from chasqui.models.card import Card, parse
from chasqui.records import (
    Analysis,
    Choice,
    Master,
    Measured,
    Plan,
    Recording,
    Rendition,
    Renditions,
    Request,
    Segment,
    Transcript,
)
from chasqui.store import Workspace, lines

#: (b/s, Hz, LAME's quality level) of the MP3 for the same promise: the least with which LAME keeps it on 99 % of 113
#: speech clips of 6 s (97 % for `clear`). At 16 kb/s higher sample rates are worse, 8 kb/s is not understood at all.
#: Level 7 takes 0.58 of the time of LAME's own choice: as many of 125 clips are understood with it (99.2 %, ESTOI 0.914
#: against 0.917), but ViSQOL, which the dearer promises want, falls by 0.15 to 0.3.
MP3: dict[str | None, tuple[int, int, int | None]] = {
    None: (16_000, 16_000, 7),
    "understood": (16_000, 16_000, 7),
    "comfortable": (32_000, 24_000, None),
    "clear": (40_000, 24_000, None),
}


def make(
    request: Request,
    recording: Recording,
    master: Master,
    analysis: Analysis,
    plan: Plan,
    transcript: Transcript | None = None,
    *,
    options: Options,
    work: Workspace,
    report: Report,
) -> Renditions:
    """Encode the voice, measure it, raise what misses or lost words, write both files."""
    path = work.path(master.audio)
    segments = lines.read(work.path(analysis.segments), Segment)
    choices = lines.read(work.path(plan.choices), Choice)
    with (
        Shelf(work.folder / "packets") as shelf,
        ThreadPoolExecutor(options.threads or 1) as pool,
        one_blas_thread(),
    ):
        voice = Voice(path, master, shelf, pool, by_lot(master.recording_id, segments, options.visqol_share))
        fallback = pool.submit(_mp3, path, master, plan, work) if options.mp3 else None
        planned = courses(plan, segments, choices, _cards(plan, work))
        parts = voice.encode(planned, report)
        if plan.budget_bytes is not None:
            container = plan.expected_bytes - sum(choice.bytes for choice in choices)
            parts = Spending(voice, planned, plan, plan.budget_bytes - container).spent(parts)
        parts, heard = relisten(voice, planned, parts, plan, master, transcript, options, work, report)
        renditions = [_opus(shelf, request, recording, master, plan, parts, work)]
        if fallback is not None:
            renditions.append(fallback.result())
    measured = lines.write(work.folder / "measured.jsonl", (_measured(part, master) for part in parts))
    return Renditions(
        recording_id=master.recording_id,
        renditions=tuple(renditions),
        measured=work.keep(measured, "application/jsonl"),
        encodes=sum(part.encodes for part in parts),
        stepped_up=sum(part.climbed > 0 for part in parts),
        stepped_down=sum(part.climbed < 0 for part in parts),
        rung_seconds=_rung_seconds(parts, master),
        words=heard,
    )


def _cards(plan: Plan, work: Workspace) -> dict[str, Card]:
    return {card.title: card for card in (parse(work.path(blob)) for blob in plan.cards)}


def _opus(
    shelf: Shelf, request: Request, recording: Recording, master: Master, plan: Plan, parts: list[Part], work: Workspace
) -> Rendition:
    path = work.folder / "voice.opus"
    with path.open("wb") as out:
        size = ogg.write(
            out,
            (packet for packets in shelf.all() for packet in pairs.join(packets)),
            master.samples,
            serial=int(master.recording_id[:8], 16),
            tags=tags(request, recording),
            packet_samples=PACKET_SAMPLES,
            length=pairs.samples,
            input_rate_hz=recording.rate_hz,
        )
    names = sorted({part.rung.name for part in parts})
    return Rendition(
        name=path.name,
        blob=work.keep(path, "audio/ogg"),
        codec="opus",
        container="ogg",
        media_type="audio/ogg; codecs=opus",
        bitrate_bps=size * 8 / master.duration_s,
        duration_s=master.duration_s,
        samples=master.samples,
        rate_hz=RATE_HZ,
        why=f"{len(parts)} segments at {len(names)} rungs ({', '.join(names)}), joined without gaps",
    )


def _mp3(master_path: Path, master: Master, plan: Plan, work: Workspace) -> Rendition:
    path = work.folder / "voice.mp3"
    bitrate_bps, rate_hz, level = MP3[plan.promise]
    blocks = read_master(master_path, master.gain_db)
    samples = lame.encode(blocks, path, bitrate_bps=bitrate_bps, rate_hz=rate_hz, level=level)
    if samples != master.samples or not path.stat().st_size:  # FFmpeg's muxer does not always pass on a full disk
        raise DiskFull(path=path.name)
    blob = work.keep(path, "audio/mpeg")
    return Rendition(
        name=blob.name,
        blob=blob,
        codec="mp3",
        container="mp3",
        media_type="audio/mpeg",
        bitrate_bps=blob.bytes * 8 / master.duration_s,
        duration_s=master.duration_s,
        samples=master.samples,
        rate_hz=rate_hz,
        why="for players that cannot open Opus",
    )


def tags(request: Request, recording: Recording) -> dict[str, str]:
    """Title, artist and language, cut to what the container sets aside for them: every byte is carried to every
    student.
    """
    title = request.title or recording.tags.get("title") or request.name.rsplit(".", 1)[0]
    wanted = {
        "TITLE": title,
        "ARTIST": recording.tags.get("artist", ""),
        "LANGUAGE": recording.tags.get("language", ""),
    }
    kept: dict[str, str] = {}
    for name, value in wanted.items():
        while value and ogg.tag_bytes({**kept, name: value}) > ogg.TAG_BYTES:
            value = value[:-1]
        if value:
            kept[name] = value
    return kept


def _measured(part: Part, master: Master) -> Measured:
    segment = part.segment
    return Measured(
        segment=segment.index,
        start_s=round(segment.start_packet * PACKET_SAMPLES / RATE_HZ, 3),
        end_s=round(min(segment.end_packet * PACKET_SAMPLES, master.samples) / RATE_HZ, 3),
        kind=segment.kind,
        rung=part.rung.name,
        bytes=part.bytes,
        scores=part.scores,
        kept=best_kept(segment.kind, part.scores),
        reachable=part.reachable,
        stepped_up=max(part.climbed, 0),
        stepped_down=max(-part.climbed, 0),
        encodes=part.encodes,
    )


def _rung_seconds(parts: list[Part], master: Master) -> dict[str, float]:
    seconds: dict[str, float] = {}
    for part in parts:
        end = min(part.segment.end_packet * PACKET_SAMPLES, master.samples)
        length = (end - part.segment.start_packet * PACKET_SAMPLES) / RATE_HZ
        seconds[part.rung.name] = seconds.get(part.rung.name, 0.0) + length
    return {name: round(value, 3) for name, value in sorted(seconds.items())}
