"""pocketsphinx with its real English model on real English speech."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from chasqui.asr import Settings, Span, open_here
from chasqui.errors import BadModel, WrongLanguage

from .conftest import needs


@pytest.fixture(autouse=True)
def installed() -> None:
    needs("pocketsphinx")


def test_it_hears_most_words_of_read_english(speech: Callable[[str], NDArray[np.float32]], media: Path) -> None:
    (heard,) = open_here("pocketsphinx", Settings()).hear([Span(speech("fleurs-en-000"))])
    said = (media / "asr" / "cuttledoc" / "fleurs-en-000.txt").read_text().split()
    found = {word.text for word in heard.words}
    assert sum(word in found for word in said) >= len(said) / 2
    assert "however" in found
    assert not any(mark in word.text for word in heard.words for mark in "<>[]()+")
    however = next(word for word in heard.words if word.text == "however")
    assert 0.8 < however.start_s < 1.5 < however.end_s + 0.2  # by ear: 1.0–1.5 s


def test_it_knows_english_alone(noise: NDArray[np.float32]) -> None:
    opened = open_here("pocketsphinx", Settings())
    with pytest.raises(WrongLanguage, match="does not know the language es; it knows en"):
        opened.hear([Span(noise)], "es")


def test_another_model_comes_from_a_folder(tmp_path: Path, speech: Callable[[str], NDArray[np.float32]]) -> None:
    own = Path(str(files("pocketsphinx"))) / "model" / "en-us"
    (tmp_path / "acoustic").mkdir()
    for part in (own / "en-us").iterdir():
        (tmp_path / "acoustic" / part.name).symlink_to(part)
    for name in ("cmudict-en-us.dict", "en-us.lm.bin"):
        (tmp_path / name).symlink_to(own / name)
    opened = open_here(f"pocketsphinx:{tmp_path}", Settings())
    assert opened.languages is None  # a folder does not say what is spoken in it
    assert opened.identity != open_here("pocketsphinx", Settings()).identity
    assert opened.hear([Span(speech("fleurs-en-000")[16000:32000])], "xx")[0].words
    (tmp_path / "en-us.lm.bin").unlink()
    with pytest.raises(BadModel, match="are missing: lm"):
        open_here(f"pocketsphinx:{tmp_path}", Settings())
    with pytest.raises(BadModel, match="no such folder"):
        open_here(f"pocketsphinx:{tmp_path / 'gone'}", Settings())
