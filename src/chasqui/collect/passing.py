"""Statistics of rows that pass by once: histograms, the worst of a kind, outliers. None keeps more than a few rows."""

from __future__ import annotations

import heapq
import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

#: Rows told of each oddity and each reason: the worst of them.
SHOWN = 10
#: Standard deviations from the mean of its language at which a rate is an outlier, and rows that a mean needs.
FAR, ENOUGH = 3.5, 20


class Measure(NamedTuple):
    """What a histogram counts: a column, and the edges between its bins."""

    column: str
    edges: tuple[float, ...]
    unit: str


class Case(BaseModel):
    """One row that is pointed at."""

    model_config = ConfigDict(frozen=True)

    id: str
    path: str
    audio_path: str | None
    value: float | None
    message: str | None = None


class Cases(BaseModel):
    """How many rows share something, and the worst of them."""

    model_config = ConfigDict(frozen=True)

    key: str
    count: int
    worst: tuple[Case, ...]


class Histogram(BaseModel):
    """How often a column lies between which edges: one count more than edges. `missing`: rows that do not say."""

    model_config = ConfigDict(frozen=True)

    column: str
    unit: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    missing: int
    mean: float | None
    least: float | None
    most: float | None


class Bins:
    def __init__(self, measure: Measure) -> None:
        self.measure = measure
        self._counts = [0] * (len(measure.edges) + 1)
        self._missing, self._n, self._sum = 0, 0, 0.0
        self._least, self._most = math.inf, -math.inf

    def add(self, value: float | None) -> None:
        if value is None:
            self._missing += 1
            return
        self._counts[bisect_right(self.measure.edges, value)] += 1
        self._n += 1
        self._sum += value
        self._least, self._most = min(self._least, value), max(self._most, value)

    def histogram(self) -> Histogram:
        some = self._n > 0
        return Histogram(
            column=self.measure.column,
            unit=self.measure.unit,
            edges=self.measure.edges,
            counts=tuple(self._counts),
            missing=self._missing,
            mean=round(self._sum / self._n, 4) if some else None,
            least=round(self._least, 4) if some else None,
            most=round(self._most, 4) if some else None,
        )


class Worst:
    """The worst rows by a number, in a heap of fixed size; ties go by id, so that the order of rows says nothing."""

    def __init__(self) -> None:
        self.count = 0
        self._heap: list[tuple[float, str, Case]] = []

    def add(self, how: float, case: Case) -> None:
        self.count += 1
        entry = (how, case.id, case)
        if len(self._heap) < SHOWN:
            heapq.heappush(self._heap, entry)
        elif entry[:2] > self._heap[0][:2]:
            heapq.heapreplace(self._heap, entry)

    def cases(self, key: str) -> Cases:
        worst = sorted(self._heap, key=lambda entry: (-entry[0], entry[1]))
        return Cases(key=key, count=self.count, worst=tuple(case for _, _, case in worst))


class Rates:
    """Speaking rates of one language: mean and spread (Welford), and the extremes on both sides."""

    def __init__(self) -> None:
        self._n, self._mean, self._squares = 0, 0.0, 0.0
        self._slow, self._fast = Worst(), Worst()

    def add(self, rate: float, row: Mapping[str, Any]) -> None:
        self._n += 1
        step = rate - self._mean
        self._mean += step / self._n
        self._squares += step * (rate - self._mean)
        self._slow.add(-rate, case_of(row, rate))
        self._fast.add(rate, case_of(row, rate))

    def far(self) -> list[tuple[float, Case]]:
        if self._n < ENOUGH or not self._squares:
            return []
        spread = math.sqrt(self._squares / self._n)
        cases = {c.id: c for side in (self._slow, self._fast) for c in side.cases("rate").worst}
        off = [(abs((case.value or 0) - self._mean) / spread, case) for case in cases.values()]
        return [(far, case) for far, case in off if far > FAR]


def far_rates(rates: Iterable[Rates]) -> Cases:
    found = sorted((one for language in rates for one in language.far()), key=lambda one: (-one[0], one[1].id))
    return Cases(key="rate", count=len(found), worst=tuple(case for _, case in found[:SHOWN]))


def case_of(row: Mapping[str, Any], value: float | None) -> Case:
    shown = None if value is None else round(value, 3)
    return Case(id=row["id"], path=row["path"], audio_path=row["audio_path"], value=shown, message=row["message"])
