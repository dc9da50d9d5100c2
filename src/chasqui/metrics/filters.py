"""FIR design, and recursive filters as matrix products: the few functions of `scipy.signal` that we need.

Importing that module brings statistics, interpolation and more with it, and costs as much time as encoding a minute.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]

#: Samples per row of the product: a longer row wastes multiplications, a shorter one calls.
ROW = 32


def lowpass(taps: int, cutoff: float, kaiser: float | None = None) -> Doubles:
    """A low-pass of `taps` taps by the window method; `cutoff` as a share of half the rate, gain 1 at 0 Hz.

    The window is Kaiser's with this β, or Hamming's.
    """
    at = np.arange(taps) - 0.5 * (taps - 1)
    sinc = cutoff * np.sinc(cutoff * at) * (np.hamming(taps) if kaiser is None else np.kaiser(taps, kaiser))
    return np.asarray(sinc / sinc.sum())


def highpass(taps: int, cutoff: float) -> Doubles:
    """The same with Hamming's window as a high-pass; `taps` is odd, gain 1 at half the rate."""
    at = np.arange(taps) - 0.5 * (taps - 1)
    sinc = (np.sinc(at) - cutoff * np.sinc(cutoff * at)) * np.hamming(taps)
    return np.asarray(sinc / (sinc * np.cos(np.pi * at)).sum())


class _Rows(NamedTuple):
    """What ROW samples do: to the output, to the state, and what the state does to both."""

    sound_to_out: Doubles  # [ROW, ROW]
    state_to_out: Doubles  # [states, ROW]
    sound_to_state: Doubles  # [ROW, states]
    state_to_state: Doubles  # [states, states]


class Sections:
    """A cascade of second-order sections [b0 b1 b2 1 a1 a2] on a stream, exact to rounding: `sosfilt` with a memory."""

    def __init__(self, sections: tuple[tuple[float, ...], ...]) -> None:
        self._sections = sections
        self._state = np.zeros(2 * len(sections))

    def __call__(self, block: npt.NDArray[Any]) -> Doubles:
        """The filtered samples of the next block, [samples]."""
        whole = block.size // ROW * ROW
        rows = _rows(self._sections, ROW)
        sound = np.asarray(block[:whole], np.float64).reshape(-1, ROW)
        states = self._states(sound @ rows.sound_to_state, rows.state_to_state)
        out = np.empty(block.size)
        np.matmul(sound, rows.sound_to_out, out=out[:whole].reshape(-1, ROW))
        out[:whole].reshape(-1, ROW)[:] += states[:-1] @ rows.state_to_out
        self._state = states[-1]
        if whole < block.size:
            rest, last = np.asarray(block[whole:], np.float64), _rows(self._sections, block.size - whole)
            out[whole:] = rest @ last.sound_to_out + self._state @ last.state_to_out
            self._state = rest @ last.sound_to_state + self._state @ last.state_to_state
        return out

    def _states(self, given: Doubles, onwards: Doubles) -> Doubles:
        """The state before each row and after the last: each is the one before, moved onwards, and what was given."""
        states = np.concatenate([self._state[None], given])
        distance = 1
        while distance < len(states) and np.abs(onwards).max() > 1e-30:
            states[distance:] += states[:-distance] @ onwards  # all sums of 2, then 4, 8 … neighbours at once
            distance, onwards = 2 * distance, onwards @ onwards
        return states


@cache
def _rows(sections: tuple[tuple[float, ...], ...], size: int) -> _Rows:
    """Found by trying: one sample of 1, or one number of the state of 1, and all else nought."""
    count = 2 * len(sections)
    by_state = [_run(sections, np.zeros(size), np.eye(count)[at]) for at in range(count)]
    by_sound = [_run(sections, np.eye(size)[at], np.zeros(count)) for at in range(size)]
    return _Rows(
        sound_to_out=np.array([out for out, _ in by_sound]),
        state_to_out=np.array([out for out, _ in by_state]),
        sound_to_state=np.array([state for _, state in by_sound]),
        state_to_state=np.array([state for _, state in by_state]),
    )


def _run(sections: tuple[tuple[float, ...], ...], sound: Doubles, state: Doubles) -> tuple[Doubles, Doubles]:
    """Sample by sample, transposed direct form II."""
    out, after = sound.tolist(), state.tolist()
    for number, (b0, b1, b2, _, a1, a2) in enumerate(sections):
        near, far = after[2 * number : 2 * number + 2]
        for at, x in enumerate(out):
            y = b0 * x + near
            near, far = b1 * x - a1 * y + far, b2 * x - a2 * y
            out[at] = y
        after[2 * number : 2 * number + 2] = near, far
    return np.array(out), np.array(after)
