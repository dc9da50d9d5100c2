"""Features of sound by name: framed, batched, summed up, normalised. For NumPy, PyTorch, CuPy alike.

    frames = features.extract(clips, 16_000, ("log_mel", "mfcc", "f0_hz", "flatness"))
    table = features.aggregate(frames, ("mean", "std", "p95"))
    normal = features.Normaliser.fit(table.names, [table.values])

`CATALOGUE` lists the names. `analyze` measures its master with the same functions, one file per family.
"""

from __future__ import annotations

from chasqui.features.catalogue import CATALOGUE, Feature
from chasqui.features.extract import Frames, extract
from chasqui.features.normaliser import Normaliser
from chasqui.features.packets import PACKET_NAMES, packet_features
from chasqui.features.settings import Settings
from chasqui.features.statistics import Table, aggregate

__all__ = [
    "CATALOGUE",
    "PACKET_NAMES",
    "Feature",
    "Frames",
    "Normaliser",
    "Settings",
    "Table",
    "aggregate",
    "extract",
    "packet_features",
]
