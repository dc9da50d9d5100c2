"""Reads what a service answers: `verbose_json` of OpenAI's protocol, and what others make of it.

OpenAI gives words with times but without punctuation, beside the text that has it; other servers give words inside
segments, or segments alone. Text without any time is of no use here, and said to be so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from chasqui.asr import Heard, Span
from chasqui.asr.lay import lay
from chasqui.errors import BadAnswer

#: Where a word may be missing from one side or the other, this many tokens are looked ahead for it.
AHEAD = 4

_PAIRS = (
    "english:en chinese:zh german:de spanish:es russian:ru korean:ko french:fr japanese:ja portuguese:pt "
    "turkish:tr polish:pl catalan:ca dutch:nl arabic:ar swedish:sv italian:it indonesian:id hindi:hi "
    "finnish:fi vietnamese:vi hebrew:he ukrainian:uk greek:el malay:ms czech:cs romanian:ro danish:da "
    "hungarian:hu tamil:ta norwegian:no thai:th urdu:ur croatian:hr bulgarian:bg lithuanian:lt latin:la "
    "maori:mi malayalam:ml welsh:cy slovak:sk telugu:te persian:fa latvian:lv bengali:bn serbian:sr "
    "azerbaijani:az slovenian:sl kannada:kn estonian:et macedonian:mk breton:br basque:eu icelandic:is "
    "armenian:hy nepali:ne mongolian:mn bosnian:bs kazakh:kk albanian:sq swahili:sw galician:gl marathi:mr "
    "punjabi:pa sinhala:si khmer:km shona:sn yoruba:yo somali:so afrikaans:af occitan:oc georgian:ka "
    "belarusian:be tajik:tg sindhi:sd gujarati:gu amharic:am yiddish:yi lao:lo uzbek:uz faroese:fo pashto:ps "
    "turkmen:tk nynorsk:nn maltese:mt sanskrit:sa luxembourgish:lb myanmar:my tibetan:bo tagalog:tl "
    "malagasy:mg assamese:as tatar:tt hawaiian:haw lingala:ln hausa:ha bashkir:ba javanese:jw sundanese:su "
    "cantonese:yue quechua:qu aymara:ay guarani:gn"
)
#: OpenAI writes languages by their English names.
NAMES = dict(pair.split(":") for pair in _PAIRS.split())


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)


class _Word(_Part):
    word: str
    start: float
    end: float
    probability: float | None = None


class _Segment(_Part):
    text: str = ""
    start: float
    end: float
    avg_logprob: float | None = None
    no_speech_prob: float | None = None
    words: list[_Word] | None = None


class _Answer(_Part):
    text: str = ""
    language: str | None = None
    words: list[_Word] | None = None
    segments: list[_Segment] | None = None


def heard(answer: Any, span: Span, language: str | None, url: str) -> Heard:
    """What an answer says of a span.

    Raises:
        BadAnswer: no transcript, or one without times.
    """
    try:
        read = _Answer.model_validate(answer)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "all of it"
        raise BadAnswer(url=url, why=f"{place}: {first['msg']}") from error
    spoken = list(_spoken(read))
    if not spoken and read.text.strip():
        raise BadAnswer(url=url, why="it gave text without times; ask for a model that gives times of words")
    shifted = ((text, start + span.start_s, end + span.start_s, sure) for text, start, end, sure in spoken)
    segments = read.segments or []
    return Heard(
        words=lay(shifted, span),
        language=language or code(read.language),
        confidence=_mean([s.avg_logprob for s in segments], lambda value: min(1.0, math.exp(value))),
        silence=_mean([s.no_speech_prob for s in segments], lambda value: min(1.0, max(0.0, value))),
    )


def code(language: str | None) -> str | None:
    """The ISO code of a language that is written as a code or by its English name; None if it is neither."""
    known = (language or "").strip().lower()
    return known if known in NAMES.values() else NAMES.get(known)


def _spoken(read: _Answer) -> Iterator[tuple[str, float, float, float | None]]:
    segments = read.segments or []
    words = read.words or [word for segment in segments for word in segment.words or ()]
    if not words:
        for segment in segments:
            yield from _spread(segment)
        return
    text = read.text or " ".join(segment.text for segment in segments)
    for word, written in zip(words, dressed([word.word for word in words], text), strict=True):
        sure = word.probability
        if sure is None:
            sure = next((_sure(s) for s in segments if s.start <= (word.start + word.end) / 2 <= s.end), None)
        yield written, word.start, word.end, sure


def _spread(segment: _Segment) -> Iterator[tuple[str, float, float, float | None]]:
    """The words of a segment whose times alone are known, each as long as its letters: right within half a second."""
    words = segment.text.split()
    letters = sum(len(word) + 1 for word in words)
    at = segment.start
    for word in words:
        end = at + (segment.end - segment.start) * (len(word) + 1) / letters
        yield word, at, end, _sure(segment)
        at = end


def dressed(words: Sequence[str], text: str) -> list[str]:
    """Words as the text writes them, with its punctuation; one that the text does not have stays bare."""
    tokens, place, written = text.split(), 0, []
    for word in words:
        bare = _bare(word)
        found = next((at for at in range(place, min(place + AHEAD, len(tokens))) if _bare(tokens[at]) == bare), None)
        if found is None or not bare:
            written.append(word)
        else:
            written.append(tokens[found])
            place = found + 1
    return written


def _bare(token: str) -> str:
    return re.sub(r"[\W_]+", "", token).casefold()


def _sure(segment: _Segment) -> float | None:
    return None if segment.avg_logprob is None else min(1.0, math.exp(segment.avg_logprob))


def _mean(values: Sequence[float | None], to: Any) -> float | None:
    known = [to(value) for value in values if value is not None]
    return sum(known) / len(known) if known else None
