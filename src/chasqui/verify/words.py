"""Which words of the master are still heard in the published bytes, by the same recogniser.

It listens to what `encode` listened to, out of the file that would be published. Where the sound is the same to the
last bit, what was heard of it then is found again and costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from chasqui.asr import FAILS, Listening, open_recogniser
from chasqui.asr.ear import Ear
from chasqui.asr.filter import kept
from chasqui.asr.stretches import Stretch, stretches
from chasqui.events import Report
from chasqui.media.flac import read_span
from chasqui.media.opus import Array, decode_file
from chasqui.metrics.lost import FLOOR, SURE, VERSION, Kept, by_segment
from chasqui.metrics.resample import third
from chasqui.records import Failure, Master, Reheard, Relistened, Renditions, Segment
from chasqui.store import Workspace, lines
from chasqui.verify.speech import cut

#: Stretches at once, as in `encode`: 60 MB of sound.
TOGETHER = 32


def relisten(
    published: Path,
    segments: Sequence[Segment],
    renditions: Renditions,
    master: Master,
    listening: Listening,
    work: Workspace,
    report: Report,
) -> Relistened | None:
    """What is heard of the published bytes, where `encode` listened; else its reason why nobody did.

    Raises:
        PromiseBroken: the file does not decode to exactly the master's length.
    """
    before = renditions.words
    if before is None or before.lines is None:
        return before
    was = {line.segment: line for line in lines.read(work.path(before.lines), Reheard)}
    try:
        told = _told(published, segments, was, master, listening, work)
    except FAILS as error:
        report.warned(str(error), **Failure.of(error).model_dump())
        return Relistened.failed(error)
    path = lines.write(work.folder / "reheard.jsonl", told)
    kept_facts = before.model_dump(include={"why", "recogniser", "segments", "budget_s", "spent_s"})
    return Relistened.of(told, lines=work.keep(path, "application/jsonl"), **kept_facts)


def facts(found: Relistened, work: Workspace) -> dict[str, Any]:
    """What the certificate says of words."""
    told = lines.read(work.path(found.lines), Reheard) if found.lines else []
    return {
        **found.model_dump(exclude={"lines", "failure"}),
        "error": found.failure.error if found.failure else None,
        "rate": _rounded(found.rate),
        "drawn_rate": _rounded(found.drawn_rate),
        "method": {
            "reference": "what the same recogniser heard of the master, cut in the same places",
            "metric": VERSION,
            "sure": SURE,
            "noise_floor": FLOOR,
            "drawn": "segments drawn by lot, as first encoded, before any was raised: fair for what was not heard",
        },
        "segments_heard": [
            {**line.model_dump(), "rate": round(line.errors / line.words, 4) if line.words else None} for line in told
        ],
    }


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 4)


def _told(
    published: Path,
    segments: Sequence[Segment],
    was: dict[int, Reheard],
    master: Master,
    listening: Listening,
    work: Workspace,
) -> list[Reheard]:
    recogniser = open_recogniser(listening.recogniser or "", listening.settings)
    ear = Ear(recogniser, listening.settings, listening.language, work.recall, work.remember)
    sounds = _sounds(published, [s for s in stretches(segments) if any(_in(s, segments[i]) for i in was)], master)
    told: list[Reheard] = []
    try:
        while part := list(islice(sounds, TOGETHER)):
            path, gain_db = work.path(master.audio), master.gain_db
            spans = [one.span(third()(read_span(path, gain_db, *one.samples))) for one, _ in part]
            said = [(kept(heard, span)[0], heard.language) for span, heard in zip(spans, ear.hear(spans), strict=True)]
            spans = [one.span(third()(sound)) for one, sound in part]
            for (one, _), (words, language), span, heard in zip(part, said, spans, ear.hear(spans), strict=True):
                own = [segments[index] for index in was if _in(one, segments[index])]
                told += [_line(k, was[k.segment]) for k in by_segment(words, kept(heard, span)[0], own, language)]
    finally:
        recogniser.close()
    return told


def _in(stretch: Stretch, segment: Segment) -> bool:
    return stretch.start_packet <= segment.start_packet < stretch.end_packet


def _sounds(published: Path, wanted: list[Stretch], master: Master) -> Iterator[tuple[Stretch, Array]]:
    """Each stretch with what a player hears there, 48 kHz."""
    ranges = [(start, min(stop, master.samples)) for start, stop in (one.samples for one in wanted)]
    return zip(wanted, cut(decode_file(published), ranges, master.samples), strict=True)


def _line(now: Kept, was: Reheard) -> Reheard:
    update = {"words": now.words, "errors": now.errors, "sure": now.sure, "lost": now.lost}
    return was.model_copy(update=update)
