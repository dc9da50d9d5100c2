"""Frames summed up: one row of numbers per clip."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from chasqui.errors import BadConfig
from chasqui.features.arrays import Array, namespace, percentiles
from chasqui.features.catalogue import CATALOGUE
from chasqui.features.extract import Frames

USUAL = ("mean", "std", "p05", "p50", "p95")


class Table(NamedTuple):
    """A row per clip. Columns are called feature_statistic, or feature_number_statistic where a feature is wide."""

    names: tuple[str, ...]
    values: Array  # [clips, columns]


def aggregate(frames: Frames, statistics: Sequence[str] = USUAL, *, prefix: str = "") -> Table:
    """Statistics over each clip's own frames; features per clip are taken as they are.

    `statistics`: mean, std, min, max, skew, kurtosis (0 for a Gaussian), range, and p00 to p100. Where nothing varies,
    skew and kurtosis are 0.

    Raises:
        BadConfig: an unknown statistic.
    """
    for name in statistics:
        _reader(name)
    rows: list[Array] = []
    columns: list[str] = []
    for clip in range(len(frames.counts)):
        parts, columns = [], []
        for name, value in frames.clip(clip).items():
            if CATALOGUE[name].grid == "clip":
                parts.append(value)
                columns += _columns(prefix + name, value.shape[-1], "")
                continue
            for statistic in statistics:
                parts.append(of(value, statistic))
                columns += _columns(prefix + name, value.shape[-1], "_" + statistic)
        rows.append(namespace(parts[0]).concat(parts))
    return Table(tuple(columns), namespace(rows[0]).stack(rows))


def of(values: Array, statistic: str) -> Array:
    """One statistic over axis 0 of values [frames, width].

    Raises:
        BadConfig: an unknown statistic.
    """
    return _reader(statistic)(values)


def skew(values: Array) -> Array:
    """Third standardised moment; 0 where nothing varies."""
    return _moment(values, 3)


def kurtosis(values: Array) -> Array:
    """Fourth standardised moment less 3; 0 where nothing varies."""
    xp = namespace(values)
    moment = _moment(values, 4)
    return xp.where(moment > 0, moment - 3.0, moment)


def _moment(values: Array, order: int) -> Array:
    xp = namespace(values)
    middle = xp.mean(values, axis=0)
    off = values - middle
    wide = xp.sqrt(xp.mean(off * off, axis=0))
    # What rounding leaves of a constant is no deviation.
    still = wide <= 1e-5 * xp.abs(middle) + 1e-20
    unit = off / xp.where(still, xp.ones_like(wide), wide)
    moment = xp.mean(unit**order, axis=0)
    return xp.where(still, xp.zeros_like(moment), moment)


def _std(values: Array) -> Array:
    return namespace(values).std(values, axis=0)


_NAMED: dict[str, Callable[[Array], Array]] = {
    "mean": lambda values: namespace(values).mean(values, axis=0),
    "std": _std,
    "min": lambda values: namespace(values).min(values, axis=0),
    "max": lambda values: namespace(values).max(values, axis=0),
    "range": lambda values: namespace(values).max(values, axis=0) - namespace(values).min(values, axis=0),
    "skew": skew,
    "kurtosis": kurtosis,
}


def _reader(statistic: str) -> Callable[[Array], Array]:
    if statistic in _NAMED:
        return _NAMED[statistic]
    found = re.fullmatch(r"p(\d{2}|100)", statistic)
    if found is None:
        known = ", ".join(_NAMED)
        raise BadConfig(why=f"there is no statistic {statistic!r}; known: {known}, and percentiles p00 to p100")
    percent = float(found[1])
    return lambda values: percentiles(values, (percent,))[0]


def _columns(name: str, width: int, ending: str) -> list[str]:
    if width == 1:
        return [name + ending]
    return [f"{name}_{number:0{max(2, len(str(width - 1)))}d}{ending}" for number in range(width)]
