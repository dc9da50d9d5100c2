"""From a small sweep to models, judged and shipped: what comes out is what `choose` can open."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from chasqui.errors import BadConfig, BadModel
from chasqui.metrics.targets import TARGETS
from chasqui.models.load import Model, load
from chasqui.train import evaluate, export, fit, fit_card, fit_data, fit_phone, report
from chasqui.train.export_graph import operators

QUICK = ("kernel", "forest", "phone")


@pytest.fixture(scope="module")
def models(small_sweep: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("models")
    patch = pytest.MonkeyPatch()
    patch.setattr(fit_phone, "LESSONS", 600)
    patch.setattr(fit_phone, "TEACHER", fit_phone.Recipe(hidden=(16,), members=2, epochs=20))
    patch.setattr(fit_card.simulate, "LEVELS", (0.4, 0.6, 0.8))
    patch.setattr(fit_card.simulate, "WORTHS", (0.1, 0.3))
    for kind in fit_data.KINDS:
        steps = list(fit.fit(small_sweep, out, kind, QUICK))
        assert [step.algorithm for step in steps] == [name for name in QUICK if kind == "speech" or name != "phone"]
    patch.undo()
    return out


@pytest.fixture(scope="module")
def results(small_sweep: Path, models: Path) -> dict[str, object]:
    return evaluate.evaluate(small_sweep, models)


def test_a_fitted_model_opens_as_choose_opens_it_and_foretells(small_sweep: Path, models: Path) -> None:
    data = fit_data.read(small_sweep, "speech")
    for name in ("kernel", "forest"):
        model = Model(models / "speech" / name)
        assert not [op for op in operators((models / "speech" / name / "model.tflite").read_bytes()) if "Flex" in op]
        columns = model.columns(data.names, data.feature_version)
        curve = model.curve(data.features[0][columns], float(data.seconds[0]))
        assert curve is not None
        assert (np.diff(curve.mean[0, :7]) >= 0).all()
        assert (np.diff(curve.sizes) >= 0).all()
        assert 0.5 < curve.sizes[5] / data.bytes[0, 5] < 2
        # Better than the mean curve for those it learnt from.
        learn = data.of("fit")
        said = [model.curve(x[columns], s) for x, s in zip(learn.features, learn.seconds, strict=True)]
        means = np.array([one.mean.reshape(-1) for one in said if one is not None])
        aims = learn.aims[:, : means.shape[1]]
        assert np.mean((means - aims) ** 2) < 0.7 * aims.var(axis=0).mean()
        assert model.curve(np.full(len(columns), np.nan), 8.0) is None


def test_what_is_written_is_what_was_fitted(small_sweep: Path) -> None:
    made = fit.one(fit_data.read(small_sweep, "music"), "kernel", small_sweep)
    held = fit_data.read(small_sweep, "music").of("test")
    assert fit_card.compare(made.fitted, made.weights, held.features) < fit_card.TOLERANCE
    other = fit.one(fit_data.read(small_sweep, "music"), "forest", small_sweep)
    with pytest.raises(Exception, match="differs from what was fitted"):
        fit_card.compare(other.fitted, made.weights, held.features)


def test_the_evaluation_says_what_must_be_known(results: dict[str, object]) -> None:
    text = json.dumps(results, allow_nan=False)
    for needed in ("one rung", "rule of thumb", "search", "every rung", "coverage", "reliability", "language"):
        assert needed in text
    speech = results["kinds"]["speech"]  # type: ignore[index]
    assert speech["winner"] in ("kernel", "forest")
    for target in TARGETS:
        for name, one in speech["targets"][target]["methods"].items():
            for value in one.values():
                assert value["low"] <= value["value"] <= value["high"] or value["low"] == value["high"], name
            assert 1 <= one["encodes"]["value"] <= 17
    page = report.html(results)  # type: ignore[arg-type]
    assert page.count("<svg") == 8
    assert "http" not in page.replace("http://www.w3.org", "")
    assert len(page) < 1_000_000


def test_the_winners_are_shipped_with_what_was_measured(
    models: Path, results: dict[str, object], tmp_path: Path
) -> None:
    cards = export.export(models, tmp_path, "1.2.3", results)  # type: ignore[arg-type]
    assert [card.name for card in cards] == ["speech", "phone", "music"]
    for kind in ("speech", "music"):
        model = load(kind, tmp_path)  # type: ignore[arg-type]
        assert model.card.version == "1.2.3"
        assert model.card.scores["understood"]["encodes"] >= 1
        assert model.card.data["fit"]["segments"] > 0
        assert model.card.intended_use
        assert model.card.limits
    assert not list(tmp_path.rglob("*.pkl"))


def test_the_phone_model_says_the_same_as_json_and_as_tflite(
    small_sweep: Path, models: Path, results: dict[str, object], tmp_path: Path
) -> None:
    export.export(models, tmp_path, "1.2.3", results)  # type: ignore[arg-type]
    small = json.loads((tmp_path / "phone" / "model.json").read_text(encoding="utf-8"))
    card = Model(tmp_path / "phone").card
    assert small["format"] == "phone-1"
    assert small["sha256"] == card.sha256
    assert tuple(small["features"]) == card.features
    assert all(fit_phone.PHONE.fullmatch(name) for name in card.features)
    assert not [name for name in card.features if "khz" in name or "f0" in name or name.endswith("dbfs")]
    data = fit_data.read(small_sweep, "speech")
    lines = data.features[:, [data.names.index(name) for name in small["features"]]]
    at = np.clip((lines - small["mean"]) / small["scale"], -small["clip"], small["clip"])
    for layer in small["layers"]:
        at = at @ np.array(layer["w"]).T + layer["b"]
        at = np.maximum(at, 0) if layer["act"] == "relu" else at
    model = Model(tmp_path / "phone")
    for line, outputs, seconds in zip(lines, at, data.seconds, strict=True):
        curve = model.curve(line, float(seconds))
        assert curve is not None
        rising = np.maximum.accumulate(outputs[:7])
        assert curve.mean[0, :7] == pytest.approx(rising, abs=1e-3)


def test_a_model_fitted_again_is_not_shipped_with_the_scores_of_another(
    models: Path, results: dict[str, object], tmp_path: Path
) -> None:
    copy = tmp_path / "models"
    shutil.copytree(models, copy)
    winner = results["kinds"]["music"]["winner"]  # type: ignore[index]
    other = "forest" if winner == "kernel" else "kernel"
    shutil.rmtree(copy / "music" / winner)
    shutil.copytree(copy / "music" / other, copy / "music" / winner)
    with pytest.raises(BadModel, match="not the model that was evaluated"):
        export.export(copy, tmp_path / "out", "1.0.0", results)  # type: ignore[arg-type]


def test_strange_operators_and_algorithms_are_refused(
    small_sweep: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadConfig, match="no algorithm 'oracle'"):
        next(fit.fit(small_sweep, tmp_path, "speech", ["oracle"]))
    monkeypatch.setattr(export, "operators", lambda _: ["ADD", "FlexTensorListReserve", "VAR_HANDLE"])
    with pytest.raises(BadModel, match="FlexTensorListReserve, VAR_HANDLE"):
        export.builtin(b"", "model.tflite")
