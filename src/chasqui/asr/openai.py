"""Any service that speaks OpenAI's protocol for transcription: OpenAI itself, or a server of one's own.

`openai:MODEL@URL`, with the URL up to `/v1`. The key comes from OPENAI_API_KEY and is sent nowhere else; a server of
one's own may need none. Spans are sent as WAV, which every such server reads: 32 kB for each second.
"""

from __future__ import annotations

import io
import os
import wave
from collections.abc import Sequence
from typing import Any

import numpy as np

from chasqui.asr import RATE_HZ, Heard, Settings, Span, need
from chasqui.asr.answer import heard
from chasqui.asr.cut import hear_in_pieces
from chasqui.asr.service import Service, TooBig
from chasqui.errors import BadAnswer, NoRecogniser

DEFAULT_URL = "https://api.openai.com/v1"
#: OpenAI takes files up to 25 MB; what surrounds the sound in a request is far less than the 100 kB left here.
LONGEST_S = (25_000_000 - 100_000) / (2 * RATE_HZ)
#: A service that finds even this too big has another complaint.
SHORTEST_S = 5.0


class OpenAI:
    """A model behind an address."""

    may_hang = False  # every answer has its time limit

    def __init__(self, rest: str, settings: Settings) -> None:
        model, _, url = rest.partition("@")
        self.name = f"openai:{rest}"
        need("requests", self.name, "asr")
        if not model:
            raise NoRecogniser(name=self.name, why="it needs the name of a model: openai:MODEL@URL")
        url = (url or os.environ.get("OPENAI_BASE_URL", "") or DEFAULT_URL).rstrip("/")
        if not url.startswith(("http://", "https://")):
            raise NoRecogniser(name=self.name, why=f"{url} is no address; it begins with https:// or http://")
        self._model, self._url, self._settings = model, url, settings
        self._service: Service | None = None

    @property
    def identity(self) -> str:
        """The model and the address: a service does not say when it changes a model under its name."""
        return f"openai-{self._model}@{self._url}"

    @property
    def languages(self) -> frozenset[str] | None:
        return None

    def hear(self, spans: Sequence[Span], language: str | None = None) -> list[Heard]:
        return hear_in_pieces(spans, LONGEST_S, lambda pieces: [self._one(pieces[0], language)], batch=1)

    def _one(self, piece: Span, language: str | None) -> Heard:
        if not len(piece.sound):
            return Heard(language=language)
        self._service = self._service or Service(f"{self._url}/audio/transcriptions", self._settings)
        fields: dict[str, Any] = {
            "model": self._model,
            "response_format": "verbose_json",
            "timestamp_granularities[]": ["word", "segment"],
            "temperature": "0",
        }
        if language:
            fields["language"] = language
        try:
            answer = self._service.post(fields, "span.wav", _wav(piece), "audio/wav")
        except TooBig as refused:
            if piece.seconds <= SHORTEST_S:
                raise BadAnswer(url=self._url, why=f"it finds even {piece.seconds:.0f} s too big") from refused
            half = piece.seconds / 2 + 1 / RATE_HZ
            return hear_in_pieces([piece], half, lambda pieces: [self._one(pieces[0], language)], batch=1)[0]
        return heard(answer, piece, language, self._url)

    def close(self) -> None:
        if self._service is not None:
            self._service.close()
        self._service = None


def _wav(span: Span) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes(np.clip(span.sound * 32768.0, -32768, 32767).astype("<i2").tobytes())
    return file.getvalue()
