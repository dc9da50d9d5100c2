"""Listens to the encoded voice with the recogniser that listened to the master, and raises segments that lost words.

What it heard of the master is remembered, so only the encoded voice costs time. A dearer rung is kept where it brings
words back; where it does not, the recogniser is at its end, not the encode, and the bytes are saved.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chasqui.asr import FAILS, need, open_recogniser
from chasqui.asr.ear import Ear
from chasqui.asr.filter import kept
from chasqui.asr.sample import Chosen, sample
from chasqui.asr.stretches import Stretch, stretches
from chasqui.codecs.opus import RUNGS
from chasqui.encode import Options, raising
from chasqui.encode.course import Course
from chasqui.encode.voice import Part, Voice
from chasqui.events import Report
from chasqui.media.flac import read_span
from chasqui.metrics.lost import Kept, by_segment, too_many
from chasqui.metrics.resample import third
from chasqui.metrics.targets import TARGETS, margin
from chasqui.records import Failure, Master, Plan, Reheard, Relistened, Segment, Transcript, Word
from chasqui.store import Workspace, lines

#: Stretches asked about at once: 60 MB of sound, enough for Whisper to fill its batches.
TOGETHER = 32
#: Raises of one segment. Two bring the cheapest rung over the border to wideband, where most is decided.
ROUNDS = 2
#: Raises are worth their bytes where they leave at most this share of a stretch's lost words.
LEFT = 0.5


def relisten(
    voice: Voice,
    courses: list[Course],
    parts: list[Part],
    plan: Plan,
    master: Master,
    transcript: Transcript | None,
    options: Options,
    work: Workspace,
    report: Report,
) -> tuple[list[Part], Relistened | None]:
    """The parts, some of them raised, and what was listened to. A recogniser that fails costs this proof, no more."""
    if transcript is None or transcript.status == "none":
        return parts, None
    if why := _nothing(transcript, options):
        return parts, Relistened(status="none", why=why)
    check = Check(voice, courses, parts, plan, master, work)
    try:
        found = check.made(options, report)
    except FAILS as error:
        report.warned(str(error), **Failure.of(error).model_dump())
        return check.parts, Relistened.failed(error)
    return check.parts, found


def _nothing(transcript: Transcript, options: Options) -> str | None:
    if transcript.status == "failed":
        return "there is no transcript to compare with"
    if options.listening.recogniser is None:
        return "no recogniser was asked for"
    return None if transcript.word_count else "no words were heard in the master"


@dataclass
class Listened:
    """A stretch, what was heard of its master, and how the words of its segments fared: as first encoded, and now."""

    stretch: Stretch
    segments: list[Segment]
    drawn: bool
    said: list[Word]
    language: str | None
    first: dict[int, Kept] = field(default_factory=dict)
    now: dict[int, Kept] = field(default_factory=dict)


class Check:
    """The listening to one voice. `parts` is the stream as it stands, whatever happens."""

    def __init__(
        self, voice: Voice, courses: list[Course], parts: list[Part], plan: Plan, master: Master, work: Workspace
    ) -> None:
        self.parts = parts
        self._voice, self._courses, self._plan, self._master, self._work = voice, courses, plan, master, work
        self._path: Path = work.path(master.audio)
        self._starts = [part.segment.start_packet for part in parts]
        self._spent_s = 0.0

    def made(self, options: Options, report: Report) -> Relistened:
        """Listen, raise, listen again, and write down what was heard.

        Raises:
            ChasquiError: whatever the recogniser fails with; `parts` is whole all the same.
        """
        asked = options.listening
        need("jiwer", asked.recogniser or "", "asr-light")
        recogniser = open_recogniser(asked.recogniser or "", asked.settings)
        try:
            self._ear = Ear(recogniser, asked.settings, asked.language, self._work.recall, self._work.remember)
            wanted = list(stretches(part.segment for part in self.parts))
            budget_s = max(options.words_least_s, options.words_share * sum(one.seconds for one in wanted))
            seed = f"words {self._master.recording_id}"
            chosen = sample(wanted, [self._risk(one) for one in wanted], budget_s, seed)
            listened = self._listen(chosen, report)
            before = self.parts
            if self._plan.budget_bytes is None:  # else there are no bytes to raise anything with
                self._raise(listened, budget_s, usual_loss(listened) if options.against_usual else 0.0)
        finally:
            recogniser.close()
        return self._told(listened, before, recogniser.identity, budget_s)

    def _risk(self, stretch: Stretch) -> float:
        """The narrowest margin of its segments."""
        target = TARGETS[self._plan.promise or self._plan.target]
        own = [self.parts[segment.index] for segment in self._within(stretch)]
        return min(margin(target, part.segment.kind, part.scores) for part in own)

    def _within(self, stretch: Stretch) -> list[Segment]:
        first, last = (bisect_left(self._starts, at) for at in (stretch.start_packet, stretch.end_packet))
        return [part.segment for part in self.parts[first:last]]

    def _listen(self, chosen: Chosen, report: Report) -> list[Listened]:
        """What is heard of the chosen stretches, master and voice."""
        listened: list[Listened] = []
        for start in range(0, len(chosen.stretches), TOGETHER):
            part = chosen.stretches[start : start + TOGETHER]
            spans = [one.span(third()(read_span(self._path, self._master.gain_db, *one.samples))) for one in part]
            new = [
                Listened(one, self._within(one), one in chosen.drawn, kept(heard, span)[0], heard.language)
                for one, span, heard in zip(part, spans, self._ear.hear(spans), strict=True)
            ]
            self._hear(new)
            for one in new:
                one.first = one.now
            listened += new
            report.advanced(sum(one.stretch.seconds for one in listened), chosen.seconds)
        return listened

    def _hear(self, listened: Sequence[Listened]) -> None:
        """Listen to the voice as it stands now."""
        spans = [one.stretch.span(third()(self._sound(one))) for one in listened]
        self._spent_s += sum(one.stretch.seconds for one in listened)
        for one, span, heard in zip(listened, spans, self._ear.hear(spans), strict=True):
            found = by_segment(one.said, kept(heard, span)[0], one.segments, one.language)
            one.now = {line.segment: line for line in found}

    def _sound(self, one: Listened) -> NDArray[np.float32]:
        start, stop = one.stretch.samples
        samples = min(stop, self._master.samples) - start
        return self._voice.sound(one.segments[0].index, one.segments[-1].index, samples)

    def _raise(self, listened: Sequence[Listened], budget_s: float, usual: float) -> None:
        """Raise the segments that lost too many words, while there is time to listen to them again; take back what did
        not help.
        """
        original = self.parts
        for _ in range(ROUNDS):
            wanted: dict[int, str] = {}
            again, room_s = [], budget_s - self._spent_s
            for one in listened:
                rungs = self._above(one, usual, original)
                if rungs and one.stretch.seconds <= room_s:
                    again.append(one)
                    wanted |= rungs
                    room_s -= one.stretch.seconds
            self.parts, moved = raising.moved(self._voice, self._courses, self.parts, wanted, self._plan)
            touched = [one for one in again if moved & one.now.keys()]
            if not touched:
                break
            for start in range(0, len(touched), TOGETHER):
                self._hear(touched[start : start + TOGETHER])
        self._take_back(listened, original)

    def _above(self, one: Listened, usual: float, original: Sequence[Part]) -> dict[int, str]:
        """The rungs to raise the segments of a stretch to that lost too many words at first, and still do.

        The second time, or where the first made the stretch no better as a whole, the others come along to the least
        of these rungs: recognisers adapt to all of it, and some lose what is narrowband as soon as the rest is not.
        """
        worst = [
            self.parts[index]
            for index, line in one.now.items()
            if all(too_many(kept.sure, len(kept.lost), usual) for kept in (one.first[index], line))
        ]
        rungs = {part.segment.index: rung for part in worst if (rung := raising.above(part)) is not None}
        before = [self.parts[i].rung for i in one.now if self.parts[i].rung is not original[i].rung]
        if before and (rungs or not _better(one)):
            least = min([RUNGS[rung] for rung in rungs.values()] or before, key=lambda rung: rung.bitrate_bps)
            others = [self.parts[index] for index in one.now if index not in rungs]
            rungs |= {p.segment.index: least.name for p in others if p.rung.bitrate_bps < least.bitrate_bps}
        return rungs

    def _take_back(self, listened: Sequence[Listened], original: Sequence[Part]) -> None:
        """Whole stretches go back: what is heard of a word depends on those around it."""
        for one in listened:
            rungs = {i: original[i].rung.name for i in one.now if self.parts[i].rung is not original[i].rung}
            if not rungs or _better(one):
                continue
            self.parts, moved = raising.moved(self._voice, self._courses, self.parts, rungs, self._plan)
            if moved == rungs.keys():
                one.now = one.first

    def _told(self, listened: Sequence[Listened], before: Sequence[Part], identity: str, budget_s: float) -> Relistened:
        told = [
            Reheard(
                segment=index,
                drawn=one.drawn,
                words=line.words,
                errors=line.errors,
                sure=line.sure,
                lost=line.lost,
                first_errors=one.first[index].errors,
                first_lost=len(one.first[index].lost),
                raised=max(0, self.parts[index].climbed - before[index].climbed),
            )
            for one in listened
            for index, line in one.now.items()
        ]
        path = lines.write(self._work.folder / "reheard.jsonl", told)
        speech = sum(part.segment.kind == "speech" for part in self.parts)
        return Relistened.of(
            told,
            why=why(len(told), speech, self._plan),
            lines=self._work.keep(path, "application/jsonl"),
            recogniser=identity,
            segments=speech,
            budget_s=round(budget_s, 2),
            spent_s=round(self._spent_s, 2),
        )


def _better(one: Listened) -> bool:
    """Whether so few of a stretch's lost words stay lost that its raises are worth their bytes."""
    lost, first = (sum(len(line.lost) for line in kept.values()) for kept in (one.now, one.first))
    return lost <= LEFT * first


def why(listened: int, speech: int, plan: Plan) -> str:
    """How much was listened to, and what could not be done about it."""
    said = [
        "all speech was listened to again" if listened == speech else "the time for listening ended before all of it"
    ]
    if plan.budget_bytes is not None:
        said.append("a byte budget leaves nothing to raise lost words with")
    return "; ".join(said)


def usual_loss(listened: Sequence[Listened]) -> float:
    """The share of sure words lost in the stretches drawn by lot, as first encoded, 0–1."""
    kept = [line for one in listened if one.drawn for line in one.first.values()]
    sure = sum(line.sure for line in kept)
    return sum(len(line.lost) for line in kept) / sure if sure else 0.0
