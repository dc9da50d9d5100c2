"""faster-whisper, for real, on a tiny model with the genuine tokenizer."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from chasqui.asr import RATE_HZ, Recogniser, Settings, Span, open_here
from chasqui.errors import BadModel, ModelAbsent, WrongLanguage

from .conftest import SAID

HERE = Settings(apart=False, threads=1, device="cpu")


@pytest.fixture
def copy(tiny: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny, tmp_path / "model"))


def test_words_carry_their_punctuation(listener: Recogniser, noise: NDArray[np.float32]) -> None:
    (heard,) = listener.hear([Span(noise, 7.0)])
    assert " ".join(word.text for word in heard.words) == SAID
    assert heard.confidence is not None
    assert heard.confidence > 0.5


def test_the_language_is_detected_for_each_span(listener: Recogniser, noise: NDArray[np.float32]) -> None:
    heard = listener.hear([Span(noise), Span(noise[:50], 9.0), Span(noise[:20000], 10.0)])
    assert [one.language for one in heard] == ["es", None, "es"]
    assert all(one.language_probability is None or one.language_probability > 0.9 for one in heard)
    (given,) = listener.hear([Span(noise)], "en")
    assert (given.language, given.language_probability) == ("en", None)


def test_what_is_over_30_s_is_cut_and_joined(listener: Recogniser) -> None:
    long = Span(np.zeros(70 * RATE_HZ, np.float32), 5.0, pauses_s=(30.0, 52.5))
    (heard,) = listener.hear([long], "es")
    assert " ".join(word.text for word in heard.words) == f"{SAID} {SAID} {SAID}"
    firsts = [word.start_s for word in heard.words if word.text == "Hola,"]
    assert firsts[0] < 30.0 <= firsts[1] < 52.5 <= firsts[2]


def test_batches_do_not_change_the_words(tiny: Path, noise: NDArray[np.float32]) -> None:
    spans = [Span(noise[: length * 4000], 10.0 * length) for length in range(2, 9)]
    one, many = (open_here(f"whisper:{tiny}", Settings(apart=False, threads=1, batch=n)).hear(spans) for n in (1, 8))
    assert [[word.text for word in heard.words] for heard in one] == [[w.text for w in heard.words] for heard in many]
    for left, right in zip(one, many, strict=True):
        assert [w.start_s for w in left.words] == pytest.approx([w.start_s for w in right.words], abs=0.05)


def test_the_model_says_which_languages_it_knows(listener: Recogniser) -> None:
    assert listener.languages is not None
    assert {"es", "en", "pt", "mi"} <= listener.languages
    assert not {"qu", "ay"} & listener.languages
    assert len(listener.languages) == 99


def test_an_english_model_does_not_take_spanish(copy: Path, noise: NDArray[np.float32]) -> None:
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**config, "lang_ids": []}))
    english = open_here(f"whisper:{copy}", HERE)
    with pytest.raises(WrongLanguage, match="it knows en"):
        english.hear([Span(noise)], "es")
    assert english.hear([Span(noise)])[0].language == "en"


def test_the_identity_is_that_of_the_bytes(copy: Path, tiny: Path) -> None:
    identity = open_here(f"whisper:{tiny}", HERE).identity
    assert open_here(f"whisper:{copy}", HERE).identity == identity
    model = bytearray((copy / "model.bin").read_bytes())
    model[-100] ^= 1
    (copy / "model.bin").write_bytes(model)
    assert open_here(f"whisper:{copy}", HERE).identity != identity


def test_wrong_folders_are_said(copy: Path, tmp_path: Path) -> None:
    with pytest.raises(BadModel, match="no such folder"):
        open_here(f"whisper:{tmp_path / 'gone'}", HERE)
    (copy / "tokenizer.json").unlink()
    (copy / "config.json").write_bytes(b"")
    with pytest.raises(BadModel, match=r"missing or empty: config\.json, tokenizer\.json"):
        open_here(f"whisper:{copy}", HERE)
    with pytest.raises(ModelAbsent, match="nobody knows it; known: tiny"):
        open_here("whisper:enormous", HERE)


@pytest.mark.parametrize("file", ["model.bin", "tokenizer.json", "config.json", "vocabulary.json"])
def test_damaged_files_are_said(copy: Path, file: str, noise: NDArray[np.float32]) -> None:
    data = (copy / file).read_bytes()
    (copy / file).write_bytes(data[: len(data) // 3])
    with pytest.raises(BadModel):
        open_here(f"whisper:{copy}", HERE).hear([Span(noise)])


def test_nothing_is_fetched(tiny: Path, noise: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def refuse(*_: object) -> None:
        raise AssertionError("somebody wanted the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert open_here(f"whisper:{tiny}", HERE).hear([Span(noise)])[0].words
