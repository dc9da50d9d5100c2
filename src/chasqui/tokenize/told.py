"""What analyze told of the recording, as tokens need it: how its cepstra lie, its levels and pitch, where speech is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chasqui.tokenize.listen import CEPSTRA
from chasqui.tokenize.units import Likeness

#: What features.npz calls speech, and the length of one step of its probability of speech.
SPEECH = 1
CHUNK_S = 0.032
#: Silero's own threshold.
SPOKEN = 128


@dataclass(frozen=True)
class Told:
    """Rows of segments by name, and how likely speech is every 32 ms."""

    columns: dict[str, NDArray[np.float64]]  # of the segments with speech, [segments]
    weight: NDArray[np.float64]  # frames with something in them, [segments]
    speech: NDArray[np.bool_]  # [chunks of 32 ms]

    def mean(self, name: str) -> float:
        """Mean of a column over the speech, 0 where there is none."""
        return float(np.average(self.columns[name], weights=self.weight)) if self.weight.sum() else 0.0

    def likeness(self) -> Likeness | None:
        """Mean and deviation of the cepstra over all speech; None where there is none."""
        if not self.weight.sum():
            return None
        means = np.stack([self.columns[f"mfcc_{index:02d}_mean"] for index in range(CEPSTRA)], axis=1)
        spreads = np.stack([self.columns[f"mfcc_{index:02d}_std"] for index in range(CEPSTRA)], axis=1)
        mean = np.average(means, axis=0, weights=self.weight)
        square = np.average(spreads**2 + means**2, axis=0, weights=self.weight)
        deviation = np.sqrt(np.maximum(square - mean**2, 0))
        return Likeness(mean.astype(np.float32), deviation.astype(np.float32))

    def spoken(self, start_s: float, count: int, step_s: float) -> NDArray[np.bool_]:
        """Whether somebody speaks at each of `count` moments."""
        chunks = ((start_s + step_s * np.arange(count)) / CHUNK_S).astype(int)
        inside = (chunks >= 0) & (chunks < len(self.speech))
        return inside & self.speech[np.clip(chunks, 0, max(len(self.speech) - 1, 0))] if self.speech.size else inside


def read(features: Path) -> Told:
    """What stands in a features.npz."""
    with np.load(features, allow_pickle=False) as file:
        names: list[str] = [str(name) for name in file["names"]]
        kind, packets = file["kind"], file["packets"]
        rows: NDArray[Any] = np.asarray(file["values"], np.float64)[kind == SPEECH]
        weight = packets[kind == SPEECH].astype(np.float64)
        speech = np.asarray(file["speech_probability"]) >= SPOKEN
    columns = {name: rows[:, place] for place, name in enumerate(names)}
    return Told(columns, weight * columns["active_share"], speech)
