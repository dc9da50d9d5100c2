"""One budget for several lessons."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from clips import excerpt

from chasqui.config import load
from chasqui.errors import BadConfig, NotMedia
from chasqui.media.flac import FlacWriter
from chasqui.metrics.targets import TARGETS
from chasqui.run.unit import packing_unit
from chasqui.store import open_store

RANK = [None, *TARGETS]


@pytest.fixture(scope="module")
def unit(media: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two short lessons and a file that is none."""
    folder = tmp_path_factory.mktemp("unit")
    sources = ("resemblyzer/1069-133699-0000.flac", "resemblyzer/1034-121119-0000.flac")
    for number, name in enumerate(sources):
        with FlacWriter(folder / f"{number}.flac") as writer:
            writer.write(np.asarray(excerpt(media / "speech" / name, 0, 9), np.float32))
    (folder / "notes.flac").write_text("not a recording")
    return folder


def test_the_lessons_share_a_budget_and_a_promise(unit: Path, models: Path, tmp_path: Path) -> None:
    config = load(env={}, choose__models=models, encode__mp3=False, threads=2)
    budget = 26_000
    packed = list(packing_unit([unit], budget, tmp_path / "out", open_store(f"file:{tmp_path / 'store'}"), config))
    lessons = [one.lesson for one in packed if one.lesson]
    kept = [one.certificate.kept for one in packed if one.certificate]
    assert len(lessons) == 2
    assert 0.75 * budget < sum(lesson.bytes for lesson in lessons) <= budget
    assert abs(RANK.index(kept[0]) - RANK.index(kept[1])) <= 1
    assert [type(one.error) for one in packed if one.error] == [NotMedia]


def test_too_little_for_all_is_refused_before_anything_is_encoded(unit: Path, models: Path, tmp_path: Path) -> None:
    config = load(env={}, choose__models=models, threads=2)
    store = open_store(f"file:{tmp_path / 'store'}")
    with pytest.raises(BadConfig, match="too small"):
        list(packing_unit([unit], 5_000, tmp_path / "out", store, config))
    assert not (tmp_path / "out").exists()


def test_a_search_cannot_be_split(unit: Path, tmp_path: Path) -> None:
    config = load(env={}, choose__method="search")
    with pytest.raises(BadConfig, match="predict"):
        list(packing_unit([unit], 50_000, tmp_path / "out", open_store("memory:"), config))
