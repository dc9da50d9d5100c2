"""Long silences cut to a length that still sounds like a pause. Off unless asked for: it moves everything after it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from chasqui.clean.level import WORKING_LUFS
from chasqui.clean.step import RATE_HZ, Samples
from chasqui.records import Treatment
from chasqui.records.cuts import Cuts

HOP = RATE_HZ // 50
#: Speech stands near −17 LUFS here; 30 dB under it there are only breath and room.
SILENT = 10.0 ** ((WORKING_LUFS - 30.0) / 20.0)
FADE = RATE_HZ // 50


class Silence:
    """Silences longer than `most_s` keep their first and last half of it, joined by a fade of 20 ms."""

    def __init__(self, most_s: float) -> None:
        self._most_s = most_s
        self._half = max(int(most_s * RATE_HZ / 2) // HOP, 1) * HOP
        self._rest = np.zeros(0, np.float32)
        self._run = 0  # samples of the silence so far
        self._tail = np.zeros(0, np.float32)  # the last samples of a long silence, not given yet
        self._places = 0
        self._removed = 0
        self._taken = 0  # samples that came
        self._removals: list[tuple[int, int]] = []  # (where in what came, how many)

    def process(self, block: Samples) -> Iterator[Samples]:
        sound = np.concatenate([self._rest, block])
        whole = sound.size // HOP
        self._rest = sound[whole * HOP :]
        frames = sound[: whole * HOP].reshape(whole, HOP)
        quiet = np.einsum("ij,ij->i", frames, frames) < SILENT**2 * HOP
        edges = np.flatnonzero(np.diff(quiet)) + 1
        given = [self._take(part.ravel(), bool(silent)) for part, silent in _runs(frames, quiet, edges)]
        if given and (joined := np.concatenate(given)).size:
            yield joined

    def _take(self, part: Samples, silent: bool) -> Samples:
        if not silent:
            said = np.concatenate([self._end(), part])
            self._taken += part.size
            return said
        self._taken += part.size
        now = part[: max(self._half - self._run, 0)]
        self._run += part.size
        # Half a silence and a fade are remembered; what lies in between is dropped as it comes.
        room = self._half + FADE
        tail = np.concatenate([self._tail, part[now.size :]])
        if tail.size > 2 * room:
            self._removed += tail.size - 2 * room
            tail = np.concatenate([tail[:FADE], tail[FADE + tail.size - 2 * room :]])
        self._tail = tail
        return now

    def _end(self) -> Samples:
        """The silence is over: its second half, joined to what was given of the first."""
        tail, run = self._tail, self._run
        self._tail, self._run = np.zeros(0, np.float32), 0
        extra = tail.size - self._half
        if extra <= FADE:
            return tail
        rise = np.linspace(0, 1, FADE, dtype=np.float32)
        end = tail[extra:].copy()
        end[:FADE] = tail[:FADE] * (1 - rise) + end[:FADE] * rise
        self._removed += extra
        self._places += 1
        self._removals.append((self._taken - run + self._half, run - 2 * self._half))
        return end

    def flush(self) -> Iterator[Samples]:
        last = np.concatenate([self._end(), self._rest])
        if last.size:
            yield last

    def cuts(self) -> Cuts:
        """What of everything that came was given."""
        kept, at = [], 0
        for start, samples in (*self._removals, (self._taken + self._rest.size, 0)):
            if start > at:
                kept.append((at, start - at))
            at = start + samples
        return Cuts(rate_hz=RATE_HZ, kept=tuple(kept))

    def treatments(self) -> list[Treatment]:
        seconds = self._removed / RATE_HZ
        why = f"{self._places} silences longer than {self._most_s:g} s were shortened by {seconds:.1f} s in all"
        effect = {"removed_s": round(seconds, 3), "places": float(self._places)}
        return [Treatment(name="silence", applied=self._places > 0, effect=effect, why=why)]


def _runs(frames: Samples, quiet: np.ndarray, edges: np.ndarray) -> Iterator[tuple[Samples, bool]]:
    for start, stop in zip([0, *edges.tolist()], [*edges.tolist(), len(frames)], strict=True):
        if stop > start:
            yield frames[start:stop], bool(quiet[start])
