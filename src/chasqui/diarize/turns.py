"""The stage's work: regions, voices, clusters, course, overlap, and at the end turns and phrase ends as lines."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np

from chasqui.diarize import MOST, Options
from chasqui.diarize.clusters import centres
from chasqui.diarize.course import TICK_S, Course, course
from chasqui.diarize.overlap import second_speakers
from chasqui.diarize.phrases import Ends
from chasqui.diarize.speech import regions
from chasqui.diarize.windows import BLOCK_S, HOP_S, LEVEL_DBFS, RATE_HZ, Voices, listen
from chasqui.errors import BadModel, ChasquiError, NoDiarizer
from chasqui.events import Report
from chasqui.media.flac import read_master
from chasqui.metrics.threads import one_blas_thread
from chasqui.records import Analysis, Failure, Master, Turn, Turns
from chasqui.store import Workspace, lines

#: Raised with every change of what comes out.
METHOD = "resemblyzer-0.1.4, clusters-1"
#: What a speaker says with less than this in between is one turn: NIST's references do the same.
BRIDGE_S = 0.3
#: Loudness of a master without one: it is all but empty.
QUIET_LUFS = -60.0
#: What ends the search for speakers and not the lesson. A full disk is not among them.
FAILS = (NoDiarizer, BadModel)


def diarize(master: Master, analysis: Analysis, options: Options, work: Workspace, report: Report) -> Turns:
    """The Turns; such as are marked as failed, with the reason, where what tells voices apart cannot be used."""
    try:
        return _diarize(master, analysis, options, work, report)
    except FAILS as error:
        report.warned(str(error), **Failure.of(error).model_dump())
        return failed(master.recording_id, error)


def failed(recording_id: str, error: ChasquiError) -> Turns:
    """No turns, and what went wrong."""
    why = "the voices could not be told apart"
    return Turns(recording_id=recording_id, status="failed", why=why, failure=Failure.of(error))


def _diarize(master: Master, analysis: Analysis, options: Options, work: Workspace, report: Report) -> Turns:
    with np.load(work.path(analysis.features), allow_pickle=False) as file:
        probability, second_class = file["speech_probability"], file["second_class"]
    ends = Ends(probability)
    pieces = ends.passing(read_master(work.path(master.audio), master.gain_db, block=BLOCK_S * RATE_HZ))
    kind, _, model = options.by.partition(":")
    if kind == "pyannote":
        from chasqui.diarize.pyannote import apply

        for _ in pieces:
            pass
        found, windows, method = apply(model, work.path(master.audio), master.gain_db, options.count), 0, options.by
    else:
        spoken = regions(probability, second_class)
        loudness = QUIET_LUFS if master.loudness_lufs is None else master.loudness_lufs
        with one_blas_thread():
            voices = listen(
                pieces,
                spoken,
                10 ** ((LEVEL_DBFS - loudness) / 20),
                work.folder,
                lambda done_s: report.advanced(done_s, master.duration_s),
            )
            found = _found(spoken, voices, options.count) if spoken else []
        windows, method = len(voices.middles_s), METHOD
    return _record(master, found, ends, windows, method, work)


def _found(spoken: list[tuple[float, float]], voices: Voices, count: int | None) -> list[Turn]:
    voice = centres(voices.prints, HOP_S, count, MOST)
    spoke = course(spoken, voices, voice)
    return in_turn(spoken, spoke, second_speakers(spoken, voices, spoke).tolist())


def in_turn(spoken: list[tuple[float, float]], spoke: Course, seconds: list[int]) -> list[Turn]:
    """Turns in order of their beginnings, speakers numbered in the order in which they first speak."""
    pieces: list[tuple[float, float, int]] = []
    speaker = spoke.speaker.tolist()
    for number, (start_s, end_s) in enumerate(spoken):
        first, last = int(spoke.starts[number]), int(spoke.starts[number + 1])
        for row in (speaker, seconds):
            cuts = [first, *(at for at in range(first + 1, last) if row[at] != row[at - 1]), last]
            for begin, end in pairwise(cuts):
                if row[begin] >= 0:
                    until_s = end_s if end == last else start_s + (end - first) * TICK_S
                    pieces.append((start_s + (begin - first) * TICK_S, until_s, row[begin]))
    return _numbered(_joined(pieces))


def _joined(pieces: Iterable[tuple[float, float, int]]) -> list[tuple[float, float, int]]:
    """Pieces of the same speaker that touch or nearly do, as one."""
    last: dict[int, int] = {}
    joined: list[tuple[float, float, int]] = []
    for start_s, end_s, speaker in sorted(pieces):
        place = last.get(speaker)
        if place is not None and start_s - joined[place][1] < BRIDGE_S:
            joined[place] = (joined[place][0], max(joined[place][1], end_s), speaker)
        else:
            last[speaker] = len(joined)
            joined.append((start_s, end_s, speaker))
    return joined


def _numbered(pieces: list[tuple[float, float, int]]) -> list[Turn]:
    names: dict[int, str] = {}
    return [
        Turn(start_s=round(start_s, 3), end_s=round(end_s, 3), speaker=names.setdefault(speaker, str(len(names) + 1)))
        for start_s, end_s, speaker in pieces
    ]


def _record(master: Master, found: list[Turn], ends: Ends, windows: int, method: str, work: Workspace) -> Turns:
    spoken_s: dict[str, float] = {}
    for turn in found:
        spoken_s[turn.speaker] = round(spoken_s.get(turn.speaker, 0.0) + turn.end_s - turn.start_s, 3)
    return Turns(
        recording_id=master.recording_id,
        status="done",
        why="every voice was compared with the others" if found else "nobody speaks",
        turns=work.keep(lines.write(work.folder / "turns.jsonl", found), "application/jsonl"),
        phrases=work.keep(lines.write(work.folder / "phrases.jsonl", ends.found()), "application/jsonl"),
        speakers=len(spoken_s),
        spoken_s=spoken_s,
        overlap_s=round(_overlap_s(found), 3),
        windows=windows,
        method=method,
    )


def _overlap_s(found: list[Turn]) -> float:
    edges = sorted([(turn.start_s, 1) for turn in found] + [(turn.end_s, -1) for turn in found])
    total, speaking, since = 0.0, 0, 0.0
    for at_s, step in edges:
        if speaking > 1:
            total += at_s - since
        speaking, since = speaking + step, at_s
    return total
