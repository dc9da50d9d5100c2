"""Captions that a person brought, as the transcript: laid on the sound, or refused with the reason.

Where a recogniser listens too, the words that both have hold the others in place, whatever the times of the captions
are; else the captions are moved as a whole (`judge.py`). What a person wrote is never replaced by what was heard.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from chasqui.captions import Cue
from chasqui.captions.read import Captions, read
from chasqui.errors import BadCaptions, CaptionsMisfit
from chasqui.events import Report
from chasqui.metrics import spoken
from chasqui.records import Analysis, Failure, Given, Laid, Master, PhraseEnd, Tongue, Transcript, Word
from chasqui.store import Workspace, lines
from chasqui.transcribe.align import Fit
from chasqui.transcribe.anchors import anchors
from chasqui.transcribe.judge import Placed, kept, placed
from chasqui.transcribe.spread import spread, texts_of

#: From this part of the words on a recogniser heard the same text: of another text it has hardly one row of three.
SAME, FEWEST = 0.1, 10
#: Times between words that were heard are smoothed over so many of them: one may be heard at the wrong place.
SMOOTH = 5
#: [Música], (risas), ♪ la la ♪: what is heard, but not said.
SOUND = re.compile(r"^\s*(?:[\[(*♪#].*[\])*♪#]|♪.*)\s*$")

Known = dict[int, dict[int, tuple[float, float]]]  # cue → word in it → its times


def lay(
    captions: Given, heard: Transcript, master: Master, analysis: Analysis, work: Workspace, report: Report
) -> Transcript:
    """The Transcript of captions; where they cannot be used, what was heard, with the reason."""
    try:
        if captions.failure is not None:
            raise captions.failure.as_error()
        return _laid(captions, heard, master, analysis, work)
    except BadCaptions as error:
        evidence = {name: fact for name, fact in error.evidence.items() if isinstance(fact, str | int | float)}
        report.warned(str(error), error=error.code, evidence=evidence)
        why = "the captions that were brought were not used"
        if heard.status != "none":
            why = f"{heard.why}; {why}"
        return heard.model_copy(update={"why": why, "refused": Failure(error=error.code, evidence=evidence)})


def _laid(captions: Given, heard: Transcript, master: Master, analysis: Analysis, work: Workspace) -> Transcript:
    assert captions.source is not None  # noqa: S101 - whoever calls looks
    found = read(work.path(captions.source), captions.name)
    cues = [cue for cue in found.cues if not SOUND.match(cue.text)]
    if not cues:
        raise CaptionsMisfit(name=captions.name, why="no words are in it, only sounds")
    with np.load(work.path(analysis.features)) as table:
        speech = table["speech_probability"].astype(np.float32) / 255
    language = captions.language or found.language
    held = _held(cues, heard, language, work)
    where = _by_words(cues, held, speech, master.duration_s, captions.name) if held else None
    where = where or placed(cues, speech, master.duration_s, captions.name)
    known = held.known if held else {}
    words, ends = _words(where, known, speech)
    path = lines.write(work.folder / "words.jsonl", words)
    dropped = Counter(where.dropped)
    dropped["sound"] = len(found.cues) - len(cues)
    seconds = sum(cue.seconds for cue in where.cues)
    return Transcript(
        recording_id=master.recording_id,
        status="given",
        why=_why(where, held, len(cues)),
        words=work.keep(path, "application/jsonl"),
        listened=heard.listened,
        phrases=work.keep(lines.write(work.folder / "phrases.jsonl", ends), "application/jsonl"),
        word_count=len(words),
        heard_s=heard.heard_s,
        languages=_tongues(language, heard, seconds),
        recogniser=heard.recogniser,
        captions=_fact(captions, found, where, held, +dropped),
    )


@dataclass(frozen=True)
class _Held:
    """Words of the captions that a recogniser heard as well."""

    known: Known
    caption_s: NDArray[np.float64]  # where such words stand in the captions, by their letters
    sound_s: NDArray[np.float64]  # and where they were heard
    count: int


def _held(cues: Sequence[Cue], heard: Transcript, language: str | None, work: Workspace) -> _Held | None:
    if heard.words is None or not heard.word_count:
        return None
    words = lines.read(work.path(heard.words), Word)
    language = language or heard.language or ""
    places = [(n, m) for n, cue in enumerate(cues) for m in range(len(texts_of(cue)))]
    said = spoken.tokens([text for cue in cues for text in texts_of(cue)], language)
    listened = spoken.tokens([word.text for word in words], language)
    pairs = anchors([token.text for token in said], [token.text for token in listened])
    if len(pairs) < FEWEST or len(pairs) < SAME * len(said):
        return None
    known: Known = defaultdict(dict)
    caption_s, sound_s = [], []
    for a, b in pairs:
        cue, place = places[said[a].source]
        word = words[listened[b].source]
        known[cue].setdefault(place, (word.start_s, word.end_s))
        letters = [len(text) + 1 for text in texts_of(cues[cue])]
        caption_s.append(cues[cue].start_s + cues[cue].seconds * sum(letters[:place]) / sum(letters))
        sound_s.append(word.start_s)
    return _Held(dict(known), np.array(caption_s), np.array(sound_s), len(pairs))


def _by_words(cues: Sequence[Cue], held: _Held, speech: NDArray[np.floating], duration_s: float, name: str) -> Placed:
    """Cues moved as the words near them have to be."""
    shifts = held.sound_s - held.caption_s
    smooth = np.array([np.median(shifts[max(n - SMOOTH, 0) : n + SMOOTH + 1]) for n in range(len(shifts))])
    moved = []
    for place, cue in enumerate(cues):
        by_s = float(np.interp((cue.start_s + cue.end_s) / 2, held.caption_s, smooth))
        moved.append((place, replace(cue, start_s=cue.start_s + by_s, end_s=cue.end_s + by_s)))
    rate = 1.0 + float(np.polyfit(held.caption_s, smooth, 1)[0]) if np.ptp(held.caption_s) > 0 else 1.0
    offset_s = float(np.median(held.sound_s - rate * held.caption_s))
    return kept(cues, moved, Counter(), Fit(offset_s, rate, 0.0), True, speech, duration_s, name)


def _words(where: Placed, known: Known, speech: NDArray[np.floating]) -> tuple[list[Word], list[PhraseEnd]]:
    """The words of all cues, and where each cue ended: whoever cuts them anew may want to do it there."""
    words: list[Word] = []
    ends: list[PhraseEnd] = []
    for cue, origin in zip(where.cues, where.origin, strict=True):
        if laid := spread(cue, speech, known.get(origin)):
            words += laid
            ends.append(PhraseEnd(at_s=laid[-1].end_s, pause_s=0.0, strength=1.0))
    return words, ends


def _why(where: Placed, held: _Held | None, brought: int) -> str:
    if held:
        why = "a person brought them; the words that a recogniser heard as well hold them in place"
    elif where.checked:
        why = "a person brought them; they begin where the voice does"
    else:
        why = "a person brought them; there are too few to tell whether they fit, so they stand where they were"
    return why if len(where.cues) == brought else f"{why}; what does not fit was left out"


def _tongues(language: str | None, heard: Transcript, seconds: float) -> tuple[Tongue, ...]:
    if language is None and heard.languages:
        return heard.languages
    return (Tongue(language=language, seconds=round(seconds, 2)),)


def _fact(captions: Given, found: Captions, where: Placed, held: _Held | None, dropped: Counter[str]) -> Laid:
    return Laid(
        name=captions.name,
        format=found.format,
        encoding=found.encoding,
        cues=len(found.cues),
        used=len(where.cues),
        offset_s=round(where.fit.offset_s, 3),
        rate=round(where.fit.rate, 6),
        certainty=None if held else round(where.fit.certainty, 2),
        anchors=held.count if held else 0,
        checked=where.checked,
        dropped=dict(sorted(dropped.items())),
        mended=found.mended,
    )
