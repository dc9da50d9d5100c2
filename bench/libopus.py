"""libopus itself, for settings that FFmpeg has no option for: forced bandwidth, DTX."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from ctypes.util import find_library
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np

from bench.recordings import Pcm
from chasqui.codecs.opus import RATE_HZ

#: Requests and values of opus_defines.h.
SETTINGS = {
    "bitrate_bps": 4002,
    "vbr": 4006,
    "bandwidth": 4008,
    "complexity": 4010,
    "fec": 4012,
    "packet_loss_percent": 4014,
    "dtx": 4016,
    "constrained_vbr": 4020,
    "signal": 4024,
}
NARROWBAND, WIDEBAND, VOICE = 1101, 1103, 3001
APPLICATIONS = {"voip": 2048, "audio": 2049}
#: As FFmpeg sets libopus up for our ladder.
USUAL = {"complexity": 10, "vbr": 1, "constrained_vbr": 0}


def encode(pcm: Pcm, settings: Mapping[str, int], frame_ms: int = 60, application: str = "voip") -> list[bytes]:
    """Packets of mono sound at 48 kHz; what lacks for the last one is silence."""
    library, error = _library(), ctypes.c_int()
    encoder = ctypes.c_void_p(library.opus_encoder_create(RATE_HZ, 1, APPLICATIONS[application], ctypes.byref(error)))
    for name, value in {**USUAL, **settings}.items():
        if library.opus_encoder_ctl(encoder, SETTINGS[name], ctypes.c_int(value)):
            raise RuntimeError(f"libopus refuses {name} = {value}")
    size = RATE_HZ * frame_ms // 1000
    padded = np.ascontiguousarray(np.pad(pcm, (0, -len(pcm) % size)), np.float32)
    room, packets = ctypes.create_string_buffer(4000), []
    for at in range(0, len(padded), size):
        block = padded[at:].ctypes.data_as(ctypes.c_void_p)
        written = library.opus_encode_float(encoder, block, size, room, len(room))
        packets.append(room.raw[:written])
    library.opus_encoder_destroy(encoder)
    return packets


@cache
def _library() -> Any:
    """The one inside PyAV's wheel, or the system's."""
    home = Path(av.__file__).parent
    found = [*home.parent.glob("av.libs/libopus*"), *home.glob(".dylibs/libopus*"), find_library("opus")]
    library = ctypes.CDLL(str(next(place for place in found if place)))
    library.opus_encoder_create.restype = ctypes.c_void_p
    return library
