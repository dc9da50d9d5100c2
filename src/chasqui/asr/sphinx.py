"""pocketsphinx: a recogniser of 2005 that fits into 40 MB and runs anywhere, with its own model of US English.

It loses many more words than Whisper does. It is here because it is real, small and offline: good for comparing how
many words two encodes of the same speech lose, not for captions that somebody has to read.

`pocketsphinx:FOLDER` takes another language: a folder with a dictionary (`*.dict` or `*.dic`), a language model
(`*.lm*`) and an acoustic model (the folder with `mdef` in it).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from chasqui.asr import Heard, Settings, Span, check_language, need
from chasqui.asr.catalog import fingerprint
from chasqui.asr.cut import hear_in_pieces
from chasqui.asr.lay import lay
from chasqui.errors import BadModel
from chasqui.records import Word

#: Its search has no memory limit of its own; half a minute is what it does in about 100 MB.
LONGEST_S = 30.0
#: Frames per second of its times.
FRAMES = 100
#: <s>, <sil>, [NOISE], ++breath++ and the like: sounds, not words.
NO_WORD = re.compile(r"[<\[+].*[>\]+]")
#: The second and further pronunciations of a word: "read(2)".
OTHER_PRONUNCIATION = re.compile(r"\(\d+\)$")


class Sphinx:
    """pocketsphinx with its own English model, or with the model in a folder."""

    may_hang = True

    def __init__(self, folder: str, settings: Settings) -> None:
        self.name = f"pocketsphinx:{folder}" if folder else "pocketsphinx"
        need("pocketsphinx", self.name, "asr-light")
        self._model = _find(Path(folder)) if folder else None
        self._decoder: Any = None

    @cached_property
    def identity(self) -> str:
        model = fingerprint(self._model["hmm"], self._model["dict"], self._model["lm"]) if self._model else "en-us"
        return f"pocketsphinx-{version('pocketsphinx')}-{model}"

    @property
    def languages(self) -> frozenset[str] | None:
        return None if self._model else frozenset({"en"})

    def hear(self, spans: Sequence[Span], language: str | None = None) -> list[Heard]:
        check_language(self, language)
        if self._decoder is None:
            self._decoder = self._load()
        spoken = language or ("en" if self._model is None else None)
        return hear_in_pieces(spans, LONGEST_S, lambda pieces: [self._one(piece, spoken) for piece in pieces], batch=1)

    def _load(self) -> Any:
        from pocketsphinx import Decoder

        paths = {key: str(path) for key, path in (self._model or {}).items()}
        try:
            return Decoder(samprate=16_000.0, loglevel="FATAL", **paths)
        except (RuntimeError, ValueError) as error:
            raise BadModel(path=self.name, why=f"pocketsphinx cannot load it ({error})") from error

    def _one(self, piece: Span, language: str | None) -> Heard:
        # Cepstral means are learnt from what came before; without this the same span would give other words later.
        self._decoder.reinit_feat()
        self._decoder.start_utt()
        if len(piece.sound):
            samples = np.clip(piece.sound * 32768.0, -32768, 32767).astype("<i2")
            self._decoder.process_raw(samples.tobytes(), full_utt=True)
        self._decoder.end_utt()
        segments = [part for part in self._decoder.seg() or () if not NO_WORD.fullmatch(part.word)]
        words = lay(
            (
                (
                    OTHER_PRONUNCIATION.sub("", part.word),
                    piece.start_s + part.start_frame / FRAMES,
                    piece.start_s + (part.end_frame + 1) / FRAMES,
                    part.prob,
                )
                for part in segments
            ),
            piece,
        )
        return Heard(words, language, confidence=_mean(words))

    def close(self) -> None:
        self._decoder = None


def _mean(words: Sequence[Word]) -> float | None:
    known = [word.probability for word in words if word.probability is not None]
    return sum(known) / len(known) if known else None


def _find(folder: Path) -> dict[str, Path]:
    """The three parts of a model in a folder.

    Raises:
        BadModel: one is missing.
    """
    if not folder.is_dir():
        raise BadModel(path=str(folder), why="there is no such folder")
    found = {
        "hmm": next((path.parent for path in sorted(folder.rglob("mdef"))), None),
        "dict": next((path for path in sorted(folder.rglob("*.di*")) if path.suffix in (".dict", ".dic")), None),
        "lm": next((path for path in sorted(folder.rglob("*.lm*"))), None),
    }
    kept = {key: path for key, path in found.items() if path is not None}
    if missing := sorted(found.keys() - kept.keys()):
        raise BadModel(path=str(folder), why=f"these parts of it are missing: {', '.join(missing)}")
    return kept
