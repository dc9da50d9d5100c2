"""Fitted in pieces as in one, stored, and careful about what it is given."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from chasqui.errors import BadConfig, BadModel
from chasqui.features import Normaliser

RNG = np.random.default_rng(8)
NAMES = ("a", "b", "c")


def rows(count: int) -> np.ndarray:
    return (RNG.normal(size=(count, 3)) * (1, 50, 0) + (3, -200, 7)).astype(np.float32)


def test_pieces_give_what_the_whole_gives() -> None:
    whole = rows(1000)
    one = Normaliser.fit(NAMES, [whole])
    many = Normaliser.fit(NAMES, (whole[start : start + 7] for start in range(0, 1000, 7)))
    np.testing.assert_allclose(many.mean, one.mean, rtol=1e-9)
    np.testing.assert_allclose(many.scale, one.scale, rtol=1e-9)
    assert one.scale[2] == 1  # a constant column is only shifted
    found = many.apply(whole)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(found[:, :2].std(axis=0), 1, atol=1e-4)
    assert found.dtype == np.float32


def test_outliers_are_cut_off() -> None:
    normal = Normaliser.fit(NAMES, [rows(100)], limit=5.0)
    assert normal.apply(np.full((1, 3), 1e9, np.float32)).max() == 5


def test_it_survives_the_disk(tmp_path: Path) -> None:
    normal = Normaliser.fit(NAMES, [rows(100)])
    normal.save(tmp_path / "normal.json")
    assert Normaliser.load(tmp_path / "normal.json") == normal


@pytest.mark.parametrize(
    "change", [{"version": 9}, {"names": ["a"]}, {"scale": [1, 1, 0]}, {"mean": [1, 2, float("nan")]}, {"mean": None}]
)
def test_a_damaged_file_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "normal.json"
    path.write_text(json.dumps(Normaliser.fit(NAMES, [rows(100)]).to_json() | change))
    with pytest.raises(BadModel, match=r"normal\.json cannot be used"):
        Normaliser.load(path)


def test_a_missing_or_cut_off_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "half.json").write_text('{"version": 1, "na')
    for name in ("half.json", "none.json"):
        with pytest.raises(BadModel, match=name):
            Normaliser.load(tmp_path / name)


def test_wrong_rows_are_refused() -> None:
    with pytest.raises(BadConfig, match="at least one row"):
        Normaliser.fit(NAMES, [np.zeros((0, 3))])
    with pytest.raises(BadConfig, match="3 columns"):
        Normaliser.fit(NAMES, [np.zeros((2, 4))])
    with pytest.raises(BadConfig, match="column 'b' holds NaN"):
        Normaliser.fit(NAMES, [np.array([[1, np.nan, 2]])])
    with pytest.raises(BadConfig, match="4 columns were given and 3 are known"):
        Normaliser.fit(NAMES, [rows(10)]).apply(np.zeros((2, 4), np.float32))
