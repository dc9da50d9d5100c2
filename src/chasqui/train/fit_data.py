"""What a sweep measured, as arrays: one line per segment, every rung of its ladder in it.

A sweep may still be running, or may have been cut off: segments that lack a rung are left out and counted. A number
that is not finite among the features leaves its segment out too: the shipped models take the constant rung there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from chasqui.codecs.opus import ladder
from chasqui.errors import BadTraining
from chasqui.models.card import METRICS, Metric
from chasqui.models.curve import working

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Part = Literal["fit", "calibrate", "test"]
ModelKind = Literal["speech", "music"]
KINDS: tuple[ModelKind, ...] = ("speech", "music")

#: Where a segment comes from, as far as a sweep tells.
ABOUT = (
    "take_id", "source", "speaker", "corpus", "licence", "language", "content", "treatment", "noise", "mixed_snr_db",
    "room", "bed", "denoised",
)  # fmt: skip
NEEDED = ("segment_id", "group", "kind", "seconds", "split")
ROW = ("segment_id", "rung", "bytes", "estoi", "visqol")
PARTS: tuple[Part, ...] = ("fit", "calibrate", "test")
#: Fewer segments than this in a part say nothing about it.
FEWEST = {"fit": 20, "calibrate": 8, "test": 4}


@dataclass(frozen=True)
class Data:
    """Measured segments of one kind."""

    kind: ModelKind
    ids: tuple[str, ...]
    feature_version: str
    names: tuple[str, ...]  # of the features
    features: Floats  # [segments, features]
    scores: Floats  # [segments, metrics, rungs] as people know them
    bytes: Floats  # [segments, rungs]
    seconds: Floats  # [segments]
    part: NDArray[np.str_]  # [segments]
    group: NDArray[np.str_]  # [segments]
    about: dict[str, NDArray[Any]]  # [segments] each
    left_out: dict[str, int]  # segments by reason

    @property
    def rungs(self) -> tuple[str, ...]:
        """Names of the rungs, cheap to dear."""
        return rungs_of(self.kind)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics, in a card's order."""
        return METRICS[self.kind]

    @property
    def aims(self) -> Floats:
        """What a model shall predict, shape [segments, metrics × rungs + rungs]: scores in the working space, then
        ln(payload bytes per second).
        """
        worked = [
            np.vectorize(lambda v, m=metric: working(m, v))(self.scores[:, row])
            for row, metric in enumerate(self.metrics)
        ]
        return np.concatenate([*worked, np.log(self.bytes / self.seconds[:, None])], axis=1)

    def where(self, chosen: Flags) -> Data:
        """Only some of the segments."""
        ids = tuple(name for name, keep in zip(self.ids, chosen, strict=True) if keep)
        fields = {
            name: getattr(self, name)[chosen] for name in ("features", "scores", "bytes", "seconds", "part", "group")
        }
        return replace(self, ids=ids, about={name: values[chosen] for name, values in self.about.items()}, **fields)

    def of(self, part: Part) -> Data:
        """The segments of one part of the split."""
        return self.where(self.part == part)

    def __len__(self) -> int:
        return len(self.ids)


def rungs_of(kind: ModelKind) -> tuple[str, ...]:
    """The ladder for a kind of segment, cheap to dear."""
    return tuple(rung.name for rung in ladder("audio" if kind == "music" else "voip"))


def read(sweep: Path, kind: ModelKind) -> Data:
    """The complete segments of one kind in a sweep's folder.

    Raises:
        BadTraining: no sweep there, columns or whole parts are missing, too few segments.
    """
    segments, rows = table(sweep / "segments.parquet", NEEDED), table(sweep / "rows.parquet", ROW)
    told = facts(sweep)
    names = tuple(told["features"])
    if lacking := [name for name in names if name not in segments]:
        raise BadTraining(path=str(sweep / "segments.parquet"), why=lacks(lacking))
    mine = np.flatnonzero(segments["kind"] == kind)
    ids = segments["segment_id"][mine]
    scores, sizes = _measured(rows, ids, kind)
    features = np.stack([segments[name][mine] for name in names], axis=1).astype(np.float64)
    whole, finite, scored = _finite(sizes), _finite(features), _finite(scores)
    data = Data(
        kind=kind,
        ids=tuple(map(str, ids)),
        feature_version=told["feature_version"],
        names=names,
        features=features,
        scores=scores,
        bytes=sizes,
        seconds=segments["seconds"][mine].astype(np.float64),
        part=segments["split"][mine].astype(str),
        group=segments["group"][mine].astype(str),
        about={name: segments[name][mine] for name in ABOUT if name in segments},
        left_out={
            "rungs missing": int((~whole).sum()),
            "not scored": int((whole & ~scored).sum()),
            "features not finite": int((whole & scored & ~finite).sum()),
        },
    )
    return checked(data.where(whole & scored & finite), sweep)


def checked(data: Data, sweep: Path) -> Data:
    """The data, if every part of the split holds enough of it, and no group stands on two sides.

    Raises:
        BadTraining: otherwise.
    """
    left = ", ".join(f"{count} left out ({why})" for why, count in data.left_out.items() if count)
    for part in PARTS:
        found = int((data.part == part).sum())
        if found < FEWEST[part]:
            why = (
                f"{found} whole {data.kind} segments of {len(set(data.group[data.part == part]))} groups to {part} with"
            )
            why = f"{why}, {FEWEST[part]} are needed"
            raise BadTraining(path=str(sweep), why=f"{why}; {left}" if left else why)
    sides: dict[str, set[str]] = {}
    for group, part in zip(data.group, data.part, strict=True):
        sides.setdefault(str(group), set()).add(str(part))
    if torn := [group for group, parts in sides.items() if len(parts) > 1]:
        raise BadTraining(path=str(sweep), why=f"group {torn[0]} stands on more than one side of the split")
    return data


def _measured(rows: dict[str, NDArray[Any]], ids: NDArray[Any], kind: ModelKind) -> tuple[Floats, Floats]:
    """Scores [segments, metrics, rungs] and bytes [segments, rungs], NaN where the sweep has none."""
    rungs, metrics = rungs_of(kind), METRICS[kind]
    line, column = {name: i for i, name in enumerate(ids)}, {name: i for i, name in enumerate(rungs)}
    at = [(line.get(s, -1), column.get(r, -1)) for s, r in zip(rows["segment_id"], rows["rung"], strict=True)]
    places = np.array(at, np.int64).reshape(-1, 2)
    known = (places >= 0).all(axis=1)
    x, y = places[known].T
    scores = np.full((len(ids), len(metrics), len(rungs)), np.nan)
    sizes = np.full((len(ids), len(rungs)), np.nan)
    sizes[x, y] = rows["bytes"][known].astype(np.float64)
    for row, metric in enumerate(metrics):
        scores[x, row, y] = rows[metric][known].astype(np.float64)
    return scores, sizes


def table(path: Path, needed: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """The columns of a Parquet file; nulls among numbers come as NaN."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise BadTraining(path=str(path), why=f"no whole Parquet file: {error}") from error
    if lacking := [name for name in needed if name not in table.column_names]:
        raise BadTraining(path=str(path), why=lacks(lacking))
    return {name: table.column(name).to_numpy() for name in table.column_names}


def _finite(values: Floats) -> Flags:
    """Which lines hold only numbers."""
    return np.asarray(np.isfinite(values).all(axis=tuple(range(1, values.ndim))), np.bool_)


def lacks(names: list[str]) -> str:
    """How it is said that columns are lacking."""
    return f"columns are missing: {', '.join(names[:5])}"


def facts(sweep: Path) -> dict[str, Any]:
    """What a sweep says about itself, with version and names of its features.

    Raises:
        BadTraining: it says nothing, or lacks those.
    """
    path = sweep / "sweep.json"
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return told | {"feature_version": str(told["feature_version"]), "features": list(map(str, told["features"]))}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadTraining(path=str(path), why=f"it does not say which features were swept ({error})") from error
