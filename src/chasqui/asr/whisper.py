"""Whisper on this machine, by faster-whisper: int8 on a processor, float16 on CUDA, in batches, with word times.

Models are never downloaded here: a school pays for its data, and a model may be 3 GB. `chasqui models pull` does that.
"""

from __future__ import annotations

import json
import logging
import math
import os
from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import version
from typing import Any

import numpy as np

from chasqui.asr import RATE_HZ, Heard, Settings, Span, check_language, need
from chasqui.asr.catalog import find, fingerprint
from chasqui.asr.cut import hear_in_pieces
from chasqui.asr.lay import lay
from chasqui.errors import BadModel, NoRecogniser, RecogniserLost
from chasqui.records import Word

#: Whisper looks at 30 s at a time.
LONGEST_S = 30.0
#: Batches per call: a call costs some 40 ms beside the work, and what waits for it 3 MB per piece.
BATCHES = 4
#: Under this there is nothing to hear, and half a frame of features is an error inside.
SHORTEST_S = 0.1
#: Languages written without spaces between words: there a token without a space before it is a word all the same.
UNSPACED = frozenset({"zh", "ja", "th", "lo", "my", "yue", "km"})


class Whisper:
    """A model of faster-whisper, by the name it was pulled under or by its folder."""

    may_hang = True

    def __init__(self, model: str, settings: Settings) -> None:
        self.name = f"whisper:{model}"
        need("faster_whisper", self.name, "asr")
        self.folder = find(model)
        self._settings = settings
        self._ear: _Ear | None = None

    @cached_property
    def identity(self) -> str:
        return f"faster-whisper-{version('faster-whisper')}-{fingerprint(self.folder)}"

    @cached_property
    def languages(self) -> frozenset[str] | None:
        """What the model itself lists; English alone for one without language tokens."""
        try:
            listed = json.loads((self.folder / "config.json").read_text(encoding="utf-8")).get("lang_ids") or []
            tokens = json.loads((self.folder / "vocabulary.json").read_text(encoding="utf-8"))
            found = {tokens[place].strip("<|>") for place in listed if 0 <= place < len(tokens)}
        except (OSError, ValueError, AttributeError, TypeError) as error:
            raise BadModel(path=str(self.folder), why=f"its list of languages cannot be read: {error}") from error
        return frozenset(found) or frozenset({"en"})

    def hear(self, spans: Sequence[Span], language: str | None = None) -> list[Heard]:
        check_language(self, language)
        if self._ear is None:
            self._ear = _Ear(self, self._settings)
        ear = self._ear
        return hear_in_pieces(
            spans, LONGEST_S, lambda pieces: ear.hear(pieces, language), BATCHES * self._settings.batch
        )

    def close(self) -> None:
        self._ear = None


class _Ear:
    """The loaded model."""

    def __init__(self, whisper: Whisper, settings: Settings) -> None:
        from faster_whisper import BatchedInferencePipeline, WhisperModel

        logging.getLogger("faster_whisper").setLevel(logging.ERROR)
        self._name, self._settings, self._folder = whisper.name, settings, str(whisper.folder)
        self._languages = whisper.languages or frozenset({"en"})
        self._spoken: list[tuple[str, float]] = []
        device = _device(settings.device)
        try:
            self._model: Any = WhisperModel(
                self._folder,
                device=device,
                compute_type="float16" if device == "cuda" else "int8",
                cpu_threads=settings.threads or os.cpu_count() or 1,
                local_files_only=True,  # nothing is fetched behind the user's back
            )
        except Exception as error:  # tokenizers raises nothing more exact
            raise _in_words(error, self._name, self._folder) from error
        self._pipeline: Any = BatchedInferencePipeline(self._model)
        self._encode = self._model.encode
        self._model.encode = self._encode_and_ask

    def _encode_and_ask(self, features: Any) -> Any:
        """Keeps which language each piece is in. faster-whisper decides by the same answer, but does not pass it on;
        asking once more costs one step of the decoder, encoding again would cost a third of everything.
        """
        output = self._encode(features)
        if self._asking:
            self._spoken += [answer[0] for answer in self._model.model.detect_language(output)]
        return output

    def hear(self, pieces: list[Span], language: str | None) -> list[Heard]:
        """One Heard per piece of at most 30 s, all in one call."""
        heard = [Heard(language=language)] * len(pieces)
        long = [place for place, piece in enumerate(pieces) if piece.seconds >= SHORTEST_S]
        if not long:
            return heard
        self._spoken, self._asking = [], language is None and len(self._languages) > 1
        # Clips start on whole hundredths: faster-whisper counts their words from there.
        gaps = [np.zeros(-len(pieces[place].sound) % (RATE_HZ // 100), np.float32) for place in long]
        sound = np.concatenate([part for at, gap in zip(long, gaps, strict=True) for part in (pieces[at].sound, gap)])
        starts = np.cumsum([0] + [len(pieces[at].sound) + len(gap) for at, gap in zip(long, gaps, strict=True)])
        clips = [
            {"start": float(start) / RATE_HZ, "end": float(start + len(pieces[at].sound)) / RATE_HZ}
            for start, at in zip(starts, long, strict=False)
        ]
        found = self._transcribe(sound, clips, language)
        for order, place in enumerate(long):
            segments = [s for s in found if s.seek == round(int(starts[order]) * 100 / RATE_HZ)]
            spoken = self._spoken[order] if self._asking else None
            heard[place] = _heard(segments, pieces[place], clips[order]["start"], language, spoken)
        return heard

    def _transcribe(self, sound: Any, clips: list[dict[str, float]], language: str | None) -> list[Any]:
        try:
            segments, _ = self._pipeline.transcribe(
                sound,
                language=language or ("en" if "en" in self._languages else min(self._languages)),
                multilingual=self._asking,
                clip_timestamps=clips,
                vad_filter=False,  # the caller has listened for speech already
                word_timestamps=True,
                beam_size=self._settings.beam,
                batch_size=min(len(clips), self._settings.batch),
            )
            return list(segments)
        except RuntimeError as error:
            raise _in_words(error, self._name, self._folder) from error


def _heard(segments: list[Any], piece: Span, offset_s: float, language: str | None, spoken: Any) -> Heard:
    detected, probability = (spoken[0].strip("<|>"), float(spoken[1])) if spoken else (language or "en", None)
    words = _words(segments, piece, offset_s, spaced=detected not in UNSPACED)
    if not segments:
        return Heard((), detected, probability)
    mean = sum(segment.avg_logprob for segment in segments) / len(segments)
    return Heard(
        words=words,
        language=detected,
        language_probability=probability,
        confidence=min(1.0, math.exp(mean)),
        silence=min(1.0, max(0.0, float(segments[0].no_speech_prob))),
    )


def _words(segments: list[Any], piece: Span, offset_s: float, spaced: bool) -> tuple[Word, ...]:
    """The words in the recording's time. A token without a space before it is the rest of the word before."""
    parts: list[list[Any]] = []
    for segment in segments:
        for token in segment.words or ():
            if parts and spaced and not token.word.startswith(" "):
                parts[-1].append(token)
            elif token.word.strip():
                parts.append([token])
    shift = piece.start_s - offset_s
    spoken = (
        (
            "".join(token.word for token in tokens),
            float(tokens[0].start) + shift,
            float(tokens[-1].end) + shift,
            sum(float(token.probability) for token in tokens) / len(tokens),
        )
        for tokens in parts
    )
    return lay(spoken, piece)


def _device(asked: str) -> str:
    if asked != "auto":
        return asked
    import ctranslate2

    return "cuda" if ctranslate2.get_cuda_device_count() else "cpu"


def _in_words(error: Exception, name: str, folder: str) -> Exception:
    said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if "out of memory" in said.lower() or "bad_alloc" in said:
        return RecogniserLost(name=name, why="memory ran out; a smaller model or a smaller batch needs less")
    if "CUDA" in said or "cublas" in said.lower() or "cudnn" in said.lower():
        return NoRecogniser(name=name, why=f"the graphics card cannot be used ({said}); the device cpu always can")
    return BadModel(path=folder, why=said)
