"""RNNoise, called where it lies: the library inside the `pyrnnoise` wheel, through ctypes, many sounds side by side.

The library's own functions take a frame apart (spectrum, pitch, features) and filter it; the network between the two,
where it spends six sevenths of its time, is `gains.py`. All calls release the GIL. A build that does not show these
functions, or gives something else through them, is asked frame by frame, as it is meant to be: slower, the same sound.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import fft

from chasqui.clean.ahead import ahead
from chasqui.clean.gains import BANDS, FEATURES, Network, weights
from chasqui.clean.step import Samples
from chasqui.errors import BadConfig

FRAME = 480  # 10 ms
#: The output comes two frames late (measured by cross-correlation).
DELAY = 2 * FRAME
#: RNNoise thinks in steps of 16 bits.
SCALE = np.float32(32768.0)
#: Sounds side by side: 16 reach four fifths of what BLAS can do at most, and hold 35 MB at 11.5 s each.
TOGETHER = 16
#: Frames from one meeting of the sounds to the next: their spectra still fit into the last cache.
PART = 50
_FILE = {"linux": "librnnoise.so", "darwin": "librnnoise.dylib", "win32": "rnnoise.dll"}
_BINS = FRAME + 1
#: First bin of each band (RNNoise's `eband20ms`), and its high-pass against DC.
_EDGES = (
    *(0, 2, 4, 6, 8, 10, 12, 15, 18, 21, 24, 28, 32, 36, 41, 47, 53, 60, 68, 77, 87, 98, 110, 124, 140, 157, 176),
    *(198, 223, 251, 282, 317, 356, 400),
)
_HIGHPASS = np.array([-2.0, 1.0, -1.99599, 0.99600], np.float32)
#: No band falls by more than this per frame: an echo that breaks off sounds unnatural.
_DECAY = np.float32(0.6)
#: Both ways agree within this (of full scale): rounding, enlarged by RNNoise's approximate reciprocals. Speech in noise
#: differs by 0.0006 at most, its rms by −77 dB; where the network is unstable, more (docs/decisions, 6).
ALIKE = 0.003

Floats = npt.NDArray[np.float32]
#: (the sound without noise, aligned with the input; the chance of speech, 0–1, per 10 ms)
Outcome = tuple[Samples, Floats]


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
    pointer = ctypes.c_void_p
    library.rnnoise_create.argtypes, library.rnnoise_create.restype = [pointer], pointer
    library.rnnoise_destroy.argtypes, library.rnnoise_destroy.restype = [pointer], None
    library.rnnoise_process_frame.argtypes = [pointer] * 3
    library.rnnoise_process_frame.restype = ctypes.c_float
    return library


def denoised(sounds: Sequence[Samples]) -> list[Outcome]:
    """Each sound from a fresh state. How many there are moves the outcome by rounding only."""
    if not _opened():
        return [_frame_by_frame(sound) for sound in sounds]
    return [one for at in range(0, len(sounds), TOGETHER) for one in _together(sounds[at : at + TOGETHER])]


def speech(sounds: Sequence[Samples]) -> list[Floats]:
    """The chance of speech alone: listening without cleaning."""
    if not _opened():
        return [_frame_by_frame(sound)[1] for sound in sounds]
    groups = (sounds[at : at + TOGETHER] for at in range(0, len(sounds), TOGETHER))
    return [chance for group in groups for _, chance in _together(group, clean=False)]


def _frame_by_frame(sound: Samples) -> Outcome:
    library, work = _library(), _scaled(sound)
    probability = np.empty(work.size // FRAME, np.float32)
    state, address, step = library.rnnoise_create(None), work.ctypes.data, library.rnnoise_process_frame
    try:
        for index in range(probability.size):
            at = address + index * FRAME * 4
            probability[index] = step(state, at, at)
    finally:
        library.rnnoise_destroy(state)
    work *= 1 / SCALE
    return work[DELAY : DELAY + sound.size], probability[DELAY // FRAME :]


def _scaled(sound: Samples) -> Samples:
    """In RNNoise's steps, with room for its delay, a whole number of frames."""
    work = np.zeros(-(-(sound.size + DELAY) // FRAME) * FRAME, np.float32)
    np.multiply(sound, SCALE, out=work[: sound.size])
    return work


@cache
def _opened() -> bool:
    """Whether the library lets us in, and the network outside it gives what the one inside gives."""
    library, pointer = _library(), ctypes.c_void_p
    try:
        library.rnn_biquad.argtypes, library.rnn_biquad.restype = [*[pointer] * 5, ctypes.c_int], None
        library.rnn_compute_frame_features.argtypes = [pointer] * 8
        library.rnn_compute_frame_features.restype = ctypes.c_int
        library.rnn_pitch_filter.argtypes, library.rnn_pitch_filter.restype = [pointer] * 6, None
        library.rnn_compute_activation_c.argtypes = [pointer, pointer, ctypes.c_int, ctypes.c_int]
        library.rnn_compute_activation_c.restype = None
        ctypes.c_float.in_dll(library, "rnn_half_window")
        weights(library)
    except (AttributeError, LookupError, ValueError):
        return False
    # A tenth of a second of buzz in noise, silence, and again: every branch is taken.
    noise = np.random.default_rng(0).normal(0.0, 0.03, 30 * FRAME)
    buzz = np.where(np.arange(30 * FRAME) % 400 < 8, 0.5, 0.0)
    trial = ((noise + buzz) * (np.arange(30 * FRAME) // (10 * FRAME) != 1)).astype(np.float32)
    (expected, chance), ((sound, heard),) = _frame_by_frame(trial), _together([trial])
    return bool(np.abs(sound - expected).max() < ALIKE and np.abs(heard - chance).max() < 10 * ALIKE)


def _together(sounds: Sequence[Samples], clean: bool = True) -> list[Outcome]:
    library, works = _library(), [_scaled(sound) for sound in sounds]
    frames = max(work.size for work in works) // FRAME
    chances = np.zeros((frames, len(works)), np.float32)
    network, cleaners = Network(library, len(works)), [_Cleaner(library, work) for work in works]
    for start, parts in ahead(_taken_apart(library, works, frames), depth=1):
        features = np.stack([part.features for part in parts], axis=1)
        gains, chances[start : start + PART] = network.gains(
            features, np.stack([part.silent for part in parts], axis=1)
        )
        if clean:
            for number, (cleaner, part) in enumerate(zip(cleaners, parts, strict=True)):
                cleaner.put_together(start, part, np.ascontiguousarray(gains[:, number]))
    late = DELAY // FRAME
    return [
        (work[DELAY : DELAY + sound.size] * (1 / SCALE), chances[late : work.size // FRAME, number])
        for number, (work, sound) in enumerate(zip(works, sounds, strict=True))
    ]


class _Part(NamedTuple):
    """PART frames of one sound, or what is left. Row 0 of the first three is the last frame of the part before."""

    sound: npt.NDArray[np.complex64]  # [frames + 1, 481]
    pitch: npt.NDArray[np.complex64]  # … of the sound one pitch period ago
    energy: Floats  # [frames + 1, 3, 32]: of the frame, of its pitch, how far these agree
    features: Floats  # [frames, 65]
    silent: npt.NDArray[np.bool_]  # [frames]; also what lies past the end of this sound


def _taken_apart(library: Any, works: list[Samples], frames: int) -> Iterator[tuple[int, list[_Part]]]:
    """(first frame, that part of every sound)."""
    analysers = [_Analyser(library, work) for work in works]
    try:
        for start in range(0, frames, PART):
            yield start, [analyser.take_apart(start, min(start + PART, frames)) for analyser in analysers]
    finally:
        for analyser in analysers:
            analyser.close()


class _Analyser:
    """One sound on its way into the network."""

    def __init__(self, library: Any, work: Samples) -> None:
        self._library, self._work = library, work
        self._state = library.rnnoise_create(None)
        self._highpass = np.zeros(2, np.float32)
        self._last: _Part | None = None

    def close(self) -> None:
        self._library.rnnoise_destroy(self._state)

    def take_apart(self, start: int, stop: int) -> _Part:
        size = stop - start
        sound, pitch = (np.zeros((size + 1, _BINS), np.complex64) for _ in range(2))
        energy, features = np.zeros((size + 1, 3, BANDS), np.float32), np.zeros((size, FEATURES), np.float32)
        part = _Part(sound, pitch, energy, features, np.ones(size, np.bool_))
        if self._last is not None:
            for now, before in zip(part[:3], self._last[:3], strict=True):
                now[0] = before[-1]
        self._analyse(part, start, max(min(stop, self._work.size // FRAME) - start, 0))
        self._last = part
        return part

    def _analyse(self, part: _Part, start: int, count: int) -> None:
        filtered = np.empty(count * FRAME, np.float32)
        at, factors = self._work.ctypes.data + start * FRAME * 4, _HIGHPASS.ctypes.data
        self._library.rnn_biquad(
            filtered.ctypes.data, self._highpass.ctypes.data, at, factors, factors + 8, filtered.size
        )
        (sound, pitch, energy, features), strides = _addresses(part)
        step, state, each, heard = (
            self._library.rnn_compute_frame_features,
            self._state,
            4 * BANDS,
            filtered.ctypes.data,
        )
        for frame in range(count):
            sound, pitch, energy = sound + strides[0], pitch + strides[1], energy + strides[2]
            part.silent[frame] = step(
                state,
                sound,
                pitch,
                energy,
                energy + each,
                energy + 2 * each,
                features + frame * strides[3],
                heard + frame * FRAME * 4,
            )


def _addresses(part: _Part) -> tuple[list[int], list[int]]:
    return [rows.ctypes.data for rows in part[:4]], [rows.strides[0] for rows in part[:4]]


class _Cleaner:
    """One sound on its way back: written over itself, one frame late."""

    def __init__(self, library: Any, work: Samples) -> None:
        self._library, self._work = library, work
        self._gain = np.zeros(BANDS, np.float32)
        self._tail = np.zeros(FRAME, np.float32)

    def put_together(self, start: int, part: _Part, gains: Floats) -> None:
        """Write frames `start` … of the sound, with these gains [frames, 32]."""
        count = min(len(gains), self._work.size // FRAME - start)
        if count <= 0:
            return
        spectra = self._spectra(part, gains[:count])
        pieces = fft.irfft(spectra, 2 * FRAME, axis=-1, norm="forward", overwrite_x=True) * _window(self._library)
        out = self._work[start * FRAME : (start + count) * FRAME].reshape(count, FRAME)
        out[:] = pieces[:, :FRAME]
        out[0] += self._tail
        out[1:] += pieces[:-1, FRAME:]
        self._tail = pieces[-1, FRAME:].copy()

    def _spectra(self, part: _Part, gains: Floats) -> npt.NDArray[np.complex64]:
        """The frames before those of the gains, cleaned. Silent frames let what came before them pass."""
        count, each = len(gains), 4 * BANDS
        (sound, pitch, energy, _), strides = _addresses(part)
        filtered, gain, asked = self._library.rnn_pitch_filter, gains.ctypes.data, np.zeros_like(gains)
        # What a frame's gain leaves of the energy of the next: no gain of that falls far below it.
        ratio = (part.energy[:count, 0] + 1e-3) / (part.energy[1 : count + 1, 0] + 1e-3)
        for frame in np.flatnonzero(~part.silent[:count]).tolist():
            of = energy + frame * strides[2]
            filtered(
                sound + frame * strides[0],
                pitch + frame * strides[1],
                of,
                of + each,
                of + 2 * each,
                gain + frame * each,
            )
            np.maximum(gains[frame], _DECAY * self._gain, out=asked[frame])
            self._gain = np.minimum(asked[frame] * ratio[frame], np.float32(1))
        shaped = asked @ _BETWEEN
        shaped[part.silent[:count]] = 1.0
        return np.asarray(part.sound[:count] * shaped, np.complex64)


@cache
def _window(library: Any) -> Floats:
    half = np.ctypeslib.as_array((ctypes.c_float * FRAME).in_dll(library, "rnn_half_window"))
    return np.concatenate([half, half[::-1]])


def _between() -> Floats:
    """[32, 481]: gains of bands as gains of bins, in straight lines between the bands; nothing above 20 kHz."""
    matrix = np.zeros((BANDS, _BINS), np.float32)
    matrix[0, : _EDGES[1]] = 1.0
    matrix[-1, _EDGES[-2] : _EDGES[-1]] = 1.0
    for band in range(1, BANDS):
        start, stop = _EDGES[band], _EDGES[band + 1]
        share = np.arange(stop - start, dtype=np.float32) / np.float32(stop - start)
        matrix[band - 1, start:stop], matrix[band, start:stop] = 1 - share, share
    return matrix


_BETWEEN = _between()
