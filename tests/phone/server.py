"""What the server's own code says about the same sound: what the phone is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from clips import Pcm, excerpt

from chasqui.analyze import blocks, features, frames
from chasqui.analyze.voice import per_packet
from chasqui.metrics.targets import TARGETS
from chasqui.models.card import Card, Levels, Normaliser
from chasqui.models.curve import predicted
from chasqui.models.policy import first


def joined(media: Path, names: Sequence[str], seconds: float, start_s: float = 0) -> Pcm:
    """Real recordings one after the other, mono at 48 kHz."""
    return np.concatenate([excerpt(media / name, start_s, seconds) for name in names])


def rows(sound: Pcm) -> features.Rows:
    """Everything that `analyze` measures, but for what it hears voices with."""
    parts = []
    pieces = [sound[at : at + blocks.SAMPLES] for at in range(0, len(sound), blocks.SAMPLES)]
    for block in blocks.blocks(pieces):
        measures = frames.measure(block, blocks.lower(block))
        seconds = np.stack([per_packet(column) for column in measures.seconds.T], axis=1)
        nobody = np.zeros(blocks.PACKETS, np.float32)
        grids = features.Rows(measures.frames, measures.pitch, measures.wide, seconds, nobody, nobody)
        parts.append(grids.part(0, -(-block.samples // 2880)))
    return features.Rows.join(parts)


def summaries(sound: Pcm, segments: list[dict[str, Any]], names: list[str]) -> Any:
    """The server's features of the phone's segments, shape [segments, names]."""
    measured = rows(sound)
    columns = [features.NAMES.index(name) for name in names]
    spans = [(segment["startPacket"], segment["startPacket"] + segment["packets"]) for segment in segments]
    return np.array([features.summarize(measured.part(*span))[columns] for span in spans], np.float64)


def card(model: dict[str, Any]) -> Card:
    """The card that a model.json would have on the server."""
    deviations = np.concatenate(model["deviation"])
    return Card(
        name=model["name"],
        version=model["version"],
        kind="speech",
        algorithm="net",
        sha256="0" * 64,
        feature_version=model["feature_version"],
        features=tuple(model["features"]),
        normaliser=Normaliser(mean=tuple(model["mean"]), scale=tuple(model["scale"]), clip=model["clip"]),
        ladder_version=model["ladder_version"],
        targets_version=model["targets_version"],
        rungs=tuple(model["rungs"]),
        metrics=tuple(model["metrics"]),
        covariance=tuple(map(tuple, np.diag(deviations**2).tolist())),
        quantiles={name: tuple(values) for name, values in model["quantiles"].items()},
        policy={
            name: Levels(level=levels["level"], worth=0.2, constant=levels["constant"])
            for name, levels in model["policy"].items()
        },
        licence="MIT",
        data={},
        scores={},
        intended_use="",
        limits="",
    )


def choices(card: Card, outputs: Any, seconds: float) -> dict[str, Any]:
    """Chances, first rung per target and sizes that the server would see in what a net put out."""
    curve = predicted(card, outputs, seconds)
    told: dict[str, Any] = {
        name: {"chance": curve.chance(target), "rung": card.rungs.index(first(curve, target))}
        for name, target in TARGETS.items()
    }
    return {**told, "sizes": curve.sizes}
