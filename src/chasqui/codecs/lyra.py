"""Lyra v2: 16 kHz speech to the indices of a residual vector quantiser and back, through LiteRT. An experiment: nothing
that `pack` publishes comes from here (docs/neural.md has the numbers and the reasons).

The three networks are Google's (github.com/google/lyra, Apache-2.0) and not part of Chasqui: they are read from a
folder that the caller names, and used only if they are the ones the numbers were measured with. Every 20 ms become up
to 46 indices of four bits; the first n of them are a coarser description of the same sound, so one encode serves every
rate. `lyra_entropy.py` makes the indices smaller, `lyra_file.py` puts them into a file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chasqui.errors import BadConfig

RATE_HZ = 16_000
#: Samples in one frame (20 ms), and frames in a second.
FRAME = 320
FRAMES_PER_S = RATE_HZ // FRAME
#: Stages of the quantiser, and what one of them may say.
STAGES = 46
LEVELS = 16
#: Stands for a stage that was left out; the networks know it by the same number.
ABSENT = -1
#: What Lyra itself offers: 3.2, 6 and 9.2 kb/s before entropy coding. Any number up to 46 decodes.
STAGES_OFFERED = (16, 30, 46)

#: The networks by file, with their SHA-256. Their own `lyra_config.binarypb` calls this set version 3.
MODEL_VERSION = 3
MODELS = {
    "soundstream_encoder.tflite": "237da0b16226fb0a68d49551c81bebf614e42142af72764448359f68581e88f1",
    "quantizer.tflite": "841ee05989687d32d1f616a8ad1419fc7eda37599d3c05c7cf5a0d60ccf8ac5c",
    "lyragan.tflite": "50e7839cda4f30599a3a34cfaddcd9c98449b049eee884e1a74295780448ad06",
}

Sound = NDArray[np.float32]
#: Shape [frames, 46]: 0–15 per stage, ABSENT from the first stage that a frame leaves out to the last.
Codes = NDArray[np.int8]


class Lyra:
    """The codec with its networks at hand. Remembers nothing between calls, so threads may share it."""

    def __init__(self, folder: Path) -> None:
        """
        Raises:
            BadConfig: a network is missing, or is another one than those we measured with.
        """
        self._encoder, self._quantizer, self._decoder = (_network(folder / name) for name in MODELS)

    def encode(self, sound: Sound) -> Codes:
        """All 46 indices per frame of sound of shape [samples] at 16 kHz; the last frame is padded with silence."""
        return np.concatenate([np.empty((0, STAGES), np.int8), *self.encode_pieces([sound])])

    def encode_pieces(self, pieces: Iterable[Sound]) -> Iterator[Codes]:
        """The same, piece by piece of one recording; all but the last are whole frames long."""
        analyse, quantise = _runner(self._encoder), _runner(self._quantizer, "encode")
        every = np.array(STAGES, np.int32)
        for sound in pieces:
            frames = -(-len(sound) // FRAME)
            padded = np.zeros((frames, 1, FRAME), np.float32)
            padded.reshape(-1)[: len(sound)] = sound
            codes = np.empty((frames, STAGES), np.int8)
            for index, frame in enumerate(padded):
                features = analyse(input_audio=frame)["output_0"]
                codes[index] = quantise(input_frames=features, num_quantizers=every)["output_0"].reshape(-1)
            yield codes

    def decode(self, codes: Codes) -> Sound:
        """Sound of shape [320 × frames] at 16 kHz, aligned with what was encoded."""
        dequantise, synthesise = _runner(self._quantizer, "decode"), _runner(self._decoder)
        sound = np.empty((len(codes), FRAME), np.float32)
        for index, frame in enumerate(checked(codes).astype(np.int32)):
            features = dequantise(encoding_indices=frame.reshape(STAGES, 1, 1))["output_0"]
            sound[index] = synthesise(input_audio=features)["output_0"].reshape(-1)
        return np.clip(sound.reshape(-1), -1, 1)


def coarser(codes: Codes, stages: int) -> Codes:
    """The same sound described by the first `stages` indices of each frame, 200 b/s each before entropy coding.

    Raises:
        ValueError: not one of 1 to 46 stages.
    """
    if not 1 <= stages <= STAGES:
        raise ValueError(f"Lyra has 1 to {STAGES} stages, not {stages}")
    cut = codes.copy()
    cut[:, stages:] = ABSENT
    return cut


def checked(codes: Codes) -> Codes:
    """The codes themselves, if they are such as the networks can take.

    Raises:
        ValueError: wrong shape, an index outside 0–15, no stage at all, or one after a stage that is left out.
    """
    if codes.ndim != 2 or codes.shape[1] != STAGES:
        raise ValueError(f"codes have shape {codes.shape}, not [frames, {STAGES}]")
    there = codes != ABSENT
    if (
        (codes < ABSENT).any()
        or (codes >= LEVELS).any()
        or not there[:, 0].all()
        or (there[:, 1:] > there[:, :-1]).any()
    ):
        raise ValueError("indices must be 0–15 in each frame's first stages and absent in the others")
    return codes


def _network(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError:
        raise BadConfig(
            why=f"{path.name} is not in {path.parent}. Chasqui does not bring Lyra's networks: "
            f"put {', '.join(MODELS)} of google/lyra (version 1.3) there."
        ) from None
    if hashlib.sha256(content).hexdigest() != MODELS[path.name]:
        raise BadConfig(
            why=f"{path.name} in {path.parent} is not the network that Chasqui was measured with: "
            "take the one of google/lyra (version 1.3)."
        )
    return content


def _runner(network: bytes, signature: str | None = None) -> Any:
    """A network that has heard nothing yet, on one thread.

    Made anew (milliseconds) for each stretch of sound: once it has run, `reset_all_variables` does not bring back the
    state it started from (ai-edge-litert 2.3), and the first half second would come out differently.
    """
    from ai_edge_litert.interpreter import Interpreter

    # With the default delegate, although it writes a line to stderr: twice as fast.
    return Interpreter(model_content=network, num_threads=1).get_signature_runner(signature)
