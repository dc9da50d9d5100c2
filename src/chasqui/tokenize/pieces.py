"""Subword ids by a tokenizer.json of Hugging Face `tokenizers`: one from `chasqui train pieces`, or a model's own."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from chasqui.errors import BadConfig
from chasqui.records import Blob
from chasqui.store import Workspace


class Pieces:
    """Gathers the ids of stretch after stretch. Without a tokenizer it does nothing."""

    def __init__(self, path: str | None) -> None:
        """
        Raises:
            BadConfig: there is no such file, it is no tokenizer, or the package is missing.
        """
        self._path = Path(path) if path else None
        self._tokenizer: Any = _load(self._path) if self._path else None
        self._ids: list[int] = []
        self._offsets: list[tuple[int, int]] = []

    def add(self, text: str, at: int) -> None:
        """The pieces of a stretch that begins at character `at` of the plain text. No special tokens are put in."""
        if self._tokenizer is None:
            return
        found = self._tokenizer.encode(text, add_special_tokens=False)
        self._ids += found.ids
        self._offsets += [(at + start, at + end) for start, end in found.offsets]

    def keep(self, work: Workspace) -> Blob | None:
        """JSON: the tokenizer's name, how many pieces it knows, ids and offsets in the plain text."""
        if self._tokenizer is None or self._path is None:
            return None
        path = work.folder / "pieces.json"
        facts = {
            "tokenizer": self._path.name,
            "vocabulary": self._tokenizer.get_vocab_size(),
            "ids": self._ids,
            "offsets": self._offsets,
        }
        path.write_text(json.dumps(facts, separators=(",", ":")), encoding="utf-8")
        return work.keep(path, "application/json")


def train(texts: Iterable[str], size: int) -> str:
    """The tokenizer.json of byte-level BPE (no text is unknown to it) with at most `size` pieces, learnt from texts.

    Raises:
        BadConfig: the package is missing.
    """
    library = _library()
    made = library.Tokenizer(library.models.BPE())
    made.normalizer = library.normalizers.NFC()
    made.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = library.decoders.ByteLevel()
    letters = library.pre_tokenizers.ByteLevel.alphabet()
    trainer = library.trainers.BpeTrainer(vocab_size=size, initial_alphabet=letters, show_progress=False)
    made.train_from_iterator(texts, trainer)
    return str(made.to_str(pretty=True)) + "\n"


def _library() -> Any:
    try:
        import tokenizers
    except ImportError:
        raise BadConfig(why="pieces need a package that is missing: pip install 'chasqui[data]'") from None
    return tokenizers


def _load(path: Path) -> Any:
    library = _library()
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfig(why=f"tokenize.pieces: {path} cannot be read") from error
    try:
        return library.Tokenizer.from_str(content)
    except Exception as error:
        raise BadConfig(why=f"tokenize.pieces: {path} is no tokenizer.json") from error
