"""PESQ beside our own scores, on a sample of the segments: does a second opinion rank the rungs alike?

PESQ (ITU-T P.862.2, wideband) may not be part of a product without a licence, so it decides nothing, is no dependency,
and is only measured where its package was installed by hand.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from scipy.signal import resample_poly

from chasqui.codecs.opus import Rung
from chasqui.media import segment as sound
from chasqui.records import Master, Segment
from chasqui.store import Workspace
from chasqui.train.extra import need
from chasqui.train.split import shuffled

RATE_HZ = 16_000
VERSION = "pesq-wb"


def needed() -> Any:
    """The function of the package `pesq`, which compiles on installation.

    Raises:
        BadConfig: it is not installed.
    """
    return need("pesq", install="pesq").pesq


def chosen(segment_id: str, share: float) -> bool:
    """Whether a segment belongs to the sample; the same ones every time, and more of them for a larger share."""
    return int(shuffled(0, segment_id)[:8], 16) < share * 2**32


def measure(path: Path, master: Master, segment: Segment, rungs: list[Rung], work: Workspace) -> int:
    """Score a segment at these rungs, unless that was done before; gives how many were scored now."""
    left = [rung for rung in rungs if work.recall(_key(master, segment, rung)) is None]
    if not left:
        return 0
    pesq = needed()
    span = sound.read(path, master, segment)
    reference = _at_16k(span.reference)
    for rung in left:
        before, packets = sound.encode(span, rung, sound.packets_of(master, segment))
        heard = _at_16k(sound.decode(before, packets, len(span.reference)))
        score = pesq(RATE_HZ, reference, heard, "wb", on_error=1)  # 1: a number below 0 where it finds no utterance
        work.remember(_key(master, segment, rung), json.dumps(round(float(score), 3)).encode())
    return len(left)


def known(master: Master, segment: Segment, rung: Rung, work: Workspace) -> float | None:
    """What was measured; None where nothing was, or where PESQ found no speech."""
    data = work.recall(_key(master, segment, rung))
    score = None if data is None else float(json.loads(data))
    return None if score is None or score < 0 else score


def _key(master: Master, segment: Segment, rung: Rung) -> str:
    place = f"{master.audio.sha256[:16]}:{master.gain_db}:{segment.start_packet}+{segment.packets}"
    return f"{VERSION}:{place}:{rung.name}"


def _at_16k(samples: Any) -> Any:
    return np.asarray(resample_poly(samples, 1, 3), np.float32)
