"""What every recogniser must do: one set of tests, all back-ends, each of them real."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from chasqui.asr import KINDS, Recogniser, Settings, Span, open_recogniser
from chasqui.errors import NoRecogniser, WrongLanguage

from .conftest import needs
from .service import Service


@pytest.fixture(scope="module", params=sorted(KINDS))
def recogniser(request: pytest.FixtureRequest, known: Path) -> Iterator[Recogniser]:
    if request.param == "openai":
        needs("requests")
        with Service(request.getfixturevalue("listener")) as service:
            opened = open_recogniser(f"openai:whisper-1@{service.url}")
            yield opened
            opened.close()
        return
    if request.param == "pocketsphinx":
        needs("pocketsphinx")
    rest = {
        "memory": lambda: f":{known}",
        "pocketsphinx": str,
        "whisper": lambda: f":{request.getfixturevalue('tiny')}",
    }
    opened = open_recogniser(request.param + rest[request.param](), Settings(threads=1))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def clip(speech: Callable[[str], NDArray[np.float32]]) -> NDArray[np.float32]:
    return speech("fleurs-en-000")[16000 * 3 // 2 : 16000 * 5]


def test_words_come_in_order_inside_their_span_in_the_recordings_time(
    recogniser: Recogniser, clip: NDArray[np.float32]
) -> None:
    (heard,) = recogniser.hear([Span(clip, start_s=61.5)])
    assert len(heard.words) >= 3
    times = [time for word in heard.words for time in (word.start_s, word.end_s)]
    assert times == sorted(times)
    assert 61.5 <= times[0] < times[-1] <= 61.5 + len(clip) / 16000
    assert all(word.text == word.text.strip() != "" for word in heard.words)
    assert all(word.probability is None or 0 <= word.probability <= 1 for word in heard.words)
    assert all(value is None or 0 <= value <= 1 for value in (heard.confidence, heard.silence))
    assert heard.language in ("en", "es")


def test_each_span_gets_its_answer_and_nothing_gets_none(recogniser: Recogniser, clip: NDArray[np.float32]) -> None:
    nothing = np.zeros(0, np.float32)
    heard = recogniser.hear([Span(clip[:32000]), Span(nothing, 10.0), Span(clip, 20.0)], "en")
    assert len(heard) == 3
    assert heard[1].words == ()
    assert all(word.end_s <= 2.0 for word in heard[0].words)
    assert all(word.start_s >= 20.0 for word in heard[2].words)
    assert heard[2].words
    assert {one.language for one in heard} == {"en"}
    assert recogniser.hear([]) == []


def test_the_same_sound_gives_the_same_words_whatever_was_heard_before(
    recogniser: Recogniser, clip: NDArray[np.float32]
) -> None:
    span = Span(clip[: 16000 * 2])
    first = recogniser.hear([span])
    recogniser.hear([Span(clip[16000 * 2 :], 3.0)])
    assert recogniser.hear([span]) == first


def test_a_language_it_does_not_know_is_said(recogniser: Recogniser, clip: NDArray[np.float32]) -> None:
    if recogniser.languages is None:
        assert recogniser.name.startswith("openai")
        return
    assert "qu" not in recogniser.languages
    with pytest.raises(WrongLanguage, match="qu"):
        recogniser.hear([Span(clip)], "qu")


def test_it_can_be_started_again_after_it_was_let_go(recogniser: Recogniser, clip: NDArray[np.float32]) -> None:
    recogniser.close()
    recogniser.close()
    assert recogniser.hear([Span(clip[:32000])])


def test_it_says_what_it_is(recogniser: Recogniser) -> None:
    again = open_recogniser(recogniser.name)
    assert again.identity == recogniser.identity
    assert "/tmp" not in recogniser.identity


def test_a_kind_that_does_not_exist_is_said() -> None:
    with pytest.raises(NoRecogniser, match="known: whisper, openai"):
        open_recogniser("dragon:1")


@pytest.mark.parametrize(
    ("name", "package", "hint"),
    [
        ("whisper:tiny", "faster_whisper", "asr"),
        ("openai:x", "requests", "asr"),
        ("pocketsphinx", "pocketsphinx", "asr-light"),
    ],
)
def test_a_missing_package_comes_with_what_to_install(
    name: str, package: str, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda wanted: None if wanted == package else object())
    with pytest.raises(NoRecogniser, match=f'pip install "chasqui\\[{hint}\\]"'):
        open_recogniser(name)
