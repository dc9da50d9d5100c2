"""Listens: a few stretches at a time, each one remembered by its sound, so that nothing is listened to twice."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from chasqui.asr import FAILS, Heard, Recogniser, Settings, Span, open_recogniser
from chasqui.asr.ear import Ear
from chasqui.asr.filter import kept
from chasqui.asr.stretches import Stretch, stretches
from chasqui.errors import ChasquiError
from chasqui.events import Report
from chasqui.media.flac import read_span
from chasqui.metrics.resample import third
from chasqui.records import Analysis, Failure, Listened, Master, Segment, Tongue, Transcript
from chasqui.store import Workspace, lines
from chasqui.transcribe import Options

#: Stretches asked about at once: a quarter of an hour, 60 MB of sound; enough for Whisper to fill its batches.
TOGETHER = 32
#: A language that the recogniser itself holds for less likely than this is not named.
GUESSED = 0.5


def transcribe(master: Master, analysis: Analysis, options: Options, work: Workspace, report: Report) -> Transcript:
    """The Transcript; one marked as failed, with the reason, when the recogniser fails."""
    try:
        return _transcribe(master, analysis, options, work, report)
    except FAILS as error:
        report.warned(str(error), **Failure.of(error).model_dump())
        return failed(master.recording_id, error)


def failed(recording_id: str, error: ChasquiError) -> Transcript:
    """An empty Transcript that says what went wrong."""
    return Transcript(
        recording_id=recording_id,
        status="failed",
        why=f"the recogniser failed ({error.code})",
        failure=Failure.of(error),
    )


def _transcribe(master: Master, analysis: Analysis, options: Options, work: Workspace, report: Report) -> Transcript:
    settings = options.settings
    recogniser = open_recogniser(options.recogniser or "", settings)
    wanted = list(stretches(lines.read(work.path(analysis.segments), Segment)))
    total_s, tally = sum(stretch.seconds for stretch in wanted), _Tally()
    words, listened = work.folder / "words.jsonl", work.folder / "listened.jsonl"
    try:
        with words.open("w", encoding="utf-8") as said, listened.open("w", encoding="utf-8") as told:
            for span, heard in _hear(wanted, recogniser, settings, master, options.language, work):
                left, dropped = kept(heard, span)
                line = _line(span, heard, len(left), dropped)
                said.writelines(word.model_dump_json() + "\n" for word in left)
                told.write(line.model_dump_json() + "\n")
                tally.add(line)
                report.advanced(tally.heard_s, total_s)
    finally:
        recogniser.close()
    return Transcript(
        recording_id=master.recording_id,
        status="done",
        why=_why(tally, bool(wanted)),
        words=work.keep(words, "application/jsonl"),
        listened=work.keep(listened, "application/jsonl"),
        word_count=tally.words,
        heard_s=round(tally.heard_s, 2),
        languages=tally.languages(),
        dropped=dict(sorted(tally.dropped.items())),
        recogniser=recogniser.identity,
    )


def _why(tally: _Tally, speech: bool) -> str:
    if not speech:
        return "there is no speech to listen to"
    return (
        "a recogniser listened to all speech"
        if tally.words
        else "a recogniser listened to all speech and heard no words"
    )


def _hear(
    wanted: Sequence[Stretch],
    recogniser: Recogniser,
    settings: Settings,
    master: Master,
    language: str | None,
    work: Workspace,
) -> Iterator[tuple[Span, Heard]]:
    """Each stretch with what was heard of it, in order."""
    path: Path = work.path(master.audio)
    ear = Ear(recogniser, settings, language, work.recall, work.remember)
    places = iter(wanted)
    while part := [_sound(stretch, path, master.gain_db) for stretch in islice(places, TOGETHER)]:
        yield from zip(part, ear.hear(part), strict=True)


def _sound(stretch: Stretch, path: Path, gain_db: float) -> Span:
    return stretch.span(third()(read_span(path, gain_db, *stretch.samples)))


def _line(span: Span, heard: Heard, words: int, dropped: Counter[str]) -> Listened:
    sure = heard.language_probability
    return Listened(
        start_s=round(span.start_s, 3),
        end_s=round(span.end_s, 3),
        language=None if sure is not None and sure < GUESSED else heard.language,
        language_probability=sure,
        confidence=heard.confidence,
        words=words,
        dropped=dict(dropped),
    )


class _Tally:
    """Sums over the stretches."""

    def __init__(self) -> None:
        self.heard_s, self.words = 0.0, 0
        self.dropped: Counter[str] = Counter()
        self._seconds: defaultdict[str | None, float] = defaultdict(float)
        self._sure: defaultdict[str | None, list[tuple[float, float]]] = defaultdict(list)

    def add(self, line: Listened) -> None:
        seconds = line.end_s - line.start_s
        self.heard_s += seconds
        self.words += line.words
        self.dropped.update(line.dropped)
        if line.words:
            self._seconds[line.language] += seconds
            if line.language_probability is not None:
                self._sure[line.language].append((seconds, line.language_probability))

    def languages(self) -> tuple[Tongue, ...]:
        """Most spoken first."""
        order = sorted(self._seconds, key=lambda name: (-self._seconds[name], name or ""))
        return tuple(
            Tongue(language=n, seconds=round(self._seconds[n], 2), probability=_mean(self._sure[n])) for n in order
        )


def _mean(weighted: Sequence[tuple[float, float]]) -> float | None:
    total = sum(weight for weight, _ in weighted)
    return round(sum(weight * value for weight, value in weighted) / total, 4) if total else None
