"""The few numbers that tell one segment's curves from another's: principal components of everything a model predicts.

All segments share the shape of their curves; what differs lies in a handful of directions. Models learn those, weighted
so that an error in them costs what it costs in the scores.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chasqui.train.fit_data import Data, Floats

#: Share of what differs between segments that the components must carry, and how many there may be.
CARRIED, MOST = 0.985, 8
#: What counts how much: an error of the scores decides about rungs, one of the bytes only about which trial pays.
BYTES_WEIGHT = 0.5


@dataclass(frozen=True)
class Basis:
    """aims ≈ mean + coordinates @ directions."""

    mean: Floats  # [aims]
    directions: Floats  # [components, aims]
    spread: Floats  # [components]: standard deviation of the coordinates, largest first

    def coordinates(self, aims: Floats) -> Floats:
        """Where aims of shape [..., aims] lie, in standard deviations, shape [..., components]."""
        return (aims - self.mean) @ np.linalg.pinv(self.directions)

    def aims(self, coordinates: Floats) -> Floats:
        """The way back."""
        return self.mean + coordinates @ self.directions


def of(learn: Data) -> Basis:
    """The basis of the segments to learn from."""
    return basis(learn.aims, weights(len(learn.metrics), len(learn.rungs), learn.aims))


def basis(aims: Floats, weights: Floats, most: int = MOST) -> Basis:
    """The components of aims [segments, aims], each aim scaled by its weight first.

    Directions come scaled by the standard deviation of their coordinates, so that every coordinate has deviation 1.
    """
    mean = aims.mean(axis=0)
    scaled = (aims - mean) * weights
    _, strengths, directions = np.linalg.svd(scaled, full_matrices=False)
    carried = np.cumsum(strengths**2) / max(float(np.sum(strengths**2)), 1e-12)
    count = min(int(np.searchsorted(carried, CARRIED)) + 1, most, len(strengths))
    spread = strengths[:count] / np.sqrt(len(aims))
    return Basis(mean, directions[:count] * spread[:, None] / weights, spread)


def weights(metrics: int, rungs: int, aims: Floats) -> Floats:
    """How much each aim counts: scores by the deviation of their metric, bytes by half of theirs."""
    parts = aims.reshape(len(aims), metrics + 1, rungs)
    deviation = np.sqrt(np.maximum(parts.var(axis=0).mean(axis=1), 1e-6))
    share = np.array([1.0] * metrics + [BYTES_WEIGHT])
    return np.repeat(share / deviation, rungs)
