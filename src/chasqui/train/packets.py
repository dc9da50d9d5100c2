"""What a sequence model sees of a segment: a row of numbers per Opus packet (`features.packet_features`).

They are made from the masters that the sweep kept, so other columns cost minutes and no label is measured again.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from chasqui.codecs.opus import PACKET_SAMPLES
from chasqui.features import PACKET_NAMES as COLUMNS
from chasqui.features import packet_features
from chasqui.media.flac import read_span
from chasqui.records import Master, Segment

__all__ = ["COLUMNS", "PACKETS_VERSION", "kept"]

#: Raise it when `packet_features` gives other numbers.
PACKETS_VERSION = "packets-1"
Rows = npt.NDArray[np.float16]


def kept(folder: Path, path: Path, master: Master, segments: Iterable[Segment]) -> dict[int, Rows]:
    """[packets, COLUMNS] of each segment by its index, measured now or before. Half precision: levels to 0.06 dB.

    Raises:
        OSError: the master cannot be read, or the rows cannot be written.
    """
    wanted = {segment.index: f"{segment.start_packet}+{segment.packets}" for segment in segments}
    at = folder / "packets" / f"{PACKETS_VERSION}-{master.audio.sha256[:16]}{master.gain_db:+g}.npz"
    known = _read(at)
    if not known.keys() >= set(wanted.values()):
        known = {place: _rows(path, master, place) for place in wanted.values()}
        at.parent.mkdir(parents=True, exist_ok=True)
        aside = at.with_suffix(".part.npz")
        np.savez(aside, **known)  # type: ignore[arg-type]  # the stubs take names for flags
        aside.replace(at)
    return {index: known[place] for index, place in wanted.items()}


def _rows(path: Path, master: Master, place: str) -> Rows:
    start, packets = (int(number) * PACKET_SAMPLES for number in place.split("+"))
    sound = read_span(path, master.gain_db, start, min(start + packets, master.samples))
    return np.asarray(packet_features(sound), np.float16)


def _read(path: Path) -> dict[str, Rows]:
    try:
        with np.load(path) as rows:
            return {place: np.asarray(rows[place], np.float16) for place in rows.files}
    except (OSError, ValueError):  # not there, or cut off
        return {}
