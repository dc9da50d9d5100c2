"""What a sweep measured, read back; and every way in which it can be of no use."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chasqui.errors import BadTraining
from chasqui.train import fit_data
from chasqui.words import explain


@pytest.fixture
def spoilt(small_sweep: Path, tmp_path: Path) -> Callable[..., Path]:
    """A copy of the small sweep with one table changed."""
    import pyarrow.parquet as pq

    def spoil(name: str, change: Callable[[Any], Any]) -> Path:
        copy = tmp_path / "sweep"
        shutil.copytree(small_sweep, copy)
        pq.write_table(change(pq.read_table(copy / name)), copy / name)
        return copy

    return spoil


def test_segments_come_whole_with_all_their_rungs(small_sweep: Path) -> None:
    for kind, rungs, metrics in (("speech", 17, 2), ("music", 9, 1)):
        data = fit_data.read(small_sweep, kind)  # type: ignore[arg-type]
        assert data.scores.shape == (len(data), metrics, rungs)
        assert data.features.shape == (len(data), len(data.names))
        assert np.isfinite(data.aims).all()
        assert data.aims.shape == (len(data), (metrics + 1) * rungs)
        assert sum(len(data.of(part)) for part in fit_data.PARTS) == len(data)
        assert sum(data.left_out.values()) == 0


def test_a_sweep_cut_off_half_way_gives_what_is_whole(spoilt: Callable[..., Path]) -> None:
    sweep = spoilt("rows.parquet", lambda rows: rows.slice(0, rows.num_rows - 40))
    data = fit_data.read(sweep, "speech")
    assert data.left_out["rungs missing"] > 0
    assert len(data) + data.left_out["rungs missing"] == 80


def test_features_that_are_not_numbers_leave_their_segment_out(spoilt: Callable[..., Path]) -> None:
    def lose(table: Any) -> Any:
        import pyarrow as pa

        place = table.column_names.index("centroid_hz_mean")
        values = table.column(place).to_numpy().copy()
        values[[i for i, kind in enumerate(table.column("kind").to_pylist()) if kind == "speech"][:3]] = np.nan
        return table.set_column(place, "centroid_hz_mean", pa.array(values))

    data = fit_data.read(spoilt("segments.parquet", lose), "speech")
    assert data.left_out["features not finite"] == 3
    assert len(data) == 77


@pytest.mark.parametrize(
    ("name", "change", "why"),
    [
        ("rows.parquet", lambda t: t.drop_columns(["visqol"]), "faltan columnas: visqol"),
        ("segments.parquet", lambda t: t.drop_columns(["snr_db"]), "faltan columnas: snr_db"),
        ("segments.parquet", lambda t: t.drop_columns(["split"]), "faltan columnas: split"),
        ("rows.parquet", lambda t: t.slice(0, 300), "hacen falta"),
    ],
)
def test_what_is_lacking_is_said(name: str, change: Any, why: str, spoilt: Callable[..., Path]) -> None:
    with pytest.raises(BadTraining) as error:
        fit_data.read(spoilt(name, change), "speech")
    assert why in explain(error.value, "es")


def test_half_a_file_is_no_table(small_sweep: Path, tmp_path: Path) -> None:
    copy = tmp_path / "sweep"
    shutil.copytree(small_sweep, copy)
    (copy / "rows.parquet").write_bytes((small_sweep / "rows.parquet").read_bytes()[:2000])
    with pytest.raises(BadTraining, match="no whole Parquet file"):
        fit_data.read(copy, "speech")
    with pytest.raises(BadTraining, match="no whole Parquet file"):
        fit_data.read(tmp_path / "nowhere", "speech")


def test_a_sweep_must_say_what_its_features_are(small_sweep: Path, tmp_path: Path) -> None:
    copy = tmp_path / "sweep"
    shutil.copytree(small_sweep, copy)
    for text in ("{", json.dumps({"features": ["snr_db"]}), "[]"):
        (copy / "sweep.json").write_text(text, encoding="utf-8")
        with pytest.raises(BadTraining, match="which features"):
            fit_data.read(copy, "speech")


def test_one_speaker_is_nobody_to_judge_by(spoilt: Callable[..., Path]) -> None:
    def alone(table: Any) -> Any:
        import pyarrow as pa

        return table.set_column(table.column_names.index("split"), "split", pa.array(["fit"] * table.num_rows))

    with pytest.raises(BadTraining, match="0 whole speech segments of 0 groups to calibrate with, 8 are needed"):
        fit_data.read(spoilt("segments.parquet", alone), "speech")


def test_a_group_stands_on_one_side_only(spoilt: Callable[..., Path]) -> None:
    def mingle(table: Any) -> Any:
        import pyarrow as pa

        return table.set_column(table.column_names.index("group"), "group", pa.array(["ana"] * table.num_rows))

    with pytest.raises(BadTraining, match="group ana stands on more than one side"):
        fit_data.read(spoilt("segments.parquet", mingle), "speech")
