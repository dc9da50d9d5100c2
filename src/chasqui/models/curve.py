"""What one segment will probably score at every rung, how sure that is, and what a measurement changes about it.

The prediction is a Gaussian over all metrics and rungs at once. What a model gets wrong about a segment it gets wrong
at every rung in much the same way, so one measurement tells about all rungs: conditioning on it (Rasmussen & Williams
2006, eq. A.6) moves the whole curve and narrows it. ESTOI is handled in logits, ViSQOL in points.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from chasqui.codecs.opus import RUNGS, ladder
from chasqui.metrics.targets import Target
from chasqui.models.card import Card, Metric
from chasqui.records import Forecast, Kind, Scores

Floats = NDArray[np.float64]

#: The bound that a forecast gives beside what it expects: reached with this probability.
LOW = 0.9
#: Below this rate libopus codes voice in narrowband by itself: ESTOI falls where wideband begins, so scores rise with
#: the rate within each of the two, not across.
WIDEBAND_BPS = 9_000
#: A trial and the joined stream differ by about this much (standard deviation): logits of ESTOI, points of ViSQOL.
NOISE: dict[Metric, float] = {"estoi": 0.012, "visqol": 0.02}


@dataclass(frozen=True)
class Curve:
    """Prediction for one segment. Arrays count metrics in the card's order, rungs from cheap to dear."""

    card: Card
    mean: Floats  # [metrics, rungs]
    covariance: Floats  # [metrics × rungs, metrics × rungs]
    sizes: Floats  # [rungs]: expected payload bytes of the segment
    difficulty: float = 1.0  # scale of the deviations, against a usual segment

    @property
    def kind(self) -> Kind:
        """The kind of segment this is for."""
        return self.card.kind

    def scores(self, rung: str) -> Scores:
        """Expected scores at a rung."""
        column = self.mean[:, self.card.rungs.index(rung)]
        values = {
            metric: natural(metric, float(value)) for metric, value in zip(self.card.metrics, column, strict=True)
        }
        return Scores(estoi=values.get("estoi"), visqol=values.get("visqol"))

    def deviations(self) -> Floats:
        """Standard deviations, shape [metrics, rungs]."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 0.0)).reshape(self.mean.shape)

    def low(self, level: float) -> Floats:
        """What is reached with probability `level`, shape [metrics, rungs]."""
        tails = np.array([np.interp(1 - level, _odds(len(q)), q) for q in self._tails()])
        return self.mean + tails[:, None] * self.deviations()

    def chance(self, target: Target) -> Floats:
        """Probability that each rung keeps the target, shape [rungs]."""
        chance = np.ones(len(self.card.rungs))
        spread = np.maximum(self.deviations(), 1e-6)
        for row, (metric, tail) in enumerate(zip(self.card.metrics, self._tails(), strict=True)):
            threshold = wanted(target, self.card.kind, metric)
            if threshold is not None:
                lacking = (working(metric, threshold) - self.mean[row]) / spread[row]
                chance *= 1 - _below(lacking, tail)
        return chance

    def given(self, rung: str, scores: Scores) -> Curve:
        """The curve after these scores were measured at a rung; a metric that was not measured changes nothing."""
        at = self.card.rungs.index(rung)
        values = [(row, metric, getattr(scores, metric)) for row, metric in enumerate(self.card.metrics)]
        seen = [(row, metric, float(value)) for row, metric, value in values if value is not None]
        if not seen:
            return self
        index = np.array([row * len(self.card.rungs) + at for row, _, _ in seen])
        found = np.array([working(metric, value) for _, metric, value in seen])
        noise = np.diag([NOISE[metric] ** 2 for _, metric, _ in seen])
        gain = np.linalg.solve(self.covariance[np.ix_(index, index)] + noise, self.covariance[index]).T
        mean = self.mean.reshape(-1) + gain @ (found - self.mean.reshape(-1)[index])
        covariance = self.covariance - gain @ self.covariance[index]
        return replace(self, mean=rising(mean.reshape(self.mean.shape), self.card.kind), covariance=covariance)

    def _tails(self) -> list[tuple[float, ...]]:
        return [self.card.quantiles[metric] for metric in self.card.metrics]


def predicted(card: Card, outputs: Floats, seconds: float) -> Curve:
    """The curve of a segment of that length, from what its model put out (see `Card.outputs`)."""
    rungs, metrics = len(card.rungs), len(card.metrics)
    mean = outputs[: metrics * rungs].reshape(metrics, rungs).astype(np.float64)
    sizes = np.exp(np.clip(outputs[metrics * rungs : -1], 0, 12)) * seconds
    difficulty = float(np.exp(np.clip(outputs[-1], -1.5, 1.5)))  # a model may not call itself certain
    growing = np.maximum.accumulate(sizes.astype(np.float64))
    return Curve(card, rising(mean, card.kind), card.matrix * difficulty**2, growing, difficulty)


def forecast(curve: Curve, target: Target) -> Forecast:
    """A fresh curve as it travels, with its chances of keeping a target."""
    rows = dict(zip(curve.card.metrics, curve.mean, strict=True))
    lows = dict(zip(curve.card.metrics, curve.low(LOW), strict=True))

    def people(metric: Metric, row: Floats) -> tuple[float, ...]:
        return tuple(natural(metric, float(value)) for value in row)

    return Forecast(
        model=curve.card.title,
        estoi=people("estoi", rows["estoi"]) if "estoi" in rows else None,
        estoi_low=people("estoi", lows["estoi"]) if "estoi" in lows else None,
        visqol=people("visqol", rows["visqol"]),
        visqol_low=people("visqol", lows["visqol"]),
        bytes=tuple(round(float(size)) for size in curve.sizes),
        chance=tuple(round(float(chance), 4) for chance in curve.chance(target)),
        difficulty=round(curve.difficulty, 4),
    )


def again(told: Forecast, card: Card) -> Curve:
    """The curve of a forecast that this card's model made."""
    mean = np.array(
        [[working(metric, value) for value in getattr(told, metric)] for metric in card.metrics], np.float64
    )
    return Curve(card, mean, card.matrix * told.difficulty**2, np.array(told.bytes, np.float64), told.difficulty)


def rising(mean: Floats, kind: Kind) -> Floats:
    """Curves of shape [..., rungs] that never fall with the rate, within narrowband and within wideband."""
    edges = [0, *_wideband(kind), mean.shape[-1]]
    parts = [np.maximum.accumulate(mean[..., a:b], axis=-1) for a, b in pairwise(edges)]
    return np.concatenate(parts, axis=-1)


def _wideband(kind: Kind) -> list[int]:
    rungs = ladder("audio" if kind == "music" else "voip")
    first = next(index for index, rung in enumerate(rungs) if rung.bitrate_bps >= WIDEBAND_BPS)
    return [first] if rungs[0].application == "voip" else []


def wanted(target: Target, kind: Kind, metric: Metric) -> float | None:
    """The threshold of a target for one metric, None where it asks for nothing."""
    if kind == "music":
        return target.music_visqol if metric == "visqol" else None
    return target.speech_estoi if metric == "estoi" else target.speech_visqol


def working(metric: Metric, value: float) -> float:
    """A score in the space where errors are about equally large everywhere."""
    if metric == "visqol":
        return value
    p = min(max(value, 0.01), 0.999)
    return float(np.log(p / (1 - p)))


def natural(metric: Metric, value: float) -> float:
    """A score as people know it: the way back."""
    if metric == "visqol":
        return round(min(max(value, 1.0), 5.0), 3)
    return round(float(1 / (1 + np.exp(-value))), 4)


def _odds(count: int) -> Floats:
    """The probabilities at which a card's quantiles stand: (i + 1) / (count + 1), as n calibration points would."""
    return np.arange(1, count + 1) / (count + 1)


def _below(values: Floats, tail: tuple[float, ...]) -> Floats:
    """Share of calibration residuals below each value; beyond the last quantile it goes on falling off as a Gaussian
    does.
    """
    quantiles = np.array(tail)
    inside = np.interp(values, quantiles, _odds(len(tail)))
    edge = 1 / (len(tail) + 1)
    low = edge * np.exp(-0.5 * np.maximum(values**2 - quantiles[0] ** 2, 0))
    high = 1 - edge * np.exp(-0.5 * np.maximum(values**2 - quantiles[-1] ** 2, 0))
    return np.where(values < quantiles[0], low, np.where(values > quantiles[-1], high, inside))


def cheaper(rung: str, than: str) -> bool:
    """Whether one rung of a ladder stands below another."""
    return RUNGS[rung].bitrate_bps < RUNGS[than].bitrate_bps
