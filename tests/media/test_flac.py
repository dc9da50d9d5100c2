"""The master comes back sample for sample, whole or in part."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from chasqui.media.flac import FlacWriter, read_master, read_span

SAMPLES = 48_000 * 20 + 1234


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    rng = np.random.default_rng(7)
    rough = np.convolve(rng.normal(size=SAMPLES), np.ones(8) / 8, "same") * 0.1
    rough[48_000:96_000] = 0.0  # digital silence takes another path in the encoder
    return rough.astype(np.float32)


def write(path: Path, sound: np.ndarray, piece: int, bits: Literal[16, 24] = 16) -> int:
    writer = FlacWriter(path, bits)
    for start in range(0, sound.size, piece):
        writer.write(sound[start : start + piece])
    return writer.close()


@pytest.mark.parametrize("bits", [16, 24])
def test_what_is_written_is_read(tmp_path: Path, sound: np.ndarray, bits: Literal[16, 24]) -> None:
    assert write(tmp_path / "m.flac", sound, 100_001, bits) == SAMPLES
    steps = np.float32(2 ** (bits - 1))
    back = np.concatenate(list(read_master(tmp_path / "m.flac")))
    np.testing.assert_array_equal(back, np.rint(sound * steps) / steps)


def test_blocks_are_exact_but_for_the_last(tmp_path: Path, sound: np.ndarray) -> None:
    write(tmp_path / "m.flac", sound, 48_000)
    sizes = [block.size for block in read_master(tmp_path / "m.flac", block=70_001)]
    assert set(sizes[:-1]) == {70_001}
    assert sum(sizes) == SAMPLES


def test_gain_is_applied(tmp_path: Path, sound: np.ndarray) -> None:
    write(tmp_path / "m.flac", sound, 48_000)
    plain = np.concatenate(list(read_master(tmp_path / "m.flac")))
    louder = np.concatenate(list(read_master(tmp_path / "m.flac", gain_db=6.0)))
    np.testing.assert_allclose(louder, plain * 10 ** (6 / 20), rtol=1e-6)


@pytest.mark.parametrize("bits", [16, 24])
def test_a_span_is_what_the_whole_holds_there(tmp_path: Path, sound: np.ndarray, bits: Literal[16, 24]) -> None:
    write(tmp_path / "m.flac", sound, 33_333, bits)
    whole = np.concatenate(list(read_master(tmp_path / "m.flac", gain_db=-3.0)))
    rng = np.random.default_rng(1)
    for start in [0, 1, 4095, 4096, 4097, SAMPLES - 10, *rng.integers(0, SAMPLES, 30).tolist()]:
        stop = start + int(rng.integers(1, 100_000))
        np.testing.assert_array_equal(read_span(tmp_path / "m.flac", -3.0, start, stop), whole[start:stop])


def test_the_same_samples_give_the_same_bytes_however_they_are_cut(tmp_path: Path, sound: np.ndarray) -> None:
    write(tmp_path / "a.flac", sound, 480_000)
    write(tmp_path / "b.flac", sound, 12_345)
    assert (tmp_path / "a.flac").read_bytes() == (tmp_path / "b.flac").read_bytes()


def test_beyond_full_scale_is_clipped_not_wrapped(tmp_path: Path) -> None:
    write(tmp_path / "m.flac", np.array([2.0, -2.0, 1.0, -1.0] * 2000, np.float32), 8000)
    back = np.concatenate(list(read_master(tmp_path / "m.flac")))
    assert back.max() <= 1.0 and back.min() >= -1.0
    assert np.all(back[::2] > 0.99) and np.all(back[1::2] < -0.99)
