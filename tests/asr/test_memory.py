"""The in-memory twin."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from chasqui.asr import RATE_HZ, Span, open_recogniser
from chasqui.asr.memory import Known, Memory
from chasqui.errors import BadModel
from chasqui.records import Word


def test_a_word_is_heard_in_the_span_in_which_its_middle_lies() -> None:
    words = tuple(Word(text=str(n), start_s=n - 0.5, end_s=n + 0.5) for n in range(1, 5))
    twin = Memory(known=Known(words=words, language="es"))
    second = np.zeros(RATE_HZ, np.float32)
    heard = twin.hear([Span(second, float(start)) for start in range(5)])
    assert [[word.text for word in one.words] for one in heard] == [[], ["1"], ["2"], ["3"], ["4"]]
    assert (heard[0].language, heard[0].language_probability) == ("es", 1.0)
    assert twin.hear([Span(second)], "qu")[0].language == "qu"


@pytest.mark.parametrize("text", ["", "[]", '{"words": [{"text": "a"}]}', '{"wrods": []}'])
def test_a_file_that_holds_no_words_is_said(tmp_path: Path, text: str) -> None:
    file = tmp_path / "words.json"
    file.write_text(text)
    with pytest.raises(BadModel, match="not a list of words"):
        open_recogniser(f"memory:{file}")
    with pytest.raises(BadModel):
        open_recogniser(f"memory:{tmp_path / 'gone.json'}")
