"""The indices of Lyra's quantiser made smaller without loss: an adaptive binary arithmetic coder.

An index is four yes-or-no decisions, most significant first, so each stage is a tree of 15 questions. What is likely is
the sum of what the coder has learnt (in logits) about that question, given each of the first 16 indices of the frame
before and each earlier index of this frame: a logistic regression that learns while it codes, by the error of each
answer. Coder and decoder learn the same because all of it is whole numbers. Measured on real speech in docs/neural.md:
16 stages cost 2.8 instead of 3.2 kb/s, where a table of frequencies per stage would save half of that.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext
from functools import cache

import numpy as np
from numpy.typing import NDArray

from chasqui.codecs.lyra import ABSENT, LEVELS, STAGES, Codes, checked

Ints = NDArray[np.int64]

#: Questions in the tree of one index.
_NODES = LEVELS - 1
#: Stages whose indices tell something about others; later ones are nearly noise.
_TOLD_BY = 16
#: Logits and probabilities have 16 fractional bits; probabilities stay 1/1024 away from certainty.
_ONE = 1 << 16
_SURE = _ONE >> 10
#: Logits are looked up in steps of 1/64, up to ±8.
_STEP_BITS = 10
_EDGE = 512
#: How much an error teaches, in 1/65536: what a question is like by itself, and what each context adds. The rate
#: starts four times as high and halves its excess within a second or two.
_RATE_ALONE, _RATE_TOLD = 3277, 1311
_HURRY = 50
_TOP = (1 << 32) - 1


def encode(codes: Codes) -> bytes:
    """Bytes from which `decode` makes the same codes, given how many stages each frame has.

    Raises:
        ValueError: codes that are none (see `lyra.checked`).
    """
    counts = _counts(checked(codes))
    model, out = _Model(max(counts, default=1)), _Writer()
    for count, frame in zip(counts, codes.astype(np.int64), strict=True):
        likely = model.base()
        for stage in range(min(count, _TOLD_BY)):
            likely += model.within[stage, frame[stage]]
        nodes, bits = _path(frame[:count])
        chances = _chance()[_looked_up(likely[np.arange(count)[:, None], nodes])]
        for bit, chance in zip(bits.ravel().tolist(), chances.ravel().tolist(), strict=True):
            out.put(bit, chance)
        model.learn(frame[:count], nodes, (bits << 16) - chances)
    return out.finish()


def decode(data: bytes, counts: Sequence[int]) -> Codes:
    """Codes of len(counts) frames with that many stages each.

    Raises:
        ValueError: the data ends too early or goes on after the last frame. Other damage is for a checksum to find.
    """
    if any(not 1 <= count <= STAGES for count in counts):
        raise ValueError(f"a frame has 1 to {STAGES} stages")
    model, source = _Model(max(counts, default=1)), _Reader(data)
    codes = np.full((len(counts), STAGES), ABSENT, np.int8)
    table = _chance().tolist()
    for index, count in enumerate(counts):
        likely = model.base()
        frame: list[int] = []
        chances: list[int] = []
        for stage in range(count):
            value = _index(source, likely[stage].tolist(), table, chances)
            frame.append(value)
            if stage < _TOLD_BY:
                likely += model.within[stage, value]
        known = np.array(frame, np.int64)
        nodes, bits = _path(known)
        model.learn(known, nodes, (bits << 16) - np.array(chances, np.int64).reshape(count, 4))
        codes[index, :count] = frame
    source.finish()
    return codes


def _index(source: _Reader, logits: list[int], table: list[int], chances: list[int]) -> int:
    """The next index; the chance that each of its four bits is set goes to `chances`."""
    node = 1
    for _ in range(4):
        step = (logits[node - 1] >> _STEP_BITS) + _EDGE
        chance = table[min(max(step, 0), 2 * _EDGE)]
        chances.append(chance)
        node = 2 * node + source.take(chance)
    return node - LEVELS


class _Model:
    """What has been learnt so far, as logits per stage and question."""

    def __init__(self, stages: int) -> None:
        self.stages, self.told_by = stages, min(stages, _TOLD_BY)
        self.alone: Ints = np.zeros((stages, _NODES), np.int64)
        self.before: Ints = np.zeros((self.told_by, LEVELS, stages, _NODES), np.int64)
        self.within: Ints = np.zeros((self.told_by, LEVELS, stages, _NODES), np.int64)
        #: Which stages an index of this frame tells something about: the later ones.
        self._later = (np.arange(stages)[None, :] > np.arange(self.told_by)[:, None]).astype(np.int64)[:, :, None]
        self._last = np.zeros(0, np.int64)
        self._frames = 0

    def base(self) -> Ints:
        """Logits of every question of the next frame, before anything of it is known; shape [stages, 15]."""
        told: Ints = self.before[np.arange(len(self._last)), self._last].sum(axis=0)
        return self.alone + told

    def learn(self, frame: Ints, nodes: Ints, error: Ints) -> None:
        """Take in one coded frame: the questions it was asked, and by how much (of 65536) each answer was missed."""
        wrong = np.zeros((self.stages, _NODES), np.int64)
        wrong[np.arange(len(frame))[:, None], nodes] = error
        hurry = self._frames + 4 * _HURRY, self._frames + _HURRY
        self.alone += (wrong * (_RATE_ALONE * hurry[0] // hurry[1])) >> 16
        told = (wrong * (_RATE_TOLD * hurry[0] // hurry[1])) >> 16
        self.before[np.arange(len(self._last)), self._last] += told
        known = frame[: self.told_by]
        rows = np.arange(len(known))
        self.within[rows, known] += told * self._later[: len(known)]
        self._last = known
        self._frames += 1


def _path(frame: Ints) -> tuple[Ints, Ints]:
    """(questions asked, answers given) on the way to each index, both of shape [stages, 4]."""
    bits = (frame[:, None] >> np.array([3, 2, 1, 0])) & 1
    nodes = np.array([1, 2, 4, 8]) + (frame[:, None] >> np.array([4, 3, 2, 1])) - 1
    return nodes, bits


def _looked_up(logits: Ints) -> Ints:
    steps: Ints = np.clip((logits >> _STEP_BITS) + _EDGE, 0, 2 * _EDGE)
    return steps


@cache
def _chance() -> Ints:
    """Chance of a set bit (of 65536) for logits −8 to 8. By Decimal, which rounds the same on every machine."""
    with localcontext(prec=30):
        steps = (Decimal(step - _EDGE) * (1 << _STEP_BITS) / _ONE for step in range(2 * _EDGE + 1))
        chances = [round(_ONE / (1 + (-logit).exp())) for logit in steps]
    return np.clip(np.array(chances, np.int64), _SURE, _ONE - _SURE)


def _counts(codes: Codes) -> list[int]:
    counts: list[int] = (codes != ABSENT).sum(axis=1).tolist()
    return counts


class _Writer:
    """Binary arithmetic coder with 32-bit bounds; finished bytes leave as soon as both bounds agree on them."""

    def __init__(self) -> None:
        self._low, self._high, self._out = 0, _TOP, bytearray()

    def put(self, bit: int, chance: int) -> None:
        split = self._low + (((self._high - self._low) * chance) >> 16)
        if bit:
            self._high = split
        else:
            self._low = split + 1
        while (self._low ^ self._high) < 1 << 24:
            self._out.append(self._high >> 24)
            self._low, self._high = (self._low << 8) & _TOP, (self._high << 8) & _TOP | 255

    def finish(self) -> bytes:
        """The fewest bytes that, with zeros behind them, lie within the bounds; no zeros at the end."""
        for size in range(5):
            unit = 1 << (32 - 8 * size)
            value = -(-self._low // unit) * unit
            if value <= self._high:
                self._out += value.to_bytes(5, "big")[1 : 1 + size] if size else b""
                break
        return bytes(self._out).rstrip(b"\0")


class _Reader:
    """Decoder of what `_Writer` wrote; behind the last byte there are zeros."""

    def __init__(self, data: bytes) -> None:
        self._data, self._low, self._high = data, 0, _TOP
        self._at = 4
        self._value = int.from_bytes(data[:4].ljust(4, b"\0"), "big")

    def take(self, chance: int) -> int:
        split = self._low + (((self._high - self._low) * chance) >> 16)
        bit = int(self._value <= split)
        if bit:
            self._high = split
        else:
            self._low = split + 1
        while (self._low ^ self._high) < 1 << 24:
            following = self._data[self._at] if self._at < len(self._data) else 0
            self._low, self._high = (self._low << 8) & _TOP, (self._high << 8) & _TOP | 255
            self._value = (self._value << 8) & _TOP | following
            self._at += 1
        return bit

    def finish(self) -> None:
        if len(self._data) > self._at:
            raise ValueError(f"{len(self._data) - self._at} bytes are left over")
