"""Lays the words of a cue into the speech that it stands over: each as long as its letters, none into a pause."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from chasqui.captions import Cue
from chasqui.records import Word
from chasqui.transcribe.align import FRAME_S, Floats

#: Silero's own threshold to stay on: what analyze calls speech as well.
VOICE = 0.35
#: Less speech than this in a cue says nothing about where its words are.
LEAST_S = 0.2


def spread(
    cue: Cue, speech: NDArray[np.floating], known: Mapping[int, tuple[float, float]] | None = None
) -> list[Word]:
    """The words of a cue with times inside it. `speech`: its probability per `FRAME_S` of the whole recording.

    `known`: place among the words of the cue → start and end, where somebody heard them; they may lie outside the cue.
    """
    texts = texts_of(cue)
    if not texts:
        return []
    clock = _Clock(speech, cue.start_s, cue.end_s)
    ends = np.cumsum([len(text) + 1.0 for text in texts])
    shares = np.concatenate([[0.0], ends / ends[-1]])
    words = []
    for place, text in enumerate(texts):
        start_s, end_s = clock.after(shares[place]), clock.before(shares[place + 1])
        end_s = round(max(start_s, end_s), 3)
        words.append(Word(text=text, start_s=round(start_s, 3), end_s=end_s, speaker=cue.speaker))
    return _with_known(words, known) if known else words


def texts_of(cue: Cue) -> list[str]:
    """The words of a cue; marks that stand alone belong to the word before, and dashes of a dialogue to none."""
    texts: list[str] = []
    for piece in cue.text.split():
        if any(letter.isalnum() for letter in piece):
            texts.append(piece)
        elif texts and piece.strip("-–—"):
            texts[-1] += piece
    return texts


class _Clock:
    """Speech of a cue as a clock that stands still in pauses: 0 at its beginning, 1 at its end."""

    def __init__(self, speech: NDArray[np.floating], start_s: float, end_s: float) -> None:
        first, last = int(start_s / FRAME_S), int(np.ceil(end_s / FRAME_S))
        voiced = (speech[first:last] > VOICE).astype(np.float64)
        if voiced.sum() * FRAME_S < LEAST_S:
            voiced = np.ones(max(last - first, 1))
        self._speech: Floats = np.concatenate([[0.0], np.cumsum(voiced) / voiced.sum()])
        self._time = np.clip((first + np.arange(len(self._speech))) * FRAME_S, start_s, end_s)

    def after(self, share: float) -> float:
        """The moment from which on the rest is said: behind a pause, not in front of it."""
        place = int(np.searchsorted(self._speech, share + 1e-9, side="right")) - 1
        return self._at(share, min(max(place, 0), len(self._speech) - 2))

    def before(self, share: float) -> float:
        """The moment until which so much was said: in front of a pause."""
        place = int(np.searchsorted(self._speech, share - 1e-9, side="left")) - 1
        return self._at(share, min(max(place, 0), len(self._speech) - 2))

    def _at(self, share: float, place: int) -> float:
        low, high = self._speech[place], self._speech[place + 1]
        part = (share - low) / (high - low) if high > low else 0.0
        return float(self._time[place] + min(max(part, 0.0), 1.0) * (self._time[place + 1] - self._time[place]))


def _with_known(words: list[Word], known: Mapping[int, tuple[float, float]]) -> list[Word]:
    """The words that were heard at their times, those between them moved along, all in order."""
    places = sorted(known)
    shifts = [known[place][0] - words[place].start_s for place in places]
    moved: list[Word] = []
    for place, word in enumerate(words):
        if place in known:
            start_s, end_s = known[place]
        else:
            by_s = float(np.interp(place, places, shifts))
            start_s, end_s = word.start_s + by_s, word.end_s + by_s
            after = bisect_left(places, place)
            if after < len(places):
                end_s = min(end_s, known[places[after]][0])
        start_s = max(start_s, moved[-1].end_s if moved else 0.0)
        moved.append(word.model_copy(update={"start_s": round(start_s, 3), "end_s": round(max(start_s, end_s), 3)}))
    return moved
