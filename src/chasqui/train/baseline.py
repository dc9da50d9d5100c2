"""What a model must beat: one rung for all, a rule of thumb, and the search with a mean curve that came before.

The first two are fitted like the models, on everything but the held-out recordings, and are not checked: what they pick
is what is published. The search measures, and so keeps its promise by what it spends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from chasqui.choose.opus import Trial, Tried, cheapest
from chasqui.choose.predictor import Offset
from chasqui.codecs.opus import RUNGS, Rung
from chasqui.metrics.targets import Target, keeps
from chasqui.train.fit_data import Data, Flags
from chasqui.train.simulate import Outcome, constant, measured, oracle

#: A cell of the rule with fewer segments than this goes with the constant rung.
CELL = 12
SNR, BANDWIDTH = "snr_db", "bandwidth_hz"
#: The search tries at most so many rungs, as `choose` does by default.
TRIALS = 4


@dataclass(frozen=True)
class Rule:
    """Quieter backgrounds and wider recordings get another rung: two thresholds, four cells."""

    snr_db: float
    bandwidth_hz: float
    rungs: tuple[str, str, str, str]  # noisy & narrow, noisy & wide, clean & narrow, clean & wide

    def pick(self, data: Data) -> list[str]:
        """The rung of each segment."""
        return [self.rungs[cell] for cell in _cells(data, self.snr_db, self.bandwidth_hz)]


def rule(data: Data, target: Target, share: float) -> Rule:
    """The thresholds that spend the fewest bytes while each cell keeps the target on this share of its segments."""
    snr, wide = (data.features[:, data.names.index(name)] for name in (SNR, BANDWIDTH))
    safe = constant(data, target, share)
    best: tuple[float, Rule] | None = None
    for level in np.unique(np.quantile(snr, np.linspace(0.1, 0.9, 9))):
        for width in np.unique(np.quantile(wide, (0.1, 0.3, 0.5, 0.7, 0.9))):
            cells = _cells(data, float(level), float(width))
            picked = [_cell(data, cells == cell, target, share, safe) for cell in range(4)]
            spent = sum(
                float(data.bytes[line, data.rungs.index(picked[cell])]) for line, cell in enumerate(cells.tolist())
            )
            if best is None or spent < best[0]:
                best = spent, Rule(float(level), float(width), (picked[0], picked[1], picked[2], picked[3]))
    if best is None:
        raise ValueError("no segments to make a rule of")
    return best[1]


def _cells(data: Data, snr_db: float, bandwidth_hz: float) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    snr, wide = (data.features[:, data.names.index(name)] for name in (SNR, BANDWIDTH))
    return np.asarray(2 * (snr >= snr_db) + (wide >= bandwidth_hz), np.int64)


def _cell(data: Data, inside: Flags, target: Target, share: float, safe: str) -> str:
    return constant(data.where(inside), target, share) if int(inside.sum()) >= CELL else safe


def fixed(data: Data, target: Target, rungs: Sequence[str]) -> list[Outcome]:
    """What comes of one encode per segment at these rungs, unchecked."""
    found = []
    for line, rung in enumerate(rungs):
        scores = measured(data, line, target)
        best, reachable = oracle(data, scores, data.bytes[line], target)
        kept = keeps(target, data.kind, scores[rung])
        found.append(Outcome(kept, kept, reachable, 1, float(data.bytes[line, data.rungs.index(rung)]), best))
    return found


def searched(data: Data, target: Target) -> list[Outcome]:
    """What the search does: trials until the rung asked for is one that was measured."""
    found = []
    for line in range(len(data)):
        scores = measured(data, line, target)
        sizes = dict(zip(data.rungs, data.bytes[line].tolist(), strict=True))

        def attempt(rung: Rung, quality: bool, scores=scores, sizes=sizes) -> Trial:  # type: ignore[no-untyped-def]
            return Trial(round(sizes[rung.name]), scores[rung.name], quality)

        tried = Tried(line, data.kind, Offset(), attempt)
        choice = cheapest(tried, target, TRIALS)
        best, reachable = oracle(data, scores, data.bytes[line], target)
        first = next(iter(tried.trials))
        found.append(
            Outcome(
                keeps(target, data.kind, scores[first]),
                keeps(target, data.kind, scores[choice.rung]),
                reachable,
                len(tried.trials),
                float(sizes[RUNGS[choice.rung].name]),
                best,
            )
        )
    return found


def exhaustive(data: Data, target: Target) -> list[Outcome]:
    """The oracle: every rung measured, the cheapest that keeps the target taken."""
    found = []
    for line in range(len(data)):
        best, reachable = oracle(data, measured(data, line, target), data.bytes[line], target)
        found.append(Outcome(reachable, reachable, reachable, len(data.rungs), best, best))
    return found
