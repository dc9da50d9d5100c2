"""pyannote.audio as another ear: what we make of its answer, and what is said where it is not there."""

from __future__ import annotations

from importlib.util import find_spec
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from absent import missing

from chasqui.config import load
from chasqui.diarize import pyannote
from chasqui.errors import BadConfig, NoDiarizer
from chasqui.words import explain

from .conftest import Analyzed


def test_its_turns_become_ours() -> None:
    if find_spec("pyannote.core") is None:
        missing("pyannote.core")
    from pyannote.core import Annotation, Segment

    annotation = Annotation()
    annotation[Segment(0.5, 2.0), "x"] = "SPEAKER_01"
    annotation[Segment(1.5, 3.25), "y"] = "SPEAKER_00"
    annotation[Segment(4.0, 5.0), "x"] = "SPEAKER_01"
    told = [(turn.start_s, turn.end_s, turn.speaker) for turn in pyannote.turns(annotation)]
    assert told == [(0.5, 2.0, "1"), (1.5, 3.25, "2"), (4.0, 5.0, "1")]


def test_without_the_package_the_lesson_goes_on_and_says_how_to_get_it(
    conversation: Analyzed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> ModuleType:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(pyannote, "import_module", absent)
    turns = conversation.diarize(speakers="auto", by="pyannote:somewhere")
    assert (turns.status, turns.turns) == ("failed", None)
    assert turns.failure is not None
    error = turns.failure.as_error()
    assert isinstance(error, NoDiarizer)
    assert "pip install pyannote.audio" in str(error)
    assert "no puede distinguir las voces" in explain(error, "es")


@pytest.mark.parametrize("answer", [None, OSError("no such model")])
def test_a_model_that_it_may_not_fetch(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(name: str) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    audio = SimpleNamespace(Pipeline=SimpleNamespace(from_pretrained=opened))
    monkeypatch.setattr(pyannote, "import_module", lambda name: audio)
    with pytest.raises(NoDiarizer, match="pyannote:closed"):
        pyannote.apply("closed", None, 0.0, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("by", ["pyannote", "kaldi:x", "", "voiceprint:x"])
def test_a_slip_of_the_pen_is_told_at_once(by: str) -> None:
    with pytest.raises(BadConfig, match="nobody of that name tells voices apart"):
        load(diarize__by=by)
