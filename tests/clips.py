"""Excerpts of real recordings, and what a listener gets of them after an encode. Shared by tests and bench."""

from __future__ import annotations

from functools import cache
from math import gcd
from pathlib import Path
from typing import Any

import av
import numpy as np
import scipy.signal
from numpy.typing import NDArray

from chasqui.codecs.opus import PACKET_SAMPLES, RATE_HZ, Rung
from chasqui.media import opus
from chasqui.media.ogg import PRE_SKIP

Pcm = NDArray[np.float32]

#: Speakers of both sexes, four languages, close and far microphones; each at least six seconds long.
SPEECH = (
    "speech/resemblyzer/1088-129236-0000.flac",
    "speech/resemblyzer/8238-274553-0000.flac",
    "speech/speech-to-text-nodejs/Es_ES_spk19_16khz.wav",
    "speech/leopard/test_fr.wav",
)


@cache
def excerpt(path: Path, start_s: float, seconds: float) -> Pcm:
    """Shape [samples], mono at 48 kHz, from a file of any kind; not to be written to."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE_HZ)
    pieces: list[Any] = []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            pieces += [piece.to_ndarray()[0] for piece in resampler.resample(frame)]
    sound = np.concatenate(pieces)[round(start_s * RATE_HZ) :][: round(seconds * RATE_HZ)]
    sound = np.ascontiguousarray(sound, np.float32)
    sound.flags.writeable = False
    return sound


def packets(sound: Pcm, rung: Rung) -> list[bytes]:
    """Packets enough to bring out every sample."""
    count = -(-(len(sound) + PRE_SKIP) // PACKET_SAMPLES)
    return opus.encode(np.pad(sound, (0, count * PACKET_SAMPLES - len(sound))), rung)


def heard(sound: Pcm, rung: Rung) -> Pcm:
    """The sound after an encode at one rung: aligned and equally long."""
    return np.concatenate(list(opus.decode(packets(sound, rung))))[: len(sound)]


def at_rate(sound: Pcm, rate_hz: int) -> Pcm:
    """48 kHz sound at another rate."""
    common = gcd(rate_hz, RATE_HZ)
    resample: Any = scipy.signal.resample_poly
    return np.asarray(resample(sound, rate_hz // common, RATE_HZ // common), np.float32)


def lag(reference: Pcm, other: Pcm, reach: int = 2000) -> int:
    """By how many samples `other` comes later than `reference`, looked for up to `reach` either way."""
    size = 1 << (len(reference) + len(other)).bit_length()
    both = np.conj(np.fft.rfft(reference, size)) * np.fft.rfft(other, size)
    correlation = np.fft.irfft(both, size)
    window = np.concatenate([correlation[-reach:], correlation[: reach + 1]])
    return int(np.argmax(window)) - reach
