"""A pair of plain models for tests: every segment gets the same mean curves, wherever it comes from.

Written without TensorFlow, through the schema that LiteRT brings along: one fully connected layer whose weights are
nought and whose bias is the curve. Good enough to try everything that stands around a model.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from chasqui.choose.predictor import MUSIC, SPEECH
from chasqui.codecs.opus import LADDER_VERSION, ladder
from chasqui.metrics.targets import TARGETS_VERSION

FEATURES = ("duration_s", "level_dbfs", "speech_share")


def features_version() -> str:
    """What analyze writes today."""
    from chasqui.analyze.features import FEATURE_VERSION

    return FEATURE_VERSION


def linear(weights: NDArray[Any], bias: NDArray[Any]) -> bytes:
    """A .tflite of y = W·x + b, W of shape [outputs, inputs]."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model, graph, code = schema.ModelT(), schema.SubGraphT(), schema.OperatorCodeT()
    model.version, model.buffers = 3, [schema.BufferT()]
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.FULLY_CONNECTED
    code.version = 1
    model.operatorCodes, graph.tensors = [code], []

    def tensor(name: str, shape: tuple[int, ...], data: NDArray[Any] | None = None) -> int:
        one = schema.TensorT()
        one.name, one.shape, one.type, one.buffer = name, list(shape), schema.TensorType.FLOAT32, 0
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data, np.float32).tobytes(), np.uint8)
            model.buffers.append(buffer)
            one.buffer = len(model.buffers) - 1
        graph.tensors.append(one)
        return len(graph.tensors) - 1

    outputs, inputs = weights.shape
    x, w, b = tensor("x", (1, inputs)), tensor("w", weights.shape, weights), tensor("b", (outputs,), bias)
    layer = schema.OperatorT()
    layer.opcodeIndex, layer.inputs, layer.outputs = 0, [x, w, b], [tensor("y", (1, outputs))]
    layer.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
    layer.builtinOptions = schema.FullyConnectedOptionsT()
    graph.inputs, graph.outputs, graph.operators, graph.name = [x], layer.outputs, [layer], "main"
    model.subgraphs = [graph]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def facts(kind: str, **changed: Any) -> dict[str, Any]:
    """The card of a stand-in, but for its hash."""
    rungs = ladder("audio" if kind == "music" else "voip")
    metrics = ["visqol"] if kind == "music" else ["estoi", "visqol"]
    size = len(rungs)
    # Mostly one error for the whole segment, some of its own at each rung, and the metrics go together.
    shared, own = {"estoi": 0.45, "visqol": 0.35}, 0.06
    deviations = np.repeat([shared[metric] for metric in metrics], size)
    apart = np.kron(1 - np.eye(len(metrics)), np.ones((size, size)))
    covariance = np.outer(deviations, deviations) * np.where(apart > 0, 0.3, 1.0) + np.eye(len(deviations)) * own**2
    tail = np.linspace(0.02, 0.98, 49)
    quantiles = [float(q) for q in np.sqrt(2) * _inverse_erf(2 * tail - 1)]
    names = [rung.name for rung in rungs]
    constants = dict(zip(("understood", "comfortable", "clear"), names[2:], strict=False))
    if kind == "speech":
        constants = {"understood": "voice-11", "comfortable": "voice-24", "clear": "voice-32"}
    return {
        "name": f"stand-in-{kind}",
        "version": "0.0.1",
        "kind": kind,
        "algorithm": "mean curve",
        "feature_version": features_version(),
        "features": list(FEATURES),
        "normaliser": {"mean": [0.0] * len(FEATURES), "scale": [1.0] * len(FEATURES)},
        "ladder_version": LADDER_VERSION,
        "targets_version": TARGETS_VERSION,
        "rungs": names,
        "metrics": metrics,
        "covariance": covariance.tolist(),
        "quantiles": dict.fromkeys(metrics, quantiles),
        "policy": {name: {"level": 0.6, "worth": 0.03, "constant": rung} for name, rung in constants.items()},
        "licence": "MIT",
        "data": {"what": "the mean curves of choose.predictor"},
        "scores": {},
        "intended_use": "tests",
        "limits": "knows nothing about the sound",
        **changed,
    }


def bias(kind: str) -> NDArray[np.float32]:
    """What the stand-in puts out for every segment."""
    rungs = ladder("audio" if kind == "music" else "voip")
    sizes = [float(np.log(rung.bitrate_bps / 8 * 0.95)) for rung in rungs]
    if kind == "music":
        return np.array([*(MUSIC[rung.name] for rung in rungs), *sizes, 0.0], np.float32)
    estoi = [float(np.log(SPEECH[rung.name][0] / (1 - SPEECH[rung.name][0]))) for rung in rungs]
    return np.array([*estoi, *(SPEECH[rung.name][1] for rung in rungs), *sizes, 0.0], np.float32)


def write(folder: Path, kind: str, outputs: NDArray[Any] | None = None, **changed: Any) -> Path:
    """One model in folder/kind; `changed` fields of its card are as given, right or wrong."""
    place = folder / kind
    place.mkdir(parents=True, exist_ok=True)
    values = bias(kind) if outputs is None else outputs
    weights = linear(np.zeros((len(values), len(FEATURES)), np.float32), values)
    (place / "model.tflite").write_bytes(weights)
    card = {"sha256": hashlib.sha256(weights).hexdigest(), **facts(kind, **changed)}
    (place / "card.json").write_text(json.dumps(card), encoding="utf-8")
    return place


def _inverse_erf(x: NDArray[Any]) -> NDArray[Any]:
    from scipy.special import erfinv

    return np.asarray(erfinv(x))


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a stand-in for speech and one for music."""
    folder = tmp_path_factory.mktemp("models")
    for kind in ("speech", "music"):
        write(folder, kind)
    return folder
