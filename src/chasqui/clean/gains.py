"""RNNoise's network as NumPy: from the features of many sounds at once to the gains of their bands.

The weights are those that lie in the library, read where they are. The library takes one frame of one sound at a
time, so it fetches all 11 MB of them for every 10 ms, and its build in the wheel knows no instructions newer than
2004's. Side by side, sounds share that fetch and BLAS does the sums. These come in another order, which moves the
outcome by rounding only; the activations are the library's own function, because its reciprocals are approximate.

Two convolutions over three frames (65 → 128 → 384), three GRUs of 384, one dense layer over all of it.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

FEATURES, BANDS = 65, 32
_UNITS = 384
_GRUS = ("gru1", "gru2", "gru3")
_SIGMOID, _TANH = 1, 2  # RNNoise's numbers of its activations


class _Entry(ctypes.Structure):
    """RNNoise's WeightArray; the list ends with a name of NULL."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("type", ctypes.c_int),
        ("size", ctypes.c_int),
        ("data", ctypes.c_void_p),
    )


class _Gru(NamedTuple):
    """Columns: update gate, reset gate, candidate; `kept_bias` is the part of the bias that the reset gate scales."""

    input: Floats  # [384, 1152]
    bias: Floats  # [1152]
    kept: Floats  # [384, 1152], from the state before
    kept_bias: Floats  # [384]


class Weights(NamedTuple):
    """Laid out for row vectors: input @ matrix + bias."""

    conv1: tuple[Floats, Floats]
    conv2: tuple[Floats, Floats]
    grus: tuple[_Gru, ...]
    out: tuple[Floats, Floats]  # 32 gains and the chance of speech


@cache
def weights(library: Any) -> Weights:
    """The network that lies in the library.

    Raises:
        LookupError, ValueError: this build holds another network, or does not show it.
    """
    found = _arrays(library)
    gains = found["dense_out_weights_float"].reshape(-1, BANDS), found["vad_dense_weights_float"].reshape(-1, 1)
    return Weights(
        conv1=(found["conv1_weights_float"].reshape(3 * FEATURES, -1), found["conv1_bias"]),
        conv2=(found["conv2_weights_float"].reshape(-1, _UNITS), found["conv2_bias"]),
        grus=tuple(_gru(found, name) for name in _GRUS),
        out=(
            np.ascontiguousarray(np.concatenate(gains, axis=1)),
            np.concatenate([found["dense_out_bias"], found["vad_dense_bias"]]),
        ),
    )


def _arrays(library: Any) -> dict[str, npt.NDArray[Any]]:
    try:
        at = ctypes.addressof(_Entry.in_dll(library, "rnnoise_arrays"))
    except ValueError as error:
        raise LookupError("rnnoise_arrays") from error
    found: dict[str, npt.NDArray[Any]] = {}
    while (entry := _Entry.from_address(at)).name:
        kind = np.int32 if entry.name.endswith(b"_idx") else np.float32
        if entry.name.endswith((b"_float", b"_bias", b"_diag", b"_idx")):
            data = (ctypes.c_char * entry.size).from_address(entry.data)
            found[entry.name.decode()] = np.frombuffer(data, kind)
        at += ctypes.sizeof(_Entry)
    return found


def _gru(found: dict[str, npt.NDArray[Any]], name: str) -> _Gru:
    kept = _dense(found, f"{name}_recurrent")
    diagonal = found[f"{name}_recurrent_weights_diag"].reshape(3, _UNITS)
    for gate in range(3):
        kept[np.arange(_UNITS), gate * _UNITS + np.arange(_UNITS)] += diagonal[gate]
    bias, kept_bias = found[f"{name}_input_bias"].copy(), found[f"{name}_recurrent_bias"]
    bias[: 2 * _UNITS] += kept_bias[: 2 * _UNITS]
    return _Gru(_dense(found, f"{name}_input"), bias, kept, kept_bias[2 * _UNITS :].copy())


def _dense(found: dict[str, npt.NDArray[Any]], name: str) -> Floats:
    """Blocks of 4 inputs × 8 outputs as [inputs, outputs]. The index tells, per 8 outputs, which inputs."""
    index, blocks = found[f"{name}_weights_idx"], found[f"{name}_weights_float"].reshape(-1, 4, 8)
    matrix = np.zeros((_UNITS, 3 * _UNITS), np.float32)
    at = block = 0
    for output in range(0, 3 * _UNITS, 8):
        count = int(index[at])
        rows = (index[at + 1 : at + 1 + count, None] + np.arange(4)).ravel()
        matrix[rows, output : output + 8] = blocks[block : block + count].reshape(-1, 8)
        at, block = at + 1 + count, block + count
    if at != index.size or block != len(blocks):
        raise ValueError(f"{name} is not laid out as expected")
    return matrix


class Network:
    """The states of `sounds` sounds side by side."""

    def __init__(self, library: Any, sounds: int) -> None:
        self._weights = weights(library)
        self._activate = library.rnn_compute_activation_c
        self._heard = np.zeros((2, sounds, FEATURES), np.float32)
        self._first = np.zeros((2, sounds, self._weights.conv1[1].size), np.float32)
        self._states = [np.zeros((sounds, _UNITS), np.float32) for _ in _GRUS]

    def gains(self, features: Floats, silent: Flags) -> tuple[Floats, Floats]:
        """(gains [frames, sounds, 32], chance of speech [frames, sounds]) of [frames, sounds, 65], 0–1.

        Silent frames leave everything as it was and have neither gain nor speech.
        """
        order = np.argsort(silent, axis=0, kind="stable")  # per sound: what sounds comes first, in its order
        counts = len(silent) - np.count_nonzero(silent, axis=0)
        frames = int(counts.max(initial=0))
        out = np.zeros((*silent.shape, BANDS + 1), np.float32)
        if frames:
            packed = np.take_along_axis(features, order[:, :, None], axis=0)[:frames]
            result = self._packed(packed, counts)
            for sound, count in enumerate(counts.tolist()):
                out[order[:count, sound], sound] = result[:count, sound]
        return out[..., :BANDS], out[..., BANDS]

    def _packed(self, features: Floats, counts: npt.NDArray[np.intp]) -> Floats:
        first, self._heard = self._convolved(self._weights.conv1, self._heard, features, counts)
        layer, self._first = self._convolved(self._weights.conv2, self._first, first, counts)
        layers = [layer]
        for number, gru in enumerate(self._weights.grus):
            layers.append(self._recurrent(gru, self._states[number], layers[-1], counts))
        matrix, bias = self._weights.out
        out = np.concatenate(layers, axis=-1).reshape(-1, matrix.shape[0]) @ matrix + bias
        return self._activated(out, _SIGMOID).reshape(*features.shape[:2], BANDS + 1)

    def _convolved(
        self, layer: tuple[Floats, Floats], before: Floats, now: Floats, counts: npt.NDArray[np.intp]
    ) -> tuple[Floats, Floats]:
        """(the layer's outcome, the two frames of each sound that the next call has to remember)."""
        matrix, bias = layer
        whole = np.concatenate([before, now])
        three = np.concatenate([whole[:-2], whole[1:-1], whole[2:]], axis=-1)
        out = three.reshape(-1, matrix.shape[0]) @ matrix + bias
        last = np.stack([whole[counts + back, np.arange(counts.size)] for back in range(2)])
        return self._activated(out, _TANH).reshape(*now.shape[:2], -1), last

    def _recurrent(self, gru: _Gru, state: Floats, source: Floats, counts: npt.NDArray[np.intp]) -> Floats:
        """The states after each frame, [frames, sounds, 384]; `state` is left as the last one of each sound."""
        frames, sounds, _ = source.shape
        given = (source.reshape(-1, _UNITS) @ gru.input + gru.bias).reshape(frames, sounds, -1)
        out = np.empty((frames, sounds, _UNITS), np.float32)
        kept = np.empty((sounds, 3 * _UNITS), np.float32)
        gates, new, rest = (np.empty((sounds, n * _UNITS), np.float32) for n in (2, 1, 1))
        update, reset = gates[:, :_UNITS], gates[:, _UNITS:]
        whole = int(counts.min())
        for frame in range(frames):
            np.matmul(state, gru.kept, out=kept)
            np.add(given[frame, :, : 2 * _UNITS], kept[:, : 2 * _UNITS], out=gates)
            self._activated(gates, _SIGMOID)
            np.add(kept[:, 2 * _UNITS :], gru.kept_bias, out=new)
            np.multiply(new, reset, out=new)
            np.add(new, given[frame, :, 2 * _UNITS :], out=new)
            self._activated(new, _TANH)
            np.subtract(np.float32(1), update, out=rest)
            np.multiply(rest, new, out=rest)
            np.multiply(update, state, out=out[frame])
            out[frame] += rest
            if frame < whole:
                state[:] = out[frame]
            else:
                heard = counts > frame
                state[heard] = out[frame, heard]
        return out

    def _activated(self, values: Floats, kind: int) -> Floats:
        """In place, by the library: contiguous float32."""
        address = values.ctypes.data
        self._activate(address, address, values.size, kind)
        return values
