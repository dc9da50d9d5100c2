"""A sequence of symbols on its way into a .npy, a block at a time: memory stays that of a block, counts are kept."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chasqui.records import AudioTokens
from chasqui.store import Workspace

#: A run that is longer than 16 bits can say (22 minutes of one unit) goes on as another one.
LONGEST_RUN = (1 << 16) - 1


class Sequence:
    """Takes symbols [frames, levels], gives AudioTokens."""

    def __init__(self, folder: Path, vocabulary: int, runs: bool) -> None:
        self._folder, self._vocabulary = folder, vocabulary
        self._kind: Any = np.uint8 if vocabulary <= 1 << 8 else np.uint16
        self._aside = folder / "symbols.part"
        self._counts: NDArray[np.int64] | None = None  # [levels, vocabulary]
        self._runs = _Runs() if runs else None
        self._parts: list[Path] = []
        self.frames = 0

    def add(self, symbols: NDArray[Any]) -> None:
        """The next frames, [frames, levels]."""
        if self._counts is None:
            self._counts = np.zeros((symbols.shape[1], self._vocabulary), np.int64)
            self._aside = self._folder / f"symbols-{id(self)}.part"
            self._aside.write_bytes(b"")
        with self._aside.open("ab") as out:
            out.write(np.ascontiguousarray(symbols, self._kind).tobytes())
        for level, column in enumerate(symbols.T):
            self._counts[level] += np.bincount(column.astype(np.int64), minlength=self._vocabulary)
        self.frames += len(symbols)
        if self._runs:
            self._runs.add(symbols[:, 0], self._folder / f"{self._aside.name}.runs")

    def finish(self, name: str, rate_hz: float, decodes: bool, why: str, work: Workspace) -> list[AudioTokens]:
        """The sequence in the store, and behind it its runs where they were asked for.

        Raises:
            ValueError: nothing was added.
        """
        if self._counts is None:
            raise ValueError("a sequence of nothing")
        levels = len(self._counts)
        bits = sum(_entropy(counts) for counts in self._counts)
        plain = name.replace("@", "-")
        shape = (self.frames,) if levels == 1 else (self.frames, levels)
        facts: dict[str, Any] = {"levels": levels, "vocabulary": self._vocabulary, "decodes": decodes, "why": why}
        made = [
            AudioTokens(
                name=name,
                blob=_npy(self._aside, self._folder / f"{plain}.npy", self._kind, shape, work),
                rate_hz=rate_hz,
                count=self.frames * levels,
                used=int((self._counts > 0).any(axis=0).sum()),
                bits_per_s=round(bits * rate_hz, 2),
                **facts,
            )
        ]
        if self._runs:
            aside = self._folder / f"{self._aside.name}.runs"
            runs = self._runs.finish(aside)
            rate = runs * rate_hz / self.frames
            alone: dict[str, Any] = {"count": runs, "used": made[0].used, "rate_hz": round(rate, 4), "bits_per_s": None}
            blob = _npy(aside, self._folder / f"{plain}-runs.npy", np.uint16, (runs, 2), work)
            made.append(AudioTokens(name=f"{name}+runs", blob=blob, **alone, **facts))
        return made


class _Runs:
    """Each symbol once, with how many frames it stays: rows of two 16-bit numbers."""

    def __init__(self) -> None:
        self._last: tuple[int, int] | None = None
        self._count = 0

    def add(self, symbols: NDArray[Any], aside: Path) -> None:
        edges = np.flatnonzero(np.diff(symbols.astype(np.int64))) + 1
        starts = np.concatenate([[0], edges])
        lengths = np.diff(np.concatenate([starts, [len(symbols)]]))
        runs = [(int(symbols[start]), int(length)) for start, length in zip(starts, lengths, strict=True)]
        if self._last and self._last[0] == runs[0][0]:
            runs[0] = (runs[0][0], runs[0][1] + self._last[1])
        elif self._last:
            runs.insert(0, self._last)
        self._last = runs.pop()
        self._write(runs, aside)

    def finish(self, aside: Path) -> int:
        """How many runs there are."""
        self._write([self._last] if self._last else [], aside)
        return self._count

    def _write(self, runs: list[tuple[int, int]], aside: Path) -> None:
        rows = []
        for symbol, length in runs:
            whole, rest = divmod(length, LONGEST_RUN)
            rows += [(symbol, LONGEST_RUN)] * whole + ([(symbol, rest)] if rest else [])
        with aside.open("ab") as out:
            out.write(np.array(rows, np.uint16).tobytes())
        self._count += len(rows)


def _entropy(counts: NDArray[np.int64]) -> float:
    """Bits per symbol, by how often each occurs."""
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log2(shares)).sum()) + 0.0


def _npy(aside: Path, path: Path, kind: Any, shape: tuple[int, ...], work: Workspace) -> Any:
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype(kind)), "fortran_order": False, "shape": shape}
    with aside.open("rb") as rows, path.open("wb") as out:
        np.lib.format.write_array_header_1_0(out, header)
        shutil.copyfileobj(rows, out)
    aside.unlink()
    return work.keep(path, "application/x-npy")
