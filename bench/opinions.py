"""What two networks think of speech without knowing the original: DNSMOS (P.835) and PLCMOS v2, both of the `speechmos`
wheel, 1 to 5. Called where they lie: the wheel's own entrance would ask for librosa as well.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.signal import resample_poly

from bench.recordings import Pcm

RATE_HZ = 16_000
#: DNSMOS takes quiet speech for bad speech, so all speech comes at −26 dBFS.
LEVEL = 0.05
WINDOW, HOP = int(9.01 * RATE_HZ), RATE_HZ
#: Third-degree corrections of the authors' own script, highest power first.
SIGNAL = (-0.08397278, 1.22083953, 0.0052439)
OVERALL = (-0.06766283, 1.11546468, 0.04602535)
#: PLCMOS imagines this many listeners; the same ones every time, so that differences are of the sound.
LISTENERS = 15


class Opinion(NamedTuple):
    """`signal` and `overall` by DNSMOS, `plc` by PLCMOS."""

    signal: float
    overall: float
    plc: float


def opinion(pcm: Pcm) -> Opinion:
    """What the networks think of mono sound at 48 kHz."""
    low = resample_poly(pcm, 1, 3)
    low = np.clip(low * (LEVEL / max(float(np.sqrt(np.mean(low**2))), 1e-6)), -1, 1).astype(np.float32)
    return Opinion(*_dnsmos(low), _plcmos(low))


def _dnsmos(low: Pcm) -> tuple[float, float]:
    low = np.tile(low, -(-WINDOW // len(low)))
    session = _session("dnsmos_models/sig_bak_ovr.onnx")
    starts = range(0, len(low) - WINDOW + 1, HOP)
    raw = np.mean([session.run(None, {"input_1": low[None, at : at + WINDOW]})[0][0] for at in starts], axis=0)
    return float(np.polyval(SIGNAL, raw[0])), float(np.polyval(OVERALL, raw[2]))


def _plcmos(low: Pcm) -> float:
    """Mean over excerpts of ten seconds: the network was made for clips of that length."""
    size = 10 * RATE_HZ
    parts = [low[at : at + size] for at in range(0, max(len(low) - size // 2, 1), size)]
    session, listeners = _session("plcmos_models/plcmos_v2.onnx"), np.random.default_rng(0).normal(size=(LISTENERS, 64))
    scores = []
    for part in parts:
        sound = _log_power(part)[None, None]
        for listener in listeners.astype(np.float32):
            scores.append(
                float(np.squeeze(session.run(None, {"degraded_audio": sound, "rater_embed": listener[None]})[0]))
            )
    return float(np.mean(scores))


def _log_power(part: Pcm) -> Pcm:
    """Frames of 512 samples, half overlapped, as PLCMOS was trained on: log power, floored, over 20."""
    padded = np.pad(part, (256, 512))
    count = -(-(len(part) + 256) // 256)
    frames = np.lib.stride_tricks.sliding_window_view(padded, 512)[::256][:count] * np.hamming(513)[:-1]
    power = np.abs(np.fft.rfft(frames, 512)) ** 2
    quietest = power[power > 0].min() if power.any() else 1.0
    floor = np.log(quietest) - 120 / 10 * np.log(10) if power.any() else -8 * np.log(10)
    logs = np.where(power > 0, np.log(np.maximum(power, quietest)), floor)
    return np.asarray(logs / 20, np.float32)


@cache
def _session(name: str) -> Any:
    from importlib.util import find_spec

    spec = find_spec("speechmos")
    if spec is None or find_spec("onnxruntime") is None:
        sys.exit("DNSMOS and PLCMOS are in the extra 'bench': pip install chasqui[bench]")
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(Path(str(spec.origin)).parent / name), settings)
