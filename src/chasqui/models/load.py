"""Opens models and asks them. Runs on LiteRT alone; nothing of what trained them is needed."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from chasqui.errors import BadModel
from chasqui.models.card import Card, read
from chasqui.models.curve import Curve, predicted

ModelKind = Literal["speech", "music"]

#: The shipped models, one folder per kind.
SHIPPED = Path(__file__).parent


class Model:
    """One model, ready. Safe to share between threads: they take turns."""

    def __init__(self, folder: Path) -> None:
        from ai_edge_litert import interpreter

        self.card: Card = read(folder)
        # Without the default delegate: nothing to gain on nets this small, and it writes to stderr.
        plain, make = interpreter.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES, cast(Any, interpreter.Interpreter)
        try:
            self._net: Any = make(
                model_path=str(folder / "model.tflite"), num_threads=1, experimental_op_resolver_type=plain
            )
            self._net.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise BadModel(path=str(folder / "model.tflite"), why=f"LiteRT cannot run it: {error}") from error
        self._in, self._out = self._net.get_input_details()[0], self._net.get_output_details()[0]
        shape, gives = tuple(self._in["shape"]), int(np.prod(self._out["shape"]))
        if shape != (1, len(self.card.features)) or gives != self.card.outputs:
            raise BadModel(path=str(folder), why=f"takes {shape} and gives {gives} numbers, the card says otherwise")
        self._turn = threading.Lock()

    def columns(self, names: Sequence[str], version: str) -> list[int]:
        """Where this model's features stand among the columns of a features file.

        Raises:
            BadModel: trained on other features.
        """
        if version != self.card.feature_version:
            raise BadModel(path=self.card.title, why=f"trained on features {self.card.feature_version}, not {version}")
        missing = [name for name in self.card.features if name not in names]
        if missing:
            raise BadModel(path=self.card.title, why=f"features are missing: {', '.join(missing[:5])}")
        return [list(names).index(name) for name in self.card.features]

    def curve(self, features: NDArray[Any], seconds: float) -> Curve | None:
        """The prediction for one segment from its features (shape [features], in the card's order), or None where
        they cannot be used: a number that is not finite.
        """
        if not np.isfinite(features).all():
            return None
        with self._turn:
            self._net.set_tensor(self._in["index"], self.card.normaliser.apply(features)[None])
            self._net.invoke()
            outputs = np.array(self._net.get_tensor(self._out["index"]), np.float64).reshape(-1)
        return predicted(self.card, outputs, seconds) if np.isfinite(outputs).all() else None


@lru_cache(maxsize=8)
def load(kind: ModelKind, folder: Path = SHIPPED) -> Model:
    """The model for a kind of segment out of a folder of models (`speech/`, `music/`), the shipped ones by default.

    Raises:
        BadModel: missing, damaged, or made for another ladder, other targets or another kind.
    """
    model = Model(folder / kind)
    if model.card.kind != kind:
        raise BadModel(path=str(folder / kind), why=f"a model for {model.card.kind}")
    return model


@lru_cache(maxsize=8)
def card(kind: ModelKind, folder: Path = SHIPPED) -> Card:
    """Only the card: all that is needed to go on from a curve that was predicted elsewhere."""
    return read(folder / kind)
