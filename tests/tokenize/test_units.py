"""Codebooks: whole, damaged, and what nearest means. The shipped ones fit their cards."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chasqui.errors import BadModel
from chasqui.tokenize import units
from chasqui.tokenize.audio import UNITS
from chasqui.tokenize.listen import CEPSTRA, Frames


def frames(count: int, seed: int = 0) -> Frames:
    dice = np.random.default_rng(seed)
    cepstra = dice.normal(size=(count + 60, CEPSTRA)).astype(np.float32)
    flat = np.zeros(count + 60, np.float32)
    return Frames(cepstra, flat, flat, 30, count)


@pytest.mark.parametrize("name", UNITS)
def test_shipped_codebooks_are_whole_small_and_say_what_they_are(name: str) -> None:
    folder = units.SHIPPED / name
    book = units.load(folder)
    assert (book.name, book.vocabulary) == (name, int(name.removeprefix("units-")))
    assert sum(file.stat().st_size for file in folder.iterdir()) < 150_000
    assert {"licence", "seed", "data", "scores"} <= set(book.card)
    assert book.card["data"]["speakers"] > 50


@given(st.integers(1, 400), st.integers(0, 5))
def test_there_is_a_unit_for_every_20_ms_begun(count: int, seed: int) -> None:
    book = units.load(units.SHIPPED / "units-100")
    found = book.units(frames(count, seed), book.usual)
    assert len(found) == -(-count // 2)
    assert found.max() < 100


def test_nearest_is_nearest() -> None:
    dice = np.random.default_rng(1)
    points, centres = (dice.normal(size=(size, 7)).astype(np.float32) for size in (200, 30))
    distances = ((points[:, None] - centres[None]) ** 2).sum(axis=2)
    assert (units.nearest(points, centres) == distances.argmin(axis=1)).all()


def test_loudness_and_colour_of_a_recording_change_no_unit() -> None:
    book, plain = units.load(units.SHIPPED / "units-100"), frames(300)
    coloured = plain._replace(cepstra=plain.cepstra * 1.7 + np.arange(CEPSTRA, dtype=np.float32))
    found = [book.units(one, units.likeness_of(one.cepstra, one.level_dbfs)) for one in (plain, coloured)]
    assert (found[0] == found[1]).mean() > 0.99


def test_saved_codebooks_come_back_the_same(tmp_path: Path) -> None:
    book = units.load(units.SHIPPED / "units-100")
    units.save(book, tmp_path / "again")
    again = units.load(tmp_path / "again")
    assert (again.name, again.version, again.context) == (book.name, book.version, book.context)
    assert (again.units(frames(200), again.usual) == book.units(frames(200), book.usual)).all()


@pytest.mark.parametrize("harm", ["no folder", "no card", "half a file", "another format", "a hole", "too narrow"])
def test_damaged_codebooks_are_refused(tmp_path: Path, harm: str) -> None:
    folder, book = tmp_path / "book", units.load(units.SHIPPED / "units-100")
    units.save(book, folder)
    card, file = folder / units.CARD, folder / units.FILE
    if harm == "no folder":
        folder = tmp_path / "elsewhere"
    elif harm == "no card":
        card.unlink()
    elif harm == "half a file":
        file.write_bytes(file.read_bytes()[:5000])
    elif harm == "another format":
        card.write_text(json.dumps({**json.loads(card.read_text()), "format": "units-9"}))
    else:
        centres = np.array(book.centres)
        centres[3, 3] = np.nan
        wrong = centres if harm == "a hole" else centres[:, :-1]
        units.save(units.Codebook(book.name, "1", book.context, book.projection, wrong, book.usual, {}), folder)
    with pytest.raises(BadModel, match=r"no codebook|do not fit"):
        units.load(folder)
