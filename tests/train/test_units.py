"""Codebooks out of a small folder: the same from the same seed, and worth more than chance."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from chasqui.cli import chasqui
from chasqui.errors import NoSpeech, OneSpeaker
from chasqui.tokenize import units as codebooks
from chasqui.train import units


@pytest.fixture(scope="module")
def voices(media: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight people, one recording each."""
    folder = tmp_path_factory.mktemp("voices")
    for file in sorted((media / "speech" / "resemblyzer").glob("*.flac"))[:8]:
        (folder / file.stem).mkdir()
        shutil.copy(file, folder / file.stem / file.name)
    return folder


@pytest.fixture(scope="module")
def heard(voices: Path) -> list[units.Heard]:
    return units.listen_to(voices, 1)


def test_nobody_is_on_both_sides(heard: list[units.Heard]) -> None:
    parts: dict[str, set[str]] = {}
    for one in heard:
        parts.setdefault(one.source.group, set()).add(one.part)
    assert len(parts) >= 6  # those of 4 s or more
    assert all(len(found) == 1 for found in parts.values())
    assert {part for found in parts.values() for part in found} == {"fit", "calibrate", "test"}


def test_the_same_seed_gives_the_same_codebook(heard: list[units.Heard], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "CLASSES", 40)
    one, again, other = (units.fit(heard, 20, seed, "1.0.0") for seed in (1, 1, 2))
    assert (one.centres == again.centres).all() and (one.projection == again.projection).all()
    assert not np.array_equal(one.centres, other.centres)
    assert one.card["data"]["speakers"] == len({h.source.group for h in heard if h.part == "fit"})


def test_what_a_codebook_is_worth_is_measured_on_voices_it_did_not_hear(
    heard: list[units.Heard], voices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(units, "CLASSES", 40)
    scores = units.judge(units.fit(heard, 20, 1, "1.0.0"), heard, voices)
    assert 0 < scores["bits_per_s"] <= 50 * np.log2(20)
    assert scores["kept"] > 5 * scores["by_chance"]
    assert 20 <= scores["run_ms"] < 200
    assert scores["minutes"] == pytest.approx(sum(h.frames.own for h in heard if h.part == "test") / 6000, abs=0.06)


def test_one_speaker_or_none_is_refused(voices: Path, tmp_path: Path) -> None:
    with pytest.raises(NoSpeech):
        units.listen_to(tmp_path, 1)
    one = next(voices.iterdir())
    shutil.copytree(one, tmp_path / "all" / "one")
    with pytest.raises(OneSpeaker):
        units.listen_to(tmp_path / "all", 1)


def test_the_command_leaves_codebooks_that_tokenize_reads(
    voices: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(units, "CLASSES", 40)
    asked = ["train", "units", "--media", str(voices), "--out", str(tmp_path), "--size", "20", "--json"]
    done = CliRunner().invoke(chasqui, [*asked, "--model-version", "1.2.3"], standalone_mode=False)
    assert done.exception is None, done.output
    (told,) = json.loads(done.output.splitlines()[-1])["units"]
    book = codebooks.load(tmp_path / "units-20")
    assert (book.name, book.version, book.vocabulary) == ("units-20", "1.2.3", 20)
    assert book.card["scores"] == {name: value for name, value in told.items() if name != "name"}


def test_pieces_are_learnt_from_texts(tmp_path: Path) -> None:
    text = tmp_path / "a.txt"
    text.write_text("La fotosíntesis usa la luz. La luz es energía.\n" * 20, encoding="utf-8")
    out = tmp_path / "tokenizer.json"
    asked = ["train", "pieces", str(text), "--out", str(out), "--pieces", "300", "--lang", "en"]
    done = CliRunner().invoke(chasqui, asked, standalone_mode=False)
    assert done.exception is None, done.output
    assert json.loads(out.read_text())["model"]["type"] == "BPE"
    assert "20 lines" in done.output
