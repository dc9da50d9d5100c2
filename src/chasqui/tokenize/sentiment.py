"""Sentiment by a text classifier in a folder, through transformers. Which one deserves trust is the caller's choice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chasqui.errors import BadConfig
from chasqui.records import Token
from chasqui.tokenize.layout import Laid
from chasqui.tokenize.tongues import Tongue

#: Subwords of a stretch that are looked at: what classifiers of this kind take in at most. Half a minute has about 120.
MOST = 512


class Sentiment:
    """The labels of the classifier itself, per stretch, with their probabilities."""

    def __init__(self, folder: str) -> None:
        """
        Raises:
            BadConfig: no such folder, no classifier in it, or transformers is missing.
        """
        if not Path(folder).is_dir():
            raise BadConfig(why=f"sentiment: there is no folder {folder}; nothing is downloaded")
        try:
            import torch
            from transformers import AutoModelForSequenceClassification, AutoTokenizer
            from transformers.utils import logging
        except ImportError:
            raise BadConfig(why="sentiment needs packages that are missing: pip install 'chasqui[neural]'") from None
        bars: Any = logging
        bars.disable_progress_bar()  # run/progress.py alone draws
        local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, **local)
            self._model: Any = AutoModelForSequenceClassification.from_pretrained(folder, use_safetensors=True, **local)
        except (OSError, ValueError, KeyError) as error:
            raise BadConfig(why=f"sentiment: there is no text classifier in {folder}") from error
        self._model.eval()
        self._torch: Any = torch
        self._name = Path(folder).name
        self._items: list[dict[str, Any]] = []

    def add(self, part: Laid, tokens: list[Token], how: Tongue, at: int) -> None:
        given = self._tokenizer(part.text, return_tensors="pt", truncation=True, max_length=MOST)
        with self._torch.inference_mode():
            chances = self._model(**given).logits[0].softmax(-1).tolist()
        names = self._model.config.id2label
        scores = {names[place]: round(chance, 4) for place, chance in enumerate(chances)}
        place = {"start": at, "end": at + len(part.text)}
        self._items.append({**place, "label": max(scores, key=lambda name: scores[name]), "scores": scores})

    def told(self) -> dict[str, Any]:
        return {"items": self._items, "made_by": self._name, "why": "labels of the classifier that was named"}
