"""The example class: it is there, it is a class, and its script can be spoken."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import av
import numpy as np
import pytest

FOLDER = Path(__file__).parents[1] / "examples" / "demo-lesson"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """`make_lesson.py` as a module."""
    spec = importlib.util.spec_from_file_location("make_lesson", FOLDER / "make_lesson.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["make_lesson"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_the_lesson_is_a_class_of_several_megabytes() -> None:
    assert 3e6 < (FOLDER / "clase.flac").stat().st_size < 6e6
    samples, peak = 0, 0
    with av.open(str(FOLDER / "clase.flac")) as container:
        stream = container.streams.audio[0]
        assert (stream.rate, stream.channels) == (44_100, 2)
        assert "license" in {key.lower() for key in container.metadata}
        for frame in container.decode(stream):
            samples += frame.samples
            peak = max(peak, int(np.abs(frame.to_ndarray().astype(np.int32)).max()))
    assert 120 <= samples / 44_100 <= 180
    assert 1_000 < peak < 32_000  # neither silent nor clipped


def test_two_people_talk_and_music_opens_and_closes(script: ModuleType) -> None:
    scenes = script.scenes((FOLDER / "guion.md").read_text(encoding="utf-8"))
    speakers = [who for who, text in scenes if text]
    assert scenes[0][0] == scenes[-1][0] == "música"
    assert set(speakers) == set(script.SPEAKERS)
    assert all(speakers.count(who) >= 5 for who in script.SPEAKERS)


def test_the_script_can_be_spoken_and_always_sounds_the_same(script: ModuleType, tool: Callable[[str], str]) -> None:
    tool("espeak-ng")
    speaker = script.SPEAKERS["Wilmer"]
    once, again = (script.line("¿Y qué hacemos?", speaker, np.random.default_rng(1)) for _ in range(2))
    assert 0.4 < len(once) / script.RATE_HZ < 3
    np.testing.assert_array_equal(once, again)
    assert 0.01 < np.sqrt((once**2).mean()) < 0.2


def test_the_jingle_is_stereo_and_tuned(script: ModuleType) -> None:
    sound = script.jingle(2, np.random.default_rng(1))
    assert sound.shape[1] == 2
    assert not np.array_equal(sound[:, 0], sound[:, 1])
    note = script.pipe(12, 0.5, np.random.default_rng(1))
    peak_hz = np.argmax(np.abs(np.fft.rfft(note))) / 0.5
    assert peak_hz == pytest.approx(440, abs=4)
