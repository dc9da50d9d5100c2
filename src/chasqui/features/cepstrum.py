"""Cepstra of log-mel bands, and how any columns change from frame to frame."""

from __future__ import annotations

from typing import Any

import numpy as np

from chasqui.features.arrays import Array, counted, namespace, table

Numbers = np.ndarray[Any, Any]


def mfcc(logs: Array, count: int) -> Array:
    """The first `count` cepstra of log-mel bands [..., bands]: orthonormal DCT-II, no liftering."""
    return logs @ table(logs, cosines, logs.shape[-1], count)


def cosines(bands: int, count: int) -> Numbers:
    """[bands, count]: the orthonormal DCT-II."""
    matrix = np.cos(np.pi / bands * (np.arange(bands)[:, None] + 0.5) * np.arange(count)) * np.sqrt(2 / bands)
    matrix[:, 0] /= np.sqrt(2)
    return np.asarray(matrix, np.float32)


def delta(columns: Array, reach: int = 4, order: int = 1) -> Array:
    """Change per frame of columns [..., frames, width]: a polynomial of degree `order` fitted to ±`reach` frames.

    Order 1 is the regression of HTK, order 2 its curvature (both as `librosa.feature.delta(width=2·reach + 1,
    mode="nearest")`). Beyond both ends the first and the last frame are repeated.
    """
    xp = namespace(columns)
    size = columns.shape[-2]
    first, last = columns[..., :1, :], columns[..., size - 1 :, :]
    wide = xp.concat([first] * reach + [columns] + [last] * reach, axis=-2)
    total = xp.zeros_like(columns)
    for shift, weight in enumerate(weights(reach, order)):
        if weight:
            total = total + wide[..., shift : shift + size, :] * weight
    return total


def weights(reach: int, order: int) -> tuple[float, ...]:
    """How much each of the 2·reach + 1 frames counts (Savitzky and Golay 1964)."""
    steps = np.arange(-reach, reach + 1)[:, None]
    fitted = np.linalg.pinv(steps ** np.arange(order + 1))[order] * (1, 1, 2)[order]
    return tuple(float(value) if abs(value) > 1e-12 else 0.0 for value in fitted)


def held(columns: Array, counts: Array) -> Array:
    """[clips, frames, width] with everything behind each clip's own `counts` replaced by its last frame, so that
    `delta` sees the end of a shorter clip as if it were alone."""
    xp = namespace(columns)
    number = counted(columns, columns.shape[1])[None, :, None]
    ends = counts[:, None, None] - 1
    last = xp.sum(xp.where(number == ends, columns, xp.zeros_like(columns)), axis=1, keepdims=True)
    return xp.where(number > ends, last, columns)
