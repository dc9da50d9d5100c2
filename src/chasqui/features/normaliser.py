"""Numbers of any size brought to mean 0 and deviation 1, as they were over many recordings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chasqui.errors import BadConfig, BadModel
from chasqui.features.arrays import Array, namespace, numpy_of, table

VERSION = 1
CONSTANT = 1e-6  # a deviation this small against the mean is rounding: such a column is only shifted


@dataclass(frozen=True)
class Normaliser:
    """Mean and scale per column, to be stored beside a model: (x − mean) / scale, cut off at ±`limit`."""

    names: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    count: int  # rows it was fitted on
    limit: float = 8.0  # no trained model knows what lies further out

    @staticmethod
    def fit(names: Sequence[str], batches: Iterable[Any], limit: float = 8.0) -> Normaliser:
        """From batches of rows [rows, columns], read one after the other and forgotten (Chan et al. 1979).

        Raises:
            BadConfig: no row at all, rows of another width, or numbers that are not finite (named by column).
        """
        count, mean, square = 0, np.zeros(len(names)), np.zeros(len(names))
        for batch in batches:
            rows = _as_rows(batch, names)
            if not len(rows):
                continue
            here, total = rows.mean(axis=0), count + len(rows)
            gap = here - mean
            square += ((rows - here) ** 2).sum(axis=0) + gap**2 * count * len(rows) / total
            mean += gap * len(rows) / total
            count = total
        if not count:
            raise BadConfig(why="a normaliser needs at least one row")
        spread = np.sqrt(square / count)
        scale = np.where(spread > CONSTANT * np.maximum(np.abs(mean), 1.0), spread, 1.0)
        return Normaliser(tuple(names), tuple(mean.tolist()), tuple(scale.tolist()), count, limit)

    def apply(self, rows: Array) -> Array:
        """[..., columns] normalised, float32, of the same library and on the same device.

        Raises:
            BadConfig: another number of columns.
        """
        if rows.shape[-1] != len(self.names):
            raise BadConfig(why=f"{rows.shape[-1]} columns were given and {len(self.names)} are known")
        xp = namespace(rows)
        mean, scale = (table(rows, _vector, values) for values in (self.mean, self.scale))
        scaled = (xp.astype(rows, xp.float64) - mean) / scale
        return xp.astype(xp.clip(scaled, -self.limit, self.limit), xp.float32)

    def save(self, path: Path) -> None:
        """Write JSON."""
        path.write_text(json.dumps(self.to_json(), indent=1) + "\n", encoding="utf-8")

    def to_json(self) -> dict[str, Any]:
        """What stands in the file; also fit to be part of another one."""
        columns = {"names": list(self.names), "mean": list(self.mean), "scale": list(self.scale)}
        return {"version": VERSION, "count": self.count, "limit": self.limit, **columns}

    @staticmethod
    def load(path: Path) -> Normaliser:
        """Read what `save` wrote.

        Raises:
            BadModel: not such a file, of another version, or with numbers that cannot be.
        """
        try:
            return Normaliser.from_json(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadModel(path=path.name, why=f"{type(error).__name__}: {error}") from error

    @staticmethod
    def from_json(said: dict[str, Any]) -> Normaliser:
        """What `to_json` gave.

        Raises:
            ValueError, KeyError, TypeError: it is something else.
        """
        if said["version"] != VERSION:
            raise ValueError(f"version {said['version']} is not {VERSION}")
        mean, scale = (tuple(float(number) for number in said[key]) for key in ("mean", "scale"))
        names = tuple(str(name) for name in said["names"])
        if not len(names) == len(mean) == len(scale):
            raise ValueError("names, mean and scale differ in length")
        if not (np.isfinite(mean).all() and np.isfinite(scale).all() and min(scale, default=1) > 0):
            raise ValueError("a mean or scale is not a number, or a scale is not positive")
        return Normaliser(names, mean, scale, int(said["count"]), float(said["limit"]))


def _as_rows(batch: Any, names: Sequence[str]) -> np.ndarray[Any, Any]:
    rows = numpy_of(batch).astype(np.float64)
    if rows.ndim != 2 or rows.shape[1] != len(names):
        raise BadConfig(why=f"rows of shape {rows.shape} do not have {len(names)} columns")
    wrong = np.flatnonzero(~np.isfinite(rows).all(axis=0))
    if wrong.size:
        raise BadConfig(why=f"the column {names[wrong[0]]!r} holds NaN or infinity")
    return rows


def _vector(values: tuple[float, ...]) -> np.ndarray[Any, Any]:
    return np.array(values, np.float64)
