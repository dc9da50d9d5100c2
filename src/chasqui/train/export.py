"""Ships the winners: models with their cards, and the small net that phones evaluate themselves, as JSON.

No pickles, and nothing but operators that every LiteRT has built in.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from chasqui.codecs.opus import RUNGS
from chasqui.errors import BadModel
from chasqui.metrics.targets import TARGETS
from chasqui.models.card import Card, read
from chasqui.models.curve import wanted
from chasqui.train.export_graph import operators
from chasqui.train.fit_net import Layer

PHONE_FORMAT = "phone-1"
#: Operators that LiteRT refuses without TensorFlow's own, or that convert and then fail.
REFUSED = ("Flex", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "CALL_ONCE")

USE = {
    "speech": "Choosing the Opus rung of a stretch of speech (4–15 s) of a recorded class before anything is encoded. "
    "What it says is checked by measuring each encode; it is not a measure of quality, and says nothing about people.",
    "music": "Choosing the Opus rung of a stretch of music in a recorded class before anything is encoded. "
    "What it says is checked by measuring each encode; it is not a measure of quality.",
}
LIMITS = {
    "speech": "Little Spanish and no Quechua or Aymara in the training data; mostly read English at 16 kHz "
    "(LibriSpeech). Masters as `clean` leaves them; versions of ladder, targets and features as above. Classrooms are "
    "imitated (measured and synthetic room responses, noises at known levels), not recorded.",
    "music": "A few dozen pieces, most of them instrumental; sounds that `analyze` takes for music (rain, animals, "
    "machines) are among them. Masters as `clean` leaves them; versions of ladder, targets and features as above.",
}


def builtin(weights: bytes, path: str) -> list[str]:
    """The operators of a .tflite.

    Raises:
        BadModel: one of them is not built into every LiteRT.
    """
    found = operators(weights)
    if strange := [name for name in found if name.startswith(REFUSED)]:
        raise BadModel(path=path, why=f"it needs {', '.join(strange)}, which LiteRT does not have")
    return found


def export(models: Path, to: Path, version: str, results: dict[str, Any]) -> list[Card]:
    """Ship the winner for each kind and the phone's model, as `evaluate` found them, with what it measured.

    Raises:
        BadModel: one of them is damaged, was fitted again after it was judged, or needs more than LiteRT.
    """
    shipped = []
    for kind, found in results["kinds"].items():
        places = {kind: found["winner"]} | ({"phone": "phone"} if "phone" in found["models"] else {})
        for place, name in places.items():
            judged = found["models"][name]
            if read(models / kind / name).title != judged["title"]:
                raise BadModel(path=str(models / kind / name), why="it is not the model that was evaluated")
            shipped.append(ship(models / kind / name, to / place, version, measured(found, name), place))
    return shipped


def measured(found: dict[str, Any], name: str) -> dict[str, Any]:
    """What a card says about how good a model is, on held-out recordings."""
    targets = {
        target: {key: one["value"] for key, one in told["methods"][name].items()}
        for target, told in found["targets"].items()
    }
    facts = {key: found["models"][name][key] for key in ("errors", "coverage")}
    return {"held_out": {"segments": found["segments"]["test"], "groups": found["groups"]["test"]}, **targets, **facts}


def ship(folder: Path, to: Path, version: str, scores: dict[str, Any], name: str) -> Card:
    """Copy one fitted model under the name of its kind, with what was measured on its card.

    Raises:
        BadModel: not a model, or one that needs more than LiteRT.
    """
    card = read(folder)
    weights = (folder / "model.tflite").read_bytes()
    builtin(weights, str(folder / "model.tflite"))
    facts = {
        "name": name,
        "version": version,
        "scores": scores,
        "intended_use": USE[card.kind],
        "limits": LIMITS[card.kind],
    }
    shipped = Card.model_validate({**card.model_dump(), **facts})
    to.mkdir(parents=True, exist_ok=True)
    (to / "model.tflite").write_bytes(weights)
    aside = to / "card.part"
    aside.write_text(written(shipped), encoding="utf-8")
    aside.replace(to / "card.json")
    if (folder / "model.json").exists():
        small = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        said = {**small, "name": name, "version": version, "policy": phone_policy(shipped)}
        (to / "model.json").write_text(json.dumps(said, separators=(",", ":")) + "\n", encoding="utf-8")
    return shipped


def written(card: Card) -> str:
    """A card as a file: one line per entry, so that a new version shows what changed and the matrices stay small."""
    entries = [
        f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in card.model_dump().items()
    ]
    return "{\n" + ",\n".join(entries) + "\n}\n"


def is_version(text: str) -> bool:
    """Whether a text is a semantic version of three numbers."""
    return re.fullmatch(r"\d+\.\d+\.\d+", text) is not None


def phone(card: Card, layers: tuple[Layer, ...]) -> dict[str, Any]:
    """model.json: the same net as the card's .tflite, for an evaluator of a few lines in any language."""
    deviation = (card.matrix.diagonal() ** 0.5).reshape(len(card.metrics), -1)
    return {
        "format": PHONE_FORMAT,
        **{name: getattr(card, name) for name in ("name", "version", "kind", "feature_version", "ladder_version")},
        "targets_version": card.targets_version,
        "sha256": card.sha256,
        "features": card.features,
        "mean": card.normaliser.mean,
        "scale": card.normaliser.scale,
        "clip": card.normaliser.clip,
        "layers": [
            {"w": weights.T.tolist(), "b": bias.tolist(), "act": "relu" if depth < len(layers) - 1 else None}
            for depth, (weights, bias) in enumerate(layers)
        ],
        "rungs": card.rungs,
        "bitrates": [RUNGS[rung].bitrate_bps for rung in card.rungs],
        "metrics": card.metrics,
        "targets": {
            name: {metric: wanted(target, card.kind, metric) for metric in card.metrics}
            for name, target in TARGETS.items()
        },
        "deviation": [[float(f"{value:.4g}") for value in row] for row in deviation.tolist()],
        "quantiles": card.quantiles,
        "policy": phone_policy(card),
    }


def phone_policy(card: Card) -> dict[str, Any]:
    """A phone chooses once and cannot measure: where to begin, and what to take where nothing can be said."""
    return {name: {"level": one.level, "constant": one.constant} for name, one in card.policy.items()}
