"""RNNoise, called where it lies: the library inside the `pyrnnoise` wheel, through ctypes.

The wheel's own Python wrapper converts every 10 ms to int16 and back; here the frames are worked on in place. The call
releases the GIL, so several stretches can be cleaned at once.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from chasqui.clean.step import Samples
from chasqui.errors import BadConfig

FRAME = 480  # 10 ms
#: The output comes two frames late (measured by cross-correlation).
DELAY = 2 * FRAME
#: RNNoise thinks in steps of 16 bits.
SCALE = np.float32(32768.0)
_FILE = {"linux": "librnnoise.so", "darwin": "librnnoise.dylib", "win32": "rnnoise.dll"}


@cache
def _library() -> Any:
    # Importing pyrnnoise would also import an audio file library that we have no use for.
    spec = find_spec("pyrnnoise")
    places = (
        [Path(place) / _FILE.get(sys.platform, "") for place in (spec.submodule_search_locations or [])] if spec else []
    )
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise BadConfig(why="RNNoise is not here: pip install pyrnnoise, or set clean.denoise to 'afftdn' or 'off'.")
    library = ctypes.CDLL(str(found))
    library.rnnoise_create.argtypes, library.rnnoise_create.restype = [ctypes.c_void_p], ctypes.c_void_p
    library.rnnoise_destroy.argtypes, library.rnnoise_destroy.restype = [ctypes.c_void_p], None
    library.rnnoise_process_frame.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    library.rnnoise_process_frame.restype = ctypes.c_float
    return library


def denoised(sound: Samples) -> tuple[Samples, npt.NDArray[np.float32]]:
    """(the sound without noise, aligned with the input; speech probability 0–1 per 10 ms), from a fresh state."""
    library = _library()
    frames = -(-(sound.size + DELAY) // FRAME)
    work = np.zeros(frames * FRAME, np.float32)
    np.multiply(sound, SCALE, out=work[: sound.size])
    probability = np.empty(frames, np.float32)
    state, address, step = library.rnnoise_create(None), work.ctypes.data, library.rnnoise_process_frame
    try:
        for index in range(frames):
            at = address + index * FRAME * 4
            probability[index] = step(state, at, at)
    finally:
        library.rnnoise_destroy(state)
    work *= 1 / SCALE
    return work[DELAY : DELAY + sound.size], probability[DELAY // FRAME :]
