"""Discrete acoustic units: the nearest of some hundred centres, every 20 ms, of the cepstra around it.

Cepstra are made alike first, by mean and deviation over the speech of the recording: the voice, the microphone and the
room of it are in there. A codebook is a file of numbers with a card; `chasqui train units` makes it. No sound can be
made of units again: a centre is no spectrum and knows no pitch.

Hsu et al. 2021 (HuBERT) start from the same kind of units: k-means of MFCC.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chasqui.errors import BadModel
from chasqui.tokenize.installed import SHIPPED as SHIPPED
from chasqui.tokenize.listen import CEPSTRA, FRAMES_PER_S, Floats, Frames

FILE, CARD = "codebook.npz", "card.json"
#: Raise it when the same sound and codebook would give other units.
FORMAT = "units-1"
#: Frames of 10 ms per unit, and which of them stands for it: the middle one.
HOP, MIDDLE = 2, 1
UNITS_PER_S = FRAMES_PER_S // HOP
#: A coefficient that hardly moves says nothing; its noise must not be blown up.
LEAST_DEVIATION = 1e-3


@dataclass(frozen=True)
class Likeness:
    """How the cepstra of a recording lie: what is taken off and divided by. float32 [CEPSTRA] each."""

    mean: Floats
    deviation: Floats


@dataclass(frozen=True)
class Codebook:
    """Centres [units, width] of cepstra at `context` (frames of 10 ms beside the middle) through a projection
    [len(context) × CEPSTRA, width]."""

    name: str
    version: str
    context: tuple[int, ...]
    projection: Floats
    centres: Floats
    usual: Likeness  # of the recordings it was trained on: for recordings without speech
    card: dict[str, Any]

    @property
    def vocabulary(self) -> int:
        """How many units there are."""
        return len(self.centres)

    def units(self, frames: Frames, likeness: Likeness) -> NDArray[np.uint16]:
        """The units of a block, [ceil(frames / 2)]."""
        return nearest(describe(frames, likeness, self.context) @ self.projection, self.centres)


def describe(frames: Frames, likeness: Likeness, context: tuple[int, ...]) -> Floats:
    """What stands around the middle of each unit of a block, made alike: [units, len(context) × CEPSTRA].

    Beyond both ends of the recording the outermost frame is repeated.
    """
    alike = (frames.cepstra - likeness.mean) / np.maximum(likeness.deviation, np.float32(LEAST_DEVIATION))
    units = -(-frames.own // HOP)
    middles = frames.first + MIDDLE + HOP * np.arange(units)
    places = np.clip(middles[:, None] + np.asarray(context), 0, len(alike) - 1)
    return np.asarray(alike[places].reshape(units, -1), np.float32)


def nearest(points: Floats, centres: Floats) -> NDArray[np.uint16]:
    """Index of the nearest centre (Euclid) to each point."""
    # |p − c|² without |p|², which is the same for all centres.
    score = np.float32(0.5) * np.einsum("ij,ij->i", centres, centres) - points @ centres.T
    return np.asarray(score.argmin(axis=1), np.uint16)


def likeness_of(cepstra: Floats, level_dbfs: Floats, active_db: float = 40.0) -> Likeness:
    """Of frames that are less than `active_db` below the loudest: what analyze does per segment."""
    active = cepstra[level_dbfs > level_dbfs.max() - active_db]
    return Likeness(active.mean(axis=0), active.std(axis=0))


@lru_cache(maxsize=8)
def load(folder: Path) -> Codebook:
    """The codebook in a folder.

    Raises:
        BadModel: not there, damaged, or of another format.
    """
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        with (folder / FILE).open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            arrays = {name: np.asarray(file[name], np.float32) for name in file.files if name != "context"}
            context = tuple(int(place) for place in file["context"])
        usual = Likeness(arrays["mean"], arrays["deviation"])
        book = Codebook(card["name"], card["version"], context, arrays["projection"], arrays["centres"], usual, card)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise BadModel(path=str(folder), why="it holds no codebook of units") from error
    width = book.centres.shape[-1]
    fits = (
        card.get("format") == FORMAT
        and book.projection.shape == (len(context) * CEPSTRA, width)
        and book.centres.ndim == 2
        and 2 <= len(book.centres) <= 1 << 16
        and usual.mean.shape == usual.deviation.shape == (CEPSTRA,)
        and all(np.isfinite(array).all() for array in arrays.values())
    )
    if not fits:
        raise BadModel(path=str(folder), why="its numbers do not fit together, or it is of another format")
    return book


def save(book: Codebook, folder: Path) -> None:
    """Write a codebook: the numbers first, then the card that makes it one."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / FILE).open("wb") as file:
        np.savez_compressed(
            file,
            context=np.asarray(book.context, np.int16),
            projection=book.projection,
            centres=book.centres,
            mean=book.usual.mean,
            deviation=book.usual.deviation,
        )
    card = {"format": FORMAT, **book.card, "name": book.name, "version": book.version}
    aside = folder / "card.part"
    aside.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    aside.replace(folder / CARD)
