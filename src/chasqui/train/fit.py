"""From a sweep to models: every algorithm for every kind of segment, each as the folder that `choose` could open.

    OUT/speech/boosting/model.tflite card.json
    OUT/speech/forest/… net/… mixed/… lstm/…
    OUT/music/…
    OUT/phone/phone/…        speech again, on what a phone can compute

What is written was compared with what was fitted. `evaluate` says which is best, `export` ships it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chasqui.codecs.opus import LADDER_VERSION
from chasqui.errors import BadTraining
from chasqui.metrics.targets import TARGETS, TARGETS_VERSION
from chasqui.models.card import Card, Levels
from chasqui.train import fit_basis, fit_model, fit_net, fit_spread, simulate
from chasqui.train.fit_data import PARTS, Data, Floats
from chasqui.train.fit_model import Fitted, Grow

VERSION = "0.1.0"
#: A .tflite computes in float32 what was fitted in float64: outputs (logits, points, ln bytes) may differ by this.
TOLERANCE = 2e-3

ALGORITHMS: dict[str, Callable[[int], Grow]] = {
    "forest": fit_model.forest,
    "boosting": fit_model.boosting,
    "net": lambda seed: fit_model.net(fit_net.Recipe(seed=seed)),
    "kernel": lambda _: fit_model.kernel(),
    "mixed": lambda seed: fit_model.mixed((0.5, fit_model.boosting(seed)), (0.5, fit_model.kernel())),
}


@dataclass(frozen=True)
class Made:
    """A model and its card; `outputs` are for the segments it was calibrated with."""

    fitted: Fitted
    card: Card
    weights: bytes


def fit(data: Data, algorithm: str, *, seed: int = 0, version: str = VERSION) -> Made:
    """One model for one kind of segment.

    Raises:
        BadTraining: the file that was written does not say what was fitted.
    """
    grow = ALGORITHMS[algorithm](seed)
    learn, check = data.of("fit"), data.of("calibrate")
    normal = fit_model.normaliser(learn.features)
    x = normal.apply(learn.features).astype(np.float64)
    aims = learn.aims
    weights = fit_basis.weights(len(data.metrics), len(data.rungs), aims)
    basis = fit_basis.basis(aims, weights)
    z = basis.coordinates(aims)
    known = basis.aims(fit_spread.out_of_fold(grow, x, z, learn.group))
    scored = len(data.metrics) * len(data.rungs)
    wrong = (aims - known)[:, :scored]
    difficulty = fit_spread.difficulty(x, wrong / wrong.std(axis=0), seed)
    fitted = Fitted(data.names, normal, basis, grow(x, z), difficulty)
    weights_file = fitted.tflite(f"chasqui {data.kind} {algorithm} {version}")
    card = calibrated(data, check, fitted, algorithm, version, weights_file)
    compare(fitted, weights_file, check.features)
    return Made(fitted, card, weights_file)


def calibrated(data: Data, check: Data, fitted: Fitted, algorithm: str, version: str, weights: bytes) -> Card:
    """The card: what it is wrong by, and how to spend encodes, from the calibration recordings."""
    outputs = fitted.outputs(check.features)
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
    found = simulate.curves(card, outputs, check)
    levels = {name: simulate.tuned(found, check, target, constants[name]) for name, target in TARGETS.items()}
    return card.model_copy(update={"policy": levels})


def compare(fitted: Fitted, weights: bytes, values: Floats) -> float:
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
    """Leave a model in a folder, whole: weights first, then the card that names their hash."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.tflite").write_bytes(made.weights)
    aside = folder / "card.part"
    aside.write_text(made.card.model_dump_json(indent=1) + "\n", encoding="utf-8")
    aside.replace(folder / "card.json")
