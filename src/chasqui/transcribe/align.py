"""How the times of captions and the times of a sound belong together: sound = rate × caption + offset.

What tells is where captions begin: with a voice that sets in after a pause (and, less surely, they end where one
stops). Against each offset stands the sum of that evidence over all cues; the right one stands out of the others by
its *certainty*, counted in standard deviations of what all other offsets give. Where captions cover speech says next to
nothing in a class, where somebody speaks nearly always; subtitle synchronisers that compare only that (ffsubsync,
alass) are made for films.

Rates: those between frame rates (25 pictures per second played as 23.976 and so on) and every other from 0.95 to 1.06,
in steps fine enough for the length. A sound that is not cut differently needs no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chasqui.captions import Cue

Floats = NDArray[np.float64]

#: What analyze gives the probability of speech for.
FRAME_S = 0.032
#: The grid of the search: four of those.
STEP, STEP_S = 4, 4 * FRAME_S
#: A voice sets in: so much more speech in this time after a moment than before. Captions are set by hand, not to 0.1 s.
EDGE_S = 0.75
#: An end says less than a beginning: captions stay until they are read.
END = 0.5
#: A recording that was trimmed before it was captioned, or has a jingle in front.
REACH_S = 120.0
#: Captions are looked at in pieces of this length, within which a coarse rate is as good as the right one.
PIECE_S = 90.0
COARSE, WIDTH = np.arange(0.95, 1.0601, 0.005), 0.0025
#: Pieces for the first look at the rate, and events at most: bounds the work for a 20 MB file.
PIECES, EVENTS = 40, 12_000

#: Rates that have a reason: 24, 25 and 23.976 pictures per second taken for one another.
RATES = (1.0, *(a / b for a in (23.976, 24.0, 25.0) for b in (23.976, 24.0, 25.0) if a != b))
#: Certainty that a map must have: of captions that stay where they are, are moved, moved at a known rate, or at any.
#: The more possibilities are tried, the better looks the best of them by chance: of 25 cues of other recordings 2.5,
#: 4.3, 5.0 and 5.4 in 19 of 20 cases (docs/transcribe.md).
AS_IS, MOVED, KNOWN_RATE, ANY_RATE = 3.0, 4.5, 5.5, 6.5
#: Captions this near are right as they stand.
AS_IS_S = 0.35


@dataclass(frozen=True)
class Fit:
    """sound = rate × caption + offset_s, and by how many deviations it stands out."""

    offset_s: float
    rate: float
    certainty: float

    @property
    def margin(self) -> float:
        """By how much it is surer than chance makes it; negative: it may be chance."""
        if self.rate not in RATES:
            return self.certainty - ANY_RATE
        if self.rate != 1.0:
            return self.certainty - KNOWN_RATE
        return self.certainty - (AS_IS if abs(self.offset_s) <= AS_IS_S else MOVED)

    def at(self, caption_s: float) -> float:
        """The moment of the sound."""
        return self.rate * caption_s + self.offset_s


def fit(cues: Sequence[Cue], speech: NDArray[np.floating]) -> Fit:
    """The likeliest map of captions to a sound. `speech`: its probability per `FRAME_S`, 0–1. Cues in order.

    Whoever uses it looks at `margin`: there is a likeliest one also where nothing fits.
    """
    pieces = _pieces(cues)
    edges = edges_of(_coarse(speech), round(EDGE_S / STEP_S))
    found = [_standing(pieces, edges), *(_along(pieces, edges, rate, 0.0) for rate in RATES)]
    first = pieces[:PIECES]
    free = max((_along(first, edges, float(rate), WIDTH) for rate in COARSE), key=lambda each: each.margin)
    if len(pieces) > len(first):
        # A rate that was found on the first hour is known to about two steps at its end.
        span_s = first[-1].times[-1] - first[0].times[0]
        free = _along(pieces, edges, free.rate, 2 * STEP_S / span_s)
    return _fine(max((*found, free), key=lambda each: each.margin), cues, speech)


def fit_offset(cues: Sequence[Cue], speech: NDArray[np.floating], rate: float) -> Fit:
    """The likeliest offset where the rate is known: of some cues among others."""
    found = _along(_pieces(cues), edges_of(_coarse(speech), round(EDGE_S / STEP_S)), rate, 0.0)
    return _fine(found, cues, speech)


@dataclass(frozen=True)
class _Piece:
    """Events of some minutes of captions: when, and how much each says (ends negative)."""

    times: Floats
    weights: Floats


def _pieces(cues: Sequence[Cue]) -> list[_Piece]:
    starts = np.array([cue.start_s for cue in cues], np.float64)
    ends = np.array([cue.end_s for cue in cues], np.float64)
    # Where one follows another at once, the end of the first is the beginning of the second and nothing else.
    real = np.append(starts[1:] - ends[:-1] > EDGE_S, True)
    times = np.concatenate([starts, ends[real]])
    weights = np.concatenate([np.ones(len(starts)), np.full(int(real.sum()), -END)])
    order = np.argsort(times, kind="stable")
    order = order[:: -(-len(order) // EVENTS)]
    times, weights = times[order], weights[order]
    which = np.floor(times / PIECE_S).astype(int)
    return [_Piece(times[which == n], weights[which == n]) for n in np.unique(which)]


def _coarse(speech: NDArray[np.floating]) -> Floats:
    whole = speech[: len(speech) // STEP * STEP].astype(np.float64)
    return np.asarray(whole.reshape(-1, STEP).mean(axis=1))


def edges_of(speech: Floats, reach: int) -> Floats:
    """At each place how much more speech follows than came before, −1 to 1; around the recording nobody speaks."""
    total = np.concatenate([[0.0], np.cumsum(np.pad(speech, reach))])
    before, after = total[reach:-reach] - total[: -2 * reach], total[2 * reach :] - total[reach:-reach]
    return np.asarray(after - before) / reach


def _correlated(piece: _Piece, edges: Floats, rate: float, reach: int, step_s: float = STEP_S) -> Floats:
    """The evidence of a piece at each offset from −reach to reach steps."""
    total = np.zeros(2 * reach + 1)
    for at, weight in zip(np.rint(piece.times * rate / step_s).astype(int), piece.weights, strict=True):
        first, last = max(at - reach, 0), min(at + reach + 1, len(edges))
        if first < last:
            total[first - at + reach : last - at + reach] += weight * edges[first:last]
    return total


def _certainty(total: Floats) -> Floats:
    """Deviations from what all offsets give; the peak itself does not count as noise."""
    spread = float(np.sqrt(np.mean(np.square(np.clip(total - np.median(total), *_bounds(total))))))
    return np.asarray((total - np.median(total)) / max(spread, 1e-9))


def _bounds(total: Floats) -> tuple[float, float]:
    low, high = np.percentile(total - np.median(total), (1, 99))
    return float(low), float(high)


def _standing(pieces: Sequence[_Piece], edges: Floats) -> Fit:
    reach = round(REACH_S / STEP_S)
    total = _certainty(sum((_correlated(piece, edges, 1.0, reach) for piece in pieces), np.zeros(2 * reach + 1)))
    near = round(AS_IS_S / STEP_S)
    return Fit(0.0, 1.0, float(total[reach - near : reach + near + 1].max()))


def _along(pieces: Sequence[_Piece], edges: Floats, rate: float, width: float) -> Fit:
    """The best offset and rate within `width` of a rate."""
    reach = round(REACH_S / STEP_S)
    last_s = float(pieces[-1].times[-1])
    slack = int(np.ceil(width * last_s / STEP_S)) + 1
    curves = [_correlated(piece, edges, rate, reach + slack) for piece in pieces]
    middles = [float(piece.times.mean()) for piece in pieces]
    best = Fit(0.0, rate, -np.inf)
    for more in _steps(width, last_s):
        total = np.zeros(2 * reach + 1)
        for curve, middle_s in zip(curves, middles, strict=True):
            shift = slack + round(more * middle_s / STEP_S)
            total += curve[shift : shift + len(total)]
        sure = _certainty(total)
        place = int(np.argmax(sure))
        if sure[place] > best.certainty:
            best = Fit((place - reach) * STEP_S, rate + more, float(sure[place]))
    return best


def _steps(width: float, last_s: float) -> Iterator[float]:
    """Changes of a rate that move the last cue by a step each."""
    count = int(np.ceil(width * last_s / (2 * STEP_S)))
    yield from (width * n / max(count, 1) for n in range(-count, count + 1))


def _fine(found: Fit, cues: Sequence[Cue], speech: NDArray[np.floating]) -> Fit:
    """The offset to a frame."""
    edges = edges_of(np.asarray(speech, np.float64), round(EDGE_S / FRAME_S))
    reach = round(2 * STEP_S / FRAME_S)
    total = np.zeros(2 * reach + 1)
    for piece in _pieces(cues):
        moved = _Piece(piece.times + found.offset_s / found.rate, piece.weights)
        total += _correlated(moved, edges, found.rate, reach, FRAME_S)
    place = int(np.argmax(total))
    return Fit(round(found.offset_s + (place - reach) * FRAME_S, 3), found.rate, found.certainty)
