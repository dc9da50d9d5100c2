"""Choosing by the models' word alone."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import standin
from lesson import Packed

from chasqui.choose import Options
from chasqui.choose.prediction import choices, foretell
from chasqui.errors import BadConfig, BadModel
from chasqui.records import Choice, Plan, Segment


def planned(lesson: Packed, **flags: Any) -> tuple[Plan, list[Choice]]:
    plan: Plan = lesson.run("choose", **flags)
    return plan, lesson.lines(plan.choices, Choice)


def test_a_plan_without_a_single_encode(analyzed: Packed) -> None:
    plan, chosen = planned(analyzed)
    segments = analyzed.lines(analyzed.get("analyze").segments, Segment)
    assert (plan.target, plan.promise, plan.encodes) == ("understood", "understood", 0)
    assert [choice.segment for choice in chosen] == [segment.index for segment in segments]
    assert len(plan.cards) == 2
    for choice, segment in zip(chosen, segments, strict=True):
        assert not choice.measured
        assert (choice.forecast is None) == (segment.kind == "silence")
        if choice.forecast:
            assert choice.forecast.model in plan.predictor_version
            assert "likely" in choice.why
            assert (choice.forecast.estoi is None) == (segment.kind == "music")


def test_milliseconds_per_segment(analyzed: Packed, models: Path) -> None:
    analysis = analyzed.get("analyze")
    path, segments = analyzed.store.path(analysis.features), analyzed.lines(analysis.segments, Segment)
    choices(path, segments, "understood", Options(models=models), 500)  # loads the models
    started = time.process_time()
    for _ in range(10):
        choices(path, segments, "understood", Options(models=models), 500)
    assert (time.process_time() - started) / 10 / len(segments) < 0.005


def spoiled(analyzed: Packed, folder: Path, change: Any) -> Path:
    """The features file, altered."""
    with np.load(analyzed.store.path(analyzed.get("analyze").features)) as table:
        columns = {name: table[name] for name in table.files}
    change(columns)
    path = folder / "features.npz"
    np.savez(path, **columns)
    return path


def test_features_that_are_no_numbers_get_the_constant_rung(analyzed: Packed, models: Path, tmp_path: Path) -> None:
    def spoil(columns: dict[str, Any]) -> None:
        columns["values"] = np.full_like(columns["values"], np.nan)

    path = spoiled(analyzed, tmp_path, spoil)
    segments = analyzed.lines(analyzed.get("analyze").segments, Segment)
    for segment, choice in zip(
        segments, choices(path, segments, "understood", Options(models=models), 500).choices, strict=True
    ):
        constant = standin.facts("music" if segment.kind == "music" else "speech")["policy"]["understood"]["constant"]
        if segment.kind != "silence":
            assert (choice.rung, choice.forecast, choice.doubtful) == (constant, None, True)
            assert "cannot be used" in choice.why


def test_other_features_than_the_model_was_trained_on_are_refused(
    analyzed: Packed, models: Path, tmp_path: Path
) -> None:
    segments = analyzed.lines(analyzed.get("analyze").segments, Segment)
    old = spoiled(analyzed, tmp_path, lambda columns: columns.update(version=np.array("segments-0")))
    with pytest.raises(BadModel, match="segments-0"):
        foretell(old, segments, models)
    lacking = spoiled(analyzed, tmp_path, lambda columns: columns.update(names=np.array(["x"] * len(columns["names"]))))
    with pytest.raises(BadModel, match="features are missing"):
        foretell(lacking, segments, models)


def test_the_models_are_part_of_the_key(models: Path, tmp_path: Path) -> None:
    for kind in ("speech", "music"):
        standin.write(tmp_path, kind, limits="another card, the same weights")
        standin.write(tmp_path / "new", kind, version="0.0.2")
    same, moved, new = (Options(models=folder).model_dump() for folder in (models, tmp_path, tmp_path / "new"))
    assert same == moved, "where models lie is nobody's business"
    assert same != new
    assert "models" not in same
    assert Options(method="search").models_in_use == ()


def test_a_missing_model_is_said(analyzed: Packed, tmp_path: Path) -> None:
    with pytest.raises(BadModel, match="no such file"):
        analyzed.run("choose", choose__models=tmp_path)


def test_a_budget_by_forecast(analyzed: Packed) -> None:
    free, _ = planned(analyzed, choose__target="comfortable")
    plan, chosen = planned(analyzed, choose__budget_bytes=round(free.expected_bytes * 1.1))
    assert plan.promise is not None
    assert plan.target == plan.promise
    assert plan.ceiling == "clear"
    assert plan.expected_bytes <= free.expected_bytes * 1.1
    assert all("budget" in choice.why for choice in chosen if choice.forecast)
    tight, _ = planned(analyzed, choose__budget_bytes=round(free.expected_bytes * 0.62))
    assert tight.promise is None
    with pytest.raises(BadConfig, match="too small"):
        planned(analyzed, choose__budget_bytes=3000)
