"""Models for phones made up by chance, each with a .tflite of the same weights, and what both parts need to run."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from chasqui.analyze.features import FEATURE_VERSION
from chasqui.codecs.opus import LADDER_VERSION, ladder
from chasqui.metrics.targets import TARGETS, TARGETS_VERSION
from chasqui.models.load import SHIPPED

RUNGS = ladder("voip")
METRICS = ("estoi", "visqol")


def model(features: list[str], mean: Any, scale: Any, seed: int, hidden: int = 24) -> dict[str, Any]:
    """A model.json whose curves rise about as real ones do, and swing with the features."""
    rng = np.random.default_rng(seed)
    count = len(RUNGS)
    rates = np.log([rung.bitrate_bps for rung in RUNGS])
    bias = np.concatenate([np.linspace(0.6, 5.0, count), np.linspace(1.6, 4.4, count), rates - np.log(8), [0.1]])
    first = rng.normal(0, 1 / np.sqrt(len(features)), (hidden, len(features)))
    last = rng.normal(0, 1, (bias.size, hidden)) / np.sqrt(hidden)
    last[:count] *= 0.8
    last[count : 2 * count] *= 0.4
    last[2 * count :] *= 0.1
    quantiles = {metric: sorted(rng.normal(0, 1, 99).round(4).tolist()) for metric in METRICS}
    return {
        "format": "phone-1",
        "name": "chance",
        "version": "0.0.1",
        "kind": "speech",
        "feature_version": FEATURE_VERSION,
        "ladder_version": LADDER_VERSION,
        "targets_version": TARGETS_VERSION,
        "features": list(features),
        "mean": np.asarray(mean, float).tolist(),
        "scale": np.asarray(scale, float).tolist(),
        "clip": 8,
        "layers": [
            {"w": first.astype(np.float32).tolist(), "b": [0.0] * hidden, "act": "relu"},
            {"w": last.astype(np.float32).tolist(), "b": bias.astype(np.float32).tolist(), "act": None},
        ],
        "rungs": [rung.name for rung in RUNGS],
        "bitrates": [rung.bitrate_bps for rung in RUNGS],
        "metrics": list(METRICS),
        "targets": {
            name: {"estoi": target.speech_estoi, "visqol": target.speech_visqol} for name, target in TARGETS.items()
        },
        "deviation": [[0.25] * count, [0.2] * count],
        "quantiles": quantiles,
        "policy": {
            "understood": {"level": 0.7, "constant": "voice-16"},
            "comfortable": {"level": 0.7, "constant": "voice-20"},
            "clear": {"level": 0.6, "constant": "voice-32"},
        },
    }


@cache
def spread() -> tuple[dict[str, float], dict[str, float]]:
    """Mean and scale of each column over real recordings: those that the shipped model for speech was made with."""
    made = json.loads((SHIPPED / "speech" / "card.json").read_bytes())
    return tuple(dict(zip(made["features"], made["normaliser"][key], strict=True)) for key in ("mean", "scale"))


def plain(names: list[str], seed: int = 1) -> dict[str, Any]:
    """A model by chance over these columns, with means and scales of real recordings where they are known."""
    means, scales = spread()
    return model(names, [means.get(name, 0.0) for name in names], [scales.get(name, 1.0) for name in names], seed)


def tflite(layers: list[dict[str, Any]]) -> bytes:
    """The same net for LiteRT: fully connected layers, nothing else."""
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.FULLY_CONNECTED
    code.version = 1
    whole, graph = schema.ModelT(), schema.SubGraphT()
    whole.version, whole.operatorCodes, whole.subgraphs = 3, [code], [graph]
    whole.buffers, graph.tensors, graph.operators = [schema.BufferT()], [], []

    def tensor(shape: tuple[int, ...], data: Any = None) -> int:
        made = schema.TensorT()
        made.name, made.shape, made.type = f"t{len(graph.tensors)}", list(shape), schema.TensorType.FLOAT32
        made.buffer = 0
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data, np.float32).tobytes(), np.uint8)
            whole.buffers.append(buffer)
            made.buffer = len(whole.buffers) - 1
        graph.tensors.append(made)
        return len(graph.tensors) - 1

    here = tensor((1, len(layers[0]["w"][0])))
    graph.inputs = [here]
    for layer in layers:
        weights, bias = np.array(layer["w"]), np.array(layer["b"])
        step, options = schema.OperatorT(), schema.FullyConnectedOptionsT()
        options.fusedActivationFunction = int(layer["act"] == "relu")
        step.opcodeIndex, step.builtinOptions = 0, options
        step.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
        after = tensor((1, len(bias)))
        step.inputs, step.outputs = [here, tensor(weights.shape, weights), tensor(bias.shape, bias)], [after]
        graph.operators.append(step)
        here = after
    graph.outputs = [here]
    builder = flatbuffers.Builder(1024)
    builder.Finish(whole.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def ask(net: bytes, rows: Any) -> Any:
    """What LiteRT makes of normalised rows."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter: Any = Interpreter(model_content=net, num_threads=1)
    interpreter.allocate_tensors()
    takes, gives = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    found = []
    for row in np.asarray(rows, np.float32):
        interpreter.set_tensor(takes, row[None])
        interpreter.invoke()
        found.append(interpreter.get_tensor(gives)[0].copy())
    return np.array(found, np.float64)
