"""The named promises, as a versioned table, and which of them a segment's scores keep.

Thresholds for speech: ESTOI 0.80 is where nearly every word is still understood; ViSQOL (speech mode, lattice mapping)
3.0 is "fair" and 3.5 halfway to "good" on the listening scale. Music has no words to lose: ViSQOL in audio mode, where
2.5 is still the tune, 3.5 pleasant. Silence keeps every promise.
"""

from __future__ import annotations

from dataclasses import dataclass

from chasqui.records import Kind, Scores, TargetName

TARGETS_VERSION = "targets-1"


@dataclass(frozen=True)
class Target:
    """What each segment must reach, against the master."""

    name: TargetName
    speech_estoi: float
    speech_visqol: float | None
    music_visqol: float


TARGETS: dict[TargetName, Target] = {
    "understood": Target("understood", speech_estoi=0.80, speech_visqol=None, music_visqol=2.5),
    "comfortable": Target("comfortable", speech_estoi=0.80, speech_visqol=3.0, music_visqol=3.5),
    "clear": Target("clear", speech_estoi=0.85, speech_visqol=3.5, music_visqol=4.0),
}

#: One step of margin: differences smaller than this are noise of the measurement (other decoder, other priming).
ESTOI_STEP = 0.01
VISQOL_STEP = 0.1


def margin(target: Target, kind: Kind, scores: Scores) -> float:
    """How far the scores lie above (positive) or below the target, in steps, by the metric that is worst off.

    Silence, and scores that could not be measured because there was nothing to compare, count as 0: neither kept by a
    margin nor missed. Only what was measured counts; ask `judged` whether that is all.
    """
    gaps = []
    if kind == "speech":
        if scores.estoi is not None:
            gaps.append((scores.estoi - target.speech_estoi) / ESTOI_STEP)
        if scores.visqol is not None and target.speech_visqol is not None:
            gaps.append((scores.visqol - target.speech_visqol) / VISQOL_STEP)
    elif kind == "music" and scores.visqol is not None:
        gaps.append((scores.visqol - target.music_visqol) / VISQOL_STEP)
    return min(gaps, default=0.0)


def keeps(target: Target, kind: Kind, scores: Scores) -> bool:
    """Whether scores of a segment of this kind reach the target. What was left out is not claimed."""
    return judged(target, kind, scores) and margin(target, kind, scores) >= 0


def judged(target: Target, kind: Kind, scores: Scores) -> bool:
    """Whether everything that the target asks for was looked at."""
    return kind != "speech" or target.speech_visqol is None or not scores.visqol_skipped


def best_kept(kind: Kind, scores: Scores) -> TargetName | None:
    """The highest promise these scores keep."""
    kept = [target.name for target in TARGETS.values() if keeps(target, kind, scores)]
    return kept[-1] if kept else None
