"""Whose voice: 256 numbers for each window of speech, near each other where the same person speaks.

The encoder of Resemblyzer 0.1.4 (Apache-2.0; GE2E, Wan et al. 2018: three LSTM layers of 256 over 1.6 s of 40 mel
bands, a linear layer, a ReLU, length one), with its weights in half precision, as NumPy. `train/voiceprint.py` makes
the file out of the package. Windows go through side by side, so each step of each layer is one matrix product.

What its layers hold on the way tells, almost for nothing, whether two speak at once: a logistic regression on the 768
numbers of each tenth of a second, fitted by `train/overlap.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from chasqui.errors import BadModel
from chasqui.features import mel, spectrum
from chasqui.features.arrays import frames

Floats = npt.NDArray[np.float32]

FOLDER = Path(__file__).parent / "speaker"
RATE_HZ = 16_000
SIZE = 256  # numbers per voiceprint
HOP = 160  # samples per frame: 10 ms
WINDOW = 400
WINDOW_FRAMES = 160  # what the encoder was trained on: 1.6 s
MOMENT_FRAMES = 10
MOMENTS = WINDOW_FRAMES // MOMENT_FRAMES
#: What is told of a moment is about so much earlier: the layers know only what came before.
LATE_S = 0.2
_MELS = 40
_UNITS = 256
_LAYERS = 3
#: Windows that go through together: the gates of one step still fit into the second-level cache.
_BATCH = 128
_HALF = np.float32(0.5)


class Heard(NamedTuple):
    """What windows sound like."""

    prints: Floats  # [windows, 256] of length one
    #: [windows, 16] log odds that two speak at once, 0.1, 0.2 … 1.6 s into the window less LATE_S
    overlap: Floats


class Layer(NamedTuple):
    """One LSTM, for row vectors; gates in the order input, forget, output, new cell."""

    weights: Floats  # [inputs + 256, 1024]: the input's rows, then those of the state before
    bias: Floats  # [1024]


class Network(NamedTuple):
    """The encoder."""

    layers: tuple[Layer, ...]
    out: Floats  # [256, 256]
    out_bias: Floats
    overlap: Floats  # [768]
    overlap_bias: float


def mels(samples: Floats) -> Floats:
    """[frames, 40] powers in mel bands of sound at 16 kHz, a frame centred on each 10 ms, as librosa gives them.

    `samples` must reach 200 samples beyond the first and the last centre: [200 + (frames − 1) · 160 + 200].
    """
    count = (len(samples) - WINDOW) // HOP + 1
    power = spectrum.power(frames(samples, WINDOW, HOP, count), WINDOW, density=False)
    return np.asarray(power @ _bands(), np.float32)


def voiceprints(windows: Floats) -> Heard:
    """Whose voice, and how many, from mel powers [windows, 160, 40].

    Raises:
        BadModel: the weights are missing or damaged.
    """
    net = network()
    prints = np.empty((len(windows), SIZE), np.float32)
    overlap = np.empty((len(windows), MOMENTS), np.float32)
    for at in range(0, len(windows), _BATCH):
        part = slice(at, at + _BATCH)
        for moment, states in enumerate(_run(net, windows[part])):
            overlap[part, moment] = states @ net.overlap + net.overlap_bias
        raw = np.maximum(states[:, -_UNITS:] @ net.out + net.out_bias, 0)
        prints[part] = raw / np.maximum(np.linalg.norm(raw, axis=1, keepdims=True), 1e-6)
    return Heard(prints, overlap)


def states(windows: Floats) -> Floats:
    """What the layers hold at each moment, [windows, MOMENTS, 768]: what overlap is learnt from."""
    return np.stack(list(_run(network(), windows)), axis=1)


def _run(net: Network, windows: Floats) -> Iterator[Floats]:
    """The states of all layers, [windows, 768], after each tenth of a second of windows [windows, frames, 40]. Layers
    take turns at each step, so that what they hand on is still in the cache.
    """
    rows = np.ascontiguousarray(windows.transpose(1, 0, 2), np.float32)
    count = rows.shape[1]
    # What a layer takes in: what the layer below shows, then its own state.
    taken = [np.zeros((count, len(layer.weights)), np.float32) for layer in net.layers]
    cells = [np.zeros((count, _UNITS), np.float32) for _ in net.layers]
    gates, level = np.empty((count, 4 * _UNITS), np.float32), np.empty((count, _UNITS), np.float32)
    put, keep, show, new = (gates[:, at * _UNITS : (at + 1) * _UNITS] for at in range(4))
    sigmoids = gates[:, : 3 * _UNITS]
    for step, row in enumerate(rows, 1):
        taken[0][:, :_MELS] = row
        for place, (layer, cell) in enumerate(zip(net.layers, cells, strict=True)):
            np.dot(taken[place], layer.weights, out=gates)
            gates += layer.bias
            # sigmoid(x) = tanh(x / 2) / 2 + 1 / 2; the halves inside were taken when the weights were read.
            np.tanh(gates, out=gates)
            sigmoids *= _HALF
            sigmoids += _HALF
            cell *= keep
            new *= put
            cell += new
            state = np.multiply(np.tanh(cell, out=level), show, out=taken[place][:, -_UNITS:])
            if place + 1 < len(taken):
                taken[place + 1][:, :_UNITS] = state
        if step % MOMENT_FRAMES == 0:
            yield np.concatenate([both[:, -_UNITS:] for both in taken], axis=1)


@cache
def network(folder: Path = FOLDER) -> Network:
    """The weights, read once per process.

    Raises:
        BadModel: missing or damaged.
    """
    path = folder / "weights.npz"
    try:
        held = _read(path)
        layers = tuple(_layer(held, index) for index in range(_LAYERS))
        two = _read(folder / "overlap.npz")
        out = np.ascontiguousarray(held["out_weight"].T)
        return Network(layers, out, held["out_bias"], two["weight"], float(two["bias"]))
    except (OSError, KeyError, ValueError, EOFError, BadZipFile) as error:
        raise BadModel(path=str(path), why=str(error)) from error


def _read(path: Path) -> dict[str, Floats]:
    with np.load(BytesIO(path.read_bytes()), allow_pickle=False) as file:
        return {name: file[name].astype(np.float32) for name in file.files}


def _layer(held: dict[str, Floats], index: int) -> Layer:
    halves = np.repeat(np.array([0.5, 0.5, 0.5, 1.0], np.float32), _UNITS)
    incoming, hidden, bias = (_ordered(held[f"{name}_{index}"]) for name in ("input", "hidden", "bias"))
    return Layer(np.ascontiguousarray(np.concatenate([incoming.T, hidden.T]) * halves), bias * halves)


def _ordered(rows: Floats) -> Floats:
    """Gates as PyTorch has them (input, forget, new cell, output) → sigmoids first."""
    first, second, new, show = rows.reshape(4, _UNITS, *rows.shape[1:])
    return np.concatenate([first, second, show, new])


@cache
def _bands() -> Floats:
    return mel.matrix(RATE_HZ, WINDOW, _MELS, 0.0, RATE_HZ / 2, scale="slaney", norm="area")
