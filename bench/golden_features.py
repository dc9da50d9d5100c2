"""What librosa says of three real recordings, for `tests/features/test_librosa.py` to hold ours against.

    python bench/golden_features.py [MEDIA]

Runs in an environment of its own with `librosa==0.11.0 av`: librosa needs numba and LLVM, which nobody should have to
install for a test. The recordings are read at their own rate, so that nothing is resampled; `sha256` says whether the
samples are the same ones. Kept small: every seventh frame, every eighth mel band, six digits; contours of YIN whole.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import av
import librosa
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = ROOT / "tests/features/golden/librosa.json"
EVERY_FRAME, EVERY_BAND = 7, 8
F0 = {"fmin": 65.0, "fmax": 2093.0}

#: file, first second, seconds.
CLIPS = (
    ("speech/resemblyzer/1088-129236-0000.flac", 1.0, 2.0),
    ("speech/speech-to-text-nodejs/Es_ES_spk19_16khz.wav", 0.5, 2.0),
    ("noise_music/sms-tools/piano.wav", 0.0, 1.5),
)


def main(media: Path) -> None:
    """Write the golden file."""
    rows = [_row(media, *clip) for clip in CLIPS]
    versions = {name: module.__version__ for name, module in (("librosa", librosa), ("numpy", np), ("av", av))}
    GOLDEN.parent.mkdir(exist_ok=True)
    text = json.dumps({"versions": versions, "every_frame": EVERY_FRAME, "every_band": EVERY_BAND, "clips": rows})
    GOLDEN.write_text(text.replace('{"path"', '\n{"path"') + "\n", encoding="utf-8")
    print(f"{GOLDEN.relative_to(ROOT)}: {GOLDEN.stat().st_size} bytes, {versions}")


def _row(media: Path, name: str, start_s: float, seconds: float) -> dict[str, Any]:
    sound, rate_hz = read(media / name)
    sound = sound[round(start_s * rate_hz) : round((start_s + seconds) * rate_hz)]
    return {
        "path": name,
        "start_s": start_s,
        "seconds": seconds,
        "rate_hz": rate_hz,
        "sha256": hashlib.sha256(sound.tobytes()).hexdigest(),
        "usual": _usual(sound, rate_hz),
        "htk": _htk(sound, rate_hz),
    }


def read(path: Path) -> tuple[np.ndarray, int]:
    """Mono float32 at the file's own rate."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        plain = av.AudioResampler("flt", "mono", stream.rate)
        parts = [part for frame in container.decode(stream) for part in plain.resample(frame)]
        return np.concatenate([part.to_ndarray()[0] for part in [*parts, *plain.resample(None)]]), stream.rate


def _usual(sound: np.ndarray, rate_hz: int) -> dict[str, Any]:
    """librosa told nothing but the rate."""
    feature = librosa.feature
    mfcc = feature.mfcc(y=sound, sr=rate_hz)
    found = {
        "mel": feature.melspectrogram(y=sound, sr=rate_hz)[::EVERY_BAND],
        "mfcc": mfcc,
        "mfcc_delta": feature.delta(mfcc, mode="nearest"),
        "mfcc_delta2": feature.delta(mfcc, order=2, mode="nearest"),
        "centroid_hz": feature.spectral_centroid(y=sound, sr=rate_hz),
        "spread_hz": feature.spectral_bandwidth(y=sound, sr=rate_hz),
        "rolloff_hz": feature.spectral_rolloff(y=sound, sr=rate_hz),
        "flatness": feature.spectral_flatness(y=sound),
        "zero_crossings": feature.zero_crossing_rate(sound),
        "rms": feature.rms(y=sound),
    }
    thin = {name: _digits(values.T[::EVERY_FRAME]) for name, values in found.items()}
    return thin | {"f0_any_hz": _digits(librosa.yin(sound, sr=rate_hz, hop_length=512, **F0))}


def _htk(sound: np.ndarray, rate_hz: int) -> dict[str, Any]:
    """25 ms every 10 ms, 40 HTK bands without normalisation, natural logarithm: what `analyze` uses."""
    window, hop = round(0.025 * rate_hz), round(0.01 * rate_hz)
    how = {"n_fft": 1 << (window - 1).bit_length(), "win_length": window, "hop_length": hop}
    bands = {"n_mels": 40, "fmin": 20, "fmax": 7600, "htk": True, "norm": None}
    mel = librosa.feature.melspectrogram(y=sound, sr=rate_hz, **how, **bands)
    mfcc = librosa.feature.mfcc(S=np.log(mel + 1e-10), n_mfcc=20)
    return {"mel": _digits(mel[::EVERY_BAND].T[::EVERY_FRAME]), "mfcc": _digits(mfcc.T[::EVERY_FRAME])}


def _digits(values: np.ndarray) -> Any:
    return np.vectorize(lambda value: float(f"{value:.6g}"))(values).tolist()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared/media")
