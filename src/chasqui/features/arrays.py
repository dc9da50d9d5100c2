"""What the array-API standard leaves open: tables on the right device, one FFT per library, frames, percentiles.

Everything in this room is written against that standard, through `array_api_compat`, so that NumPy, PyTorch (CPU or
CUDA) and CuPy run the same lines. Two exceptions, for NumPy arrays: their FFT is SciPy's, which transforms many rows at
once, six times faster than NumPy's own, and their frames are views.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import array_api_compat
import numpy as np
from scipy import fft as scipy_fft

#: An array of any library of the standard.
Array = Any


def namespace(x: Array) -> Any:
    """The functions that work on arrays like `x`."""
    return array_api_compat.array_namespace(x)


def table(like: Array, make: Callable[..., np.ndarray[Any, Any]], *args: Any) -> Array:
    """What `make(*args)` gives, as an array of the library and on the device of `like`. Made and moved once."""
    if array_api_compat.is_numpy_array(like):
        return _made(make, args)
    return _placed(make, args, namespace(like), array_api_compat.device(like))


@lru_cache(maxsize=256)
def _made(make: Callable[..., np.ndarray[Any, Any]], args: tuple[Any, ...]) -> np.ndarray[Any, Any]:
    values = make(*args)
    values.flags.writeable = False
    return values


@lru_cache(maxsize=256)
def _placed(make: Callable[..., np.ndarray[Any, Any]], args: tuple[Any, ...], xp: Any, device: Any) -> Array:
    return xp.asarray(_made(make, args).copy(), device=device)


def numpy_of(x: Array) -> np.ndarray[Any, Any]:
    """`x` as a NumPy array in this machine's memory."""
    if array_api_compat.is_torch_array(x):
        return np.asarray(x.detach().cpu())
    if array_api_compat.is_cupy_array(x):
        return np.asarray(x.get())
    return np.asarray(x)


def rfft(x: Array, n: int | None = None) -> Array:
    """Transform of real rows, over the last axis, zeros behind up to `n` samples."""
    if array_api_compat.is_numpy_array(x):
        return scipy_fft.rfft(x, n=n, axis=-1)
    return namespace(x).fft.rfft(x, n=n, axis=-1)


def irfft(x: Array, n: int) -> Array:
    """Back from `rfft`, `n` samples per row."""
    if array_api_compat.is_numpy_array(x):
        return scipy_fft.irfft(x, n=n, axis=-1)
    return namespace(x).fft.irfft(x, n=n, axis=-1)


def squared(spectrum: Array) -> Array:
    """|x|² of complex numbers."""
    xp = namespace(spectrum)
    real, imag = xp.real(spectrum), xp.imag(spectrum)
    return real * real + imag * imag


def frames(x: Array, size: int, hop: int, count: int, start: int = 0) -> Array:
    """[..., samples] → [..., count, size]: frame t begins at sample start + t·hop. All must lie inside."""
    if array_api_compat.is_numpy_array(x):  # without copying; never written to
        return np.lib.stride_tricks.sliding_window_view(x, size, axis=-1)[..., start:, :][..., : count * hop : hop, :]
    xp = namespace(x)
    taken = xp.take(x, table(x, _indices, size, hop, count, start), axis=-1)
    return xp.reshape(taken, (*x.shape[:-1], count, size))


def _indices(size: int, hop: int, count: int, start: int) -> np.ndarray[Any, Any]:
    return (start + np.arange(count)[:, None] * hop + np.arange(size)).reshape(-1)


def padded(x: Array, before: int, after: int) -> Array:
    """Zeros on both sides of the last axis."""
    xp = namespace(x)
    sides = (xp.zeros((*x.shape[:-1], n), dtype=x.dtype, device=array_api_compat.device(x)) for n in (before, after))
    left, right = sides
    return xp.concat([left, x, right], axis=-1)


def counted(like: Array, size: int) -> Array:
    """0, 1, … size − 1 as float32, beside `like`."""
    return table(like, _counting, size)


def _counting(size: int) -> np.ndarray[Any, Any]:
    return np.arange(size, dtype=np.float32)


def percentiles(x: Array, wanted: Sequence[float]) -> list[Array]:
    """Percentiles over axis 0, with linear interpolation between neighbours (NumPy's default)."""
    xp = namespace(x)
    ordered = xp.sort(x, axis=0, stable=False)
    return [_between(ordered, percent / 100 * (x.shape[0] - 1)) for percent in wanted]


def _between(ordered: Array, place: float) -> Array:
    low = int(place)
    share = place - low
    if share < 1e-9:
        return ordered[low, ...]
    return ordered[low, ...] * (1 - share) + ordered[low + 1, ...] * share
