"""The card of a fitted model: what it is wrong by, how to spend encodes, what it was made from. And its folder.

What is written was compared with what was fitted.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from chasqui.codecs.opus import LADDER_VERSION
from chasqui.errors import BadTraining
from chasqui.metrics.targets import TARGETS, TARGETS_VERSION
from chasqui.models.card import Card, Levels, Normaliser
from chasqui.train import export, fit_spread, simulate
from chasqui.train.fit_data import PARTS, Data, Floats
from chasqui.train.fit_phone import Small

#: A .tflite computes in float32 what was fitted in float64: outputs (logits, points, ln bytes) may differ by this.
TOLERANCE = 2e-3


class Model(Protocol):
    """What every algorithm gives."""

    @property
    def features(self) -> tuple[str, ...]: ...

    @property
    def normaliser(self) -> Normaliser: ...

    @property
    def rehearsed(self) -> Floats | None: ...

    def outputs(self, values: Floats) -> Floats: ...

    def tflite(self, said: str) -> bytes: ...


@dataclass(frozen=True)
class Made:
    """A model, its card and its file."""

    fitted: Model
    card: Card
    weights: bytes


def finished(data: Data, fitted: Model, algorithm: str, version: str) -> Made:
    """The file and the card of a fitted model.

    Raises:
        BadModel: it needs operators that LiteRT does not have.
        BadTraining: the file does not say what was fitted.
    """
    weights = fitted.tflite(f"chasqui {data.kind} {algorithm} {version}")
    export.builtin(weights, algorithm)
    compare(fitted, weights, data.of("calibrate").features)
    return Made(fitted, calibrated(data, fitted, algorithm, version, weights), weights)


def unmet(data: Data, fitted: Model) -> tuple[Data, Floats]:
    """Segments with outputs of models that had not met their groups: those to calibrate with, and those to fit with
    where the model was rehearsed out of the fold.
    """
    parts = ("calibrate",) if fitted.rehearsed is None else ("fit", "calibrate")
    check = data.where(np.isin(data.part, parts))
    outputs = fitted.outputs(check.features)
    if fitted.rehearsed is not None:
        outputs[check.part == "fit"] = fitted.rehearsed
    return check, outputs


def calibrated(data: Data, fitted: Model, algorithm: str, version: str, weights: bytes) -> Card:
    """The card: what it is wrong by, and how to spend encodes, from segments of groups that it had not met."""
    check, outputs = unmet(data, fitted)
    constants = simulate.constants(data.where(np.isin(data.part, ["fit", "calibrate"])))
    size = len(data.metrics) * len(data.rungs)
    plain = Card(
        name=data.kind,
        version=version,
        kind=data.kind,
        algorithm=algorithm,
        sha256=hashlib.sha256(weights).hexdigest(),
        feature_version=data.feature_version,
        features=fitted.features,
        normaliser=fitted.normaliser,
        ladder_version=LADDER_VERSION,
        targets_version=TARGETS_VERSION,
        rungs=data.rungs,
        metrics=data.metrics,
        covariance=tuple(tuple(row) for row in np.eye(size).tolist()),
        quantiles=dict.fromkeys(data.metrics, (-1.0, 0.0, 1.0)),
        policy={name: Levels(level=0.7, worth=0.05, constant=rung) for name, rung in constants.items()},
        licence="MIT (the model); of the recordings: see data",
        data=described(data),
        scores={},
        intended_use="",
        limits="",
    )
    wrong = fit_spread.residuals(plain, outputs, check)
    matrix = fit_spread.covariance(wrong)
    spread = {"covariance": matrix, "quantiles": fit_spread.quantiles(wrong, np.array(matrix), data.metrics)}
    card = Card.model_validate({**plain.model_dump(), **spread})
    # Out of the fold a model knows less than the one that ships, so its levels would be too careful: only with the
    # groups to calibrate with.
    apart = check.part == "calibrate"
    return tuned(card, outputs[apart], check.where(apart))


def tuned(card: Card, outputs: Floats, data: Data) -> Card:
    """The card with the levels that cost least on these segments."""
    found = simulate.curves(card, outputs, data)
    best = {name: simulate.tuned(found, data, target, card.policy[name].constant) for name, target in TARGETS.items()}
    policy = {name: levels for name, (levels, _) in best.items()}
    prices = {name: round(price, 5) for name, (_, price) in best.items()}
    return card.model_copy(update={"policy": policy, "scores": {"price": prices, "segments": len(data)}})


def compare(fitted: Model, weights: bytes, values: Floats) -> float:
    """The largest difference between a .tflite and what was fitted.

    Raises:
        BadTraining: it is larger than TOLERANCE.
    """
    from ai_edge_litert.interpreter import Interpreter

    net = Interpreter(model_content=weights, num_threads=1)
    net.allocate_tensors()
    given, asked = net.get_input_details()[0]["index"], net.get_output_details()[0]["index"]
    worst = 0.0
    for line, expected in zip(fitted.normaliser.apply(values), fitted.outputs(values), strict=True):
        net.set_tensor(given, line[None])
        net.invoke()
        worst = max(worst, float(np.abs(net.get_tensor(asked)[0] - expected).max()))
    if not worst <= TOLERANCE:
        raise BadTraining(path="model.tflite", why=f"it differs from what was fitted by {worst:.2g}")
    return worst


def described(data: Data) -> dict[str, Any]:
    """What a model was made from, for its card."""
    parts: dict[str, Any] = {}
    for part in PARTS:
        held = data.of(part)
        parts[part] = {
            "segments": len(held),
            "groups": len(set(held.group)),
            "hours": round(float(held.seconds.sum()) / 3600, 2),
        }
    counts: dict[str, Any] = {
        name: dict(Counter(str(value) for value in data.about[name]).most_common(20))
        for name in ("language", "corpus", "content", "treatment", "licence")
        if name in data.about
    }
    return {**parts, **counts, "left_out": data.left_out}


def write(made: Made, folder: Path) -> None:
    """Leave a model in a folder: weights first, then the card that names their hash. A phone's also as JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.tflite").write_bytes(made.weights)
    if isinstance(made.fitted, Small):
        said = json.dumps(export.phone(made.card, made.fitted.layers), separators=(",", ":"))
        (folder / "model.json").write_text(said + "\n", encoding="utf-8")
    aside = folder / "card.part"
    aside.write_text(export.written(made.card), encoding="utf-8")
    aside.replace(folder / "card.json")
