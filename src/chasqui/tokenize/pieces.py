"""Subword ids by a tokenizer.json of Hugging Face `tokenizers`: one from `chasqui train pieces`, or a model's own."""

from __future__ import annotations

import json
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


def _load(path: Path) -> Any:
    try:
        from tokenizers import Tokenizer
    except ImportError:
        raise BadConfig(why="pieces need a package that is missing: pip install 'chasqui[data]'") from None
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfig(why=f"tokenize.pieces: {path} cannot be read") from error
    try:
        return Tokenizer.from_str(content)
    except Exception as error:
        raise BadConfig(why=f"tokenize.pieces: {path} is no tokenizer.json") from error
