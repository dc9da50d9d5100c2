"""What a rung will score before it is tried: mean curves, shifted to fit what was seen. The door for trained models.

The default is honest and simple. All segments share the shape of the curve (score over rung); they differ by an offset,
known from trials of the same segment (interpolated between rungs) or else guessed from the segments before it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from chasqui.codecs.opus import Rung, ladder
from chasqui.records import Kind, Scores

PREDICTOR_VERSION = "curve-1"

#: Mean (ESTOI, ViSQOL) per voice rung over 48 speech clips of 8 s from many speakers and languages, and mean ViSQOL
#: (audio mode) per audio rung over 24 music clips. Narrowband up to 8 kb/s, wideband above: see the jump of ViSQOL at
#: 9.
SPEECH: dict[str, tuple[float, float]] = {
    "voice-5": (0.732, 1.50),
    "voice-5.5": (0.771, 1.66),
    "voice-6": (0.809, 1.87),
    "voice-6.5": (0.828, 2.02),
    "voice-7": (0.846, 2.18),
    "voice-7.5": (0.861, 2.28),
    "voice-8": (0.875, 2.37),
    "voice-9": (0.862, 3.33),
    "voice-10": (0.886, 3.58),
    "voice-11": (0.900, 3.73),
    "voice-12": (0.915, 3.87),
    "voice-14": (0.934, 3.97),
    "voice-16": (0.947, 4.04),
    "voice-20": (0.964, 4.15),
    "voice-24": (0.974, 4.23),
    "voice-32": (0.986, 4.32),
    "voice-48": (0.993, 4.43),
}
MUSIC: dict[str, float] = {
    "audio-8": 2.63,
    "audio-10": 2.81,
    "audio-14": 4.02,
    "audio-16": 4.06,
    "audio-20": 4.13,
    "audio-24": 4.20,
    "audio-32": 4.30,
    "audio-40": 4.39,
    "audio-48": 4.47,
}


@dataclass(frozen=True)
class Offset:
    """How a segment (or a recording) lies above the mean curves: ESTOI in logits, ViSQOL in points."""

    estoi: float = 0.0
    visqol: float = 0.0


def rungs(kind: Kind) -> tuple[Rung, ...]:
    """The rungs a segment of this kind may take, cheap to dear."""
    return ladder("audio") if kind == "music" else ladder("voip")


def predict(kind: Kind, rung: Rung, seen: Mapping[str, Scores], prior: Offset) -> Scores:
    """Expected scores at a rung, given what was measured on this segment, and the prior where nothing was."""
    if rung.name in seen:
        return seen[rung.name]
    if kind == "silence":
        return Scores()
    offset = _between(kind, rung, seen) or prior
    if kind == "music":
        return Scores(visqol=_points(MUSIC[rung.name] + offset.visqol))
    estoi, visqol = SPEECH[rung.name]
    return Scores(estoi=round(_sigmoid(_logit(estoi) + offset.estoi), 4), visqol=_points(visqol + offset.visqol))


def offset(kind: Kind, rung: Rung, scores: Scores) -> Offset:
    """How far measured scores lie above the curve at this rung."""
    if kind == "music":
        return Offset(visqol=(scores.visqol or MUSIC[rung.name]) - MUSIC[rung.name])
    estoi, visqol = SPEECH[rung.name]
    return Offset(
        estoi=_logit(scores.estoi) - _logit(estoi) if scores.estoi is not None else 0.0,
        visqol=scores.visqol - visqol if scores.visqol is not None else 0.0,
    )


def _between(kind: Kind, rung: Rung, seen: Mapping[str, Scores]) -> Offset | None:
    """The offset at a rung from the trials around it: between two, linear in log bitrate; beyond the last, the last."""
    tried = [other for other in rungs(kind) if other.name in seen]
    below = [other for other in tried if other.bitrate_bps < rung.bitrate_bps]
    above = [other for other in tried if other.bitrate_bps > rung.bitrate_bps]
    if not tried:
        return None
    if not below or not above:
        nearest = below[-1] if below else above[0]
        return offset(kind, nearest, seen[nearest.name])
    low, high = below[-1], above[0]
    share = math.log(rung.bitrate_bps / low.bitrate_bps) / math.log(high.bitrate_bps / low.bitrate_bps)
    a, b = offset(kind, low, seen[low.name]), offset(kind, high, seen[high.name])
    return Offset(a.estoi + share * (b.estoi - a.estoi), a.visqol + share * (b.visqol - a.visqol))


def _points(mos: float) -> float:
    return round(min(max(mos, 1.0), 5.0), 3)


def _logit(p: float) -> float:
    p = min(max(p, 0.01), 0.999)
    return math.log(p / (1 - p))


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))
