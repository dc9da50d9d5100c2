"""The card of a model: what it takes and gives, how far it may be trusted, and what people should know about it."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from chasqui.codecs.opus import LADDER_VERSION, ladder
from chasqui.errors import BadModel
from chasqui.metrics.targets import TARGETS_VERSION

CARD_VERSION: Literal["card-1"] = "card-1"
Metric = Literal["estoi", "visqol"]
#: Metrics by the kind of segment that a model is for, in the order of its outputs.
METRICS: dict[str, tuple[Metric, ...]] = {"speech": ("estoi", "visqol"), "music": ("visqol",)}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Normaliser(_Part):
    """Features enter the model as (x − mean) / scale, kept within ±`clip`."""

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    clip: float = 8.0

    def apply(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Normalised features, float32, of values of shape [..., features]."""
        normal = (values - np.asarray(self.mean)) / np.asarray(self.scale)
        return np.asarray(np.clip(normal, -self.clip, self.clip), np.float32)


class Levels(_Part):
    """How the policy spends encodes for one target; tuned on recordings that neither trained nor judge the model."""

    level: float = Field(gt=0, lt=1)  # the first rung is the cheapest one this likely to keep the target
    worth: float = Field(gt=0, lt=1)  # a cheaper rung is tried when it should save this share of the bytes
    constant: str  # the rung that keeps the target on 99 % of segments: taken where nothing can be predicted


class Card(_Part):
    """Everything about a model but its weights. Lengths agree, or it is not a card."""

    card_version: Literal["card-1"] = CARD_VERSION
    name: str
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    kind: Literal["speech", "music"]
    algorithm: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")  # of model.tflite
    feature_version: str
    features: tuple[str, ...] = Field(min_length=1)
    normaliser: Normaliser
    ladder_version: str
    targets_version: str
    rungs: tuple[str, ...] = Field(min_length=1)
    metrics: tuple[Metric, ...]
    # Of what the model gets wrong, in logits (ESTOI) and points (ViSQOL), for a segment of difficulty 1.
    covariance: tuple[tuple[float, ...], ...]
    # Per metric: quantiles of (measured − predicted) / deviation at equally spaced probabilities, from the calibration
    # recordings (split conformal prediction: Vovk et al. 2005, Lei et al. 2018).
    quantiles: dict[Metric, tuple[float, ...]]
    policy: dict[str, Levels]
    # For people.
    licence: str
    data: dict[str, Any]
    scores: dict[str, Any]  # what `chasqui train evaluate` measured on held-out recordings
    intended_use: str
    limits: str

    @model_validator(mode="after")
    def _agree(self) -> Card:
        size = len(self.metrics) * len(self.rungs)
        if len({len(self.features), len(self.normaliser.mean), len(self.normaliser.scale)}) != 1:
            raise ValueError("features and normaliser differ in length")
        if min(self.normaliser.scale) <= 0:
            raise ValueError("a scale of the normaliser is not positive")
        if self.metrics != METRICS[self.kind]:
            raise ValueError(f"a {self.kind} model predicts {METRICS[self.kind]}")
        if len(self.covariance) != size or any(len(row) != size for row in self.covariance):
            raise ValueError(f"the covariance is not {size} × {size}")
        if set(self.quantiles) != set(self.metrics) or min(map(len, self.quantiles.values())) < 3:
            raise ValueError("quantiles are missing")
        if any(list(values) != sorted(values) for values in self.quantiles.values()):
            raise ValueError("quantiles fall")
        if missing := {levels.constant for levels in self.policy.values()} - set(self.rungs):
            raise ValueError(f"constant rungs {sorted(missing)} are not on the ladder")
        return self

    @cached_property
    def matrix(self) -> NDArray[np.float64]:
        """The covariance, shape [metrics × rungs, metrics × rungs]."""
        return np.array(self.covariance)

    @property
    def outputs(self) -> int:
        """Numbers the model gives per segment: each metric at each rung, ln(bytes per second) at each rung, and
        ln(difficulty).
        """
        return (len(self.metrics) + 1) * len(self.rungs) + 1

    @property
    def title(self) -> str:
        """Name, version and the first digits of the hash: what enters cache keys."""
        return f"{self.name}-{self.version}+{self.sha256[:8]}"


def parse(path: Path) -> Card:
    """The card in a file: all that is needed to go on from a curve that its model foretold elsewhere.

    Raises:
        BadModel: missing, or not a card.
    """
    try:
        return Card.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BadModel(path=str(path), why=_told(error)) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadModel(path=str(path), why=f"{where}: {first['msg']}" if where else first["msg"]) from error


def _told(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def read(folder: Path) -> Card:
    """The card in a model's folder, checked against the ladder, the targets and the weights beside it.

    Raises:
        BadModel: missing, not a card, made for another ladder or other targets, or not the card of these weights.
    """
    path = folder / "card.json"
    card = parse(path)
    try:
        weights = (folder / "model.tflite").read_bytes()
    except OSError as error:
        raise BadModel(path=str(folder / "model.tflite"), why=_told(error)) from error
    expected = tuple(rung.name for rung in ladder("audio" if card.kind == "music" else "voip"))
    if card.ladder_version != LADDER_VERSION or card.rungs != expected:
        raise BadModel(path=str(path), why=f"made for ladder {card.ladder_version}, not {LADDER_VERSION}")
    if card.targets_version != TARGETS_VERSION:
        raise BadModel(path=str(path), why=f"made for {card.targets_version}, not {TARGETS_VERSION}")
    if hashlib.sha256(weights).hexdigest() != card.sha256:
        raise BadModel(path=str(folder / "model.tflite"), why="the hash is not the one on the card")
    return card
