"""What is a card, and what is refused as one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import standin

from chasqui.errors import BadModel
from chasqui.models.card import Normaliser, parse, read


def test_a_good_card_is_read(models: Path) -> None:
    card = read(models / "speech")
    assert card.title.startswith("stand-in-speech-0.0.1+")
    assert card.outputs == 3 * len(card.rungs) + 1
    assert card.matrix.shape == (2 * len(card.rungs),) * 2


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"ladder_version": "opus-0"}, "ladder opus-0"),
        ({"targets_version": "targets-0"}, "targets-0"),
        ({"sha256": "0" * 64}, "hash"),
        ({"rungs": ["voice-5"]}, "covariance"),
        ({"covariance": [[1.0]]}, "covariance"),
        ({"features": ["duration_s"]}, "differ in length"),
        ({"metrics": ["visqol"]}, "predicts"),
        ({"version": "one"}, "version"),
        ({"normaliser": {"mean": [0.0] * 3, "scale": [0.0] * 3}}, "not positive"),
        ({"quantiles": {"estoi": [0.0, 1.0, 2.0]}}, "quantiles are missing"),
        ({"quantiles": {"estoi": [0.0, 2.0, 1.0], "visqol": [0.0, 1.0, 2.0]}}, "quantiles fall"),
        ({"policy": {"understood": {"level": 0.5, "worth": 0.1, "constant": "voice-99"}}}, "voice-99"),
        ({"policy": {"understood": {"level": 1.5, "worth": 0.1, "constant": "voice-9"}}}, "level"),
        ({"surprise": 1}, "surprise"),
        ({"features": []}, "features"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(tmp_path: Path, changed: dict[str, Any], why: str) -> None:
    with pytest.raises(BadModel, match=why):
        read(standin.write(tmp_path, "speech", **changed))


def test_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    folder = standin.write(tmp_path, "speech")
    facts = json.loads((folder / "card.json").read_text())
    facts["covariance"][0][0] = float("nan")
    (folder / "card.json").write_text(json.dumps(facts))
    with pytest.raises(BadModel, match="covariance"):
        read(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"name": 5}', "\x00\x01"])
def test_what_is_no_card_is_refused(tmp_path: Path, text: str) -> None:
    folder = standin.write(tmp_path, "speech")
    (folder / "card.json").write_text(text)
    with pytest.raises(BadModel):
        read(folder)


@pytest.mark.parametrize("name", ["card.json", "model.tflite"])
def test_a_missing_file_is_said(tmp_path: Path, name: str) -> None:
    folder = standin.write(tmp_path, "speech")
    (folder / name).unlink()
    with pytest.raises(BadModel, match="no such file"):
        read(folder)


def test_a_card_alone_is_enough_to_go_on(models: Path) -> None:
    assert parse(models / "music" / "card.json") == read(models / "music")


def test_features_far_out_are_held_back() -> None:
    normal = Normaliser(mean=(1.0, 0.0), scale=(2.0, 1.0)).apply([[3.0, 1e30]])  # type: ignore[arg-type]
    assert normal.tolist() == [[1.0, 8.0]]
