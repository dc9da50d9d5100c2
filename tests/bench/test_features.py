"""The speed of feature extraction is measured on real sound, and honest about what is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import features


def test_a_short_run(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "TURNS", 1)
    rows = features.measure(media, minutes=0.5)
    assert [row["job"] for row in rows if row["library"] == "numpy"] == ["analyze", "packets", "catalogue"]
    assert all(row["times_real_time"] > 20 for row in rows)
    assert all(row["largest_difference"] < 1e-4 for row in rows)
    assert "× real time" in features.shown(rows)


def test_what_is_not_there_is_said(
    media: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(features, "TURNS", 1)
    rows = features.measure(media, minutes=0.3, device="cuda")
    said = capsys.readouterr().out
    libraries = {row["library"] for row in rows} - {"numpy"}
    if not libraries:
        assert "PyTorch is not installed" in said
    elif libraries == {"torch, CPU"}:
        assert "There is no GPU" in said
    else:
        assert "There is no GPU" not in said
