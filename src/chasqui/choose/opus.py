"""Where Opus settings are chosen: the cheapest rung of a segment that reaches a target, by trial and interpolation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from chasqui.choose import predictor
from chasqui.codecs.opus import RUNGS, Rung
from chasqui.metrics.targets import Target, margin
from chasqui.models.policy import unscored
from chasqui.records import Choice, Kind, Scores

#: Margins thinner than this (in steps) are within the noise between a trial and the finished stream: encode looks
#: again.
THIN = 0.5


@dataclass(frozen=True)
class Trial:
    """One encode of one segment: payload bytes (lacing included) and scores."""

    bytes: int
    scores: Scores
    quality: bool = True  # ViSQOL was asked for, whether or not there was anything to score


Try = Callable[[Rung, bool], Trial]  # (rung, with ViSQOL?) → Trial


@dataclass
class Tried:
    """Everything known about one segment."""

    index: int
    kind: Kind
    prior: predictor.Offset
    attempt: Try | None
    trials: dict[str, Trial] = field(default_factory=dict)
    words: bool = False  # silence with a moment of speech in it

    @property
    def seen(self) -> dict[str, Scores]:
        return {name: trial.scores for name, trial in self.trials.items()}

    def close(self) -> None:
        """Let go of the sound: only what was measured is kept."""
        self.attempt = None

    def measure(self, rung: Rung, target: Target) -> Trial:
        """Try a rung, unless that was done with the metrics this target needs."""
        quality = self.kind == "music" or target.speech_visqol is not None
        known = self.trials.get(rung.name)
        if known is None or (quality and not known.quality):
            if self.attempt is None:
                raise RuntimeError("the search of this segment is over")
            self.trials[rung.name] = self.attempt(rung, quality)
        return self.trials[rung.name]


def cheapest(segment: Tried, target: Target, trials: int) -> Choice:
    """The cheapest rung that reaches the target on this segment.

    Each round asks the predictor for the cheapest rung that should reach it; a rung that was measured ends the search.
    """
    ladder = predictor.rungs(segment.kind)
    if segment.kind == "silence" and segment.words:
        return _unscored(segment, target)
    if segment.kind == "silence":
        return _choice(segment, ladder[0], segment.measure(ladder[0], target), target, "silence: the cheapest rung")
    for spent in range(trials + len(ladder)):
        guess = _guess(segment, target, ladder)
        if guess.name in segment.trials and _measured(segment, guess, target):
            break
        if spent >= trials and (best := _cheapest_kept(segment, target, ladder)):
            guess = best
            break
        trial = segment.measure(guess, target)
        if trial.scores == Scores():
            return _unscored(segment, target)
    return _explain(segment, guess, target)


def _guess(segment: Tried, target: Target, ladder: tuple[Rung, ...]) -> Rung:
    """The cheapest rung expected to reach the target; if there is none, the dearest."""
    for rung in ladder:
        if margin(target, segment.kind, predictor.predict(segment.kind, rung, segment.seen, segment.prior)) >= 0:
            return rung
    return ladder[-1]


def _measured(segment: Tried, rung: Rung, target: Target) -> bool:
    """Tried with every metric that the target judges."""
    return target.speech_visqol is None or segment.trials[rung.name].quality


def _cheapest_kept(segment: Tried, target: Target, ladder: tuple[Rung, ...]) -> Rung | None:
    tried = (rung for rung in ladder if rung.name in segment.trials)
    return next((rung for rung in tried if margin(target, segment.kind, segment.seen[rung.name]) >= 0), None)


def _explain(segment: Tried, rung: Rung, target: Target) -> Choice:
    trial = segment.measure(rung, target)
    if margin(target, segment.kind, trial.scores) >= 0:
        return _choice(
            segment, rung, trial, target, f"cheapest of {len(segment.trials)} rungs tried that keeps {target.name!r}"
        )
    best = _nearest(segment, target)
    why = f"no rung reaches {target.name!r} here; {best} comes nearest"
    return _choice(segment, RUNGS[best], segment.trials[best], target, why)


def _nearest(segment: Tried, target: Target) -> str:
    """The tried rung that comes nearest to a target out of reach; within a step of it, the cheapest."""
    margins = {name: margin(target, segment.kind, scores) for name, scores in segment.seen.items()}
    near = [name for name, above in margins.items() if above >= max(margins.values()) - 1]
    return min(near, key=lambda name: segment.trials[name].bytes)


def _unscored(segment: Tried, target: Target) -> Choice:
    rung = RUNGS[unscored(segment.kind, target)]
    why = "too little sound in it to be scored: a rung that is safe for most"
    return _choice(segment, rung, segment.measure(rung, target), target, why, doubtful=True)


def _choice(segment: Tried, rung: Rung, trial: Trial, target: Target, why: str, doubtful: bool = False) -> Choice:
    above = margin(target, segment.kind, trial.scores)
    return Choice(
        segment=segment.index,
        rung=rung.name,
        expected=trial.scores,
        measured=True,
        doubtful=doubtful or (segment.kind != "silence" and above < THIN),
        reachable=above >= 0,
        bytes=trial.bytes,
        why=why,
    )
