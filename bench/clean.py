"""What cleaning does to clean speech, to speech in noise and to music, and what it costs.

ESTOI is against the clean original; DNSMOS (overall, 1–5) needs no reference. Speed is in core-seconds, one thread.

python bench/clean.py [--media DIR] [--clean 40] [--voices 3]
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from scipy.signal import resample_poly

from chasqui import clean
from chasqui.events import Report
from chasqui.media.flac import FlacWriter, read_master
from chasqui.media.source import blocks
from chasqui.records import Blob, Master, Recording

NOISES = {
    "rain": "max-audio-classifier/rain.wav",
    "applause": "max-audio-classifier/applause.wav",
    "train": "max-audio-classifier/train.wav",
    "typing": "max-audio-classifier/typing.wav",
    "ocean": "sms-tools/ocean.wav",
    "alley": "audiomentations/perfect-alley1.ogg",
    "hens": "audiomentations/hens.ogg",
    "sheep": "audiomentations/sheep.ogg",
}
MUSIC = ("max-audio-classifier/piano.wav", "max-audio-classifier/cinematic.wav", "sms-tools/orchestra.wav",
         "sms-tools/cello-phrase.wav", "sms-tools/sax-phrase.wav", "sms-tools/organ-C3.wav")  # fmt: skip
SNRS_DB = (5, 10, 15)
RATE_HZ = 48_000


class Bench:
    """The least that the room needs of a store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, blob: Blob) -> Path:
        return Path(blob.path)

    def keep(self, path: Path, media_type: str = "application/octet-stream") -> Blob:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return Blob(path=str(path), bytes=path.stat().st_size, sha256=digest, media_type=media_type)


def cleaned(sound: np.ndarray, folder: Path) -> tuple[Master, np.ndarray, float]:
    """(the master, its sound with gain, core-seconds)."""
    source = folder / "source.flac"
    with FlacWriter(source, bits=24) as writer:
        writer.write(sound)
    blob = Blob(path=str(source), bytes=source.stat().st_size, sha256="0" * 64)
    facts: dict[str, Any] = {"container": "flac", "audio_index": 0, "codec": "flac", "rate_hz": RATE_HZ, "channels": 1}
    facts |= {
        "duration_s": sound.size / RATE_HZ,
        "declared_duration_s": None,
        "streams": (),
        "tags": {},
        "why": "bench",
    }
    recording = Recording(recording_id="0" * 16, source=blob, **facts)
    work: Any = Bench(folder)
    start = time.process_time()
    master = clean.run(recording, options=clean.Options(threads=1), work=work, report=Report("clean", "0" * 16))
    seconds = time.process_time() - start
    return master, np.concatenate(list(read_master(Path(master.audio.path), master.gain_db))), seconds


def load(path: Path) -> np.ndarray:
    return np.concatenate(list(blocks(path, 0)), axis=1).mean(axis=0)


def mixed(voice: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    noise = np.resize(noise, voice.size)
    both = voice + noise * np.sqrt(np.mean(voice**2) / np.mean(noise**2)) * 10 ** (-snr_db / 20)
    return (both * min(1.0, 0.9 / np.abs(both).max())).astype(np.float32)


def estoi(reference: np.ndarray, heard: np.ndarray) -> float:
    from pystoi import stoi

    a, b = (resample_poly(sound, 5, 24) for sound in (reference, heard))
    return float(stoi(a, b, 10_000, extended=True))


@cache
def judge() -> Any:
    """The DNSMOS network of the `speechmos` wheel, or None: that wheel's own code would ask for librosa as well."""
    spec = find_spec("speechmos")
    if spec is None or find_spec("onnxruntime") is None:
        print("DNSMOS is left out: pip install speechmos onnxruntime", file=sys.stderr)
        return None
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    model = Path(str(spec.origin)).parent / "dnsmos_models" / "sig_bak_ovr.onnx"
    return onnxruntime.InferenceSession(str(model), settings)


def mos(sound: np.ndarray) -> float:
    """DNSMOS overall quality (P.835) as its authors compute it: windows of 9.01 s, a second apart, averaged.

    The sound is brought to −26 dBFS first: DNSMOS takes quiet speech for bad speech. NaN without the network.
    """
    if judge() is None:
        return float("nan")
    low = resample_poly(sound, 1, 3)
    low = np.clip(low * (0.05 / np.sqrt(np.mean(low**2))), -1, 1).astype(np.float32)
    size = int(9.01 * 16_000)
    low = np.tile(low, -(-size // low.size))
    starts = range(0, low.size - size + 1, 16_000)
    raw = [judge().run(None, {"input_1": low[None, start : start + size]})[0][0][2] for start in starts]
    return float(np.mean(np.polyval([-0.06766283, 1.11546468, 0.04602535], raw)))


def speech_rows(paths: list[Path], folder: Path) -> Iterator[str]:
    scores, costs, opinions = [], [], []
    for path in paths:
        voice = load(path)
        master, sound, seconds = cleaned(voice, folder)
        scores.append(estoi(voice, sound))
        costs.append(master.duration_s / seconds)
        opinions.append((mos(voice), mos(sound)))
    before, after = np.mean(opinions, axis=0)
    yield f"| clean speech, {len(paths)} clips | ESTOI min {min(scores):.3f}, mean {np.mean(scores):.4f} | " + (
        f"{before:.2f} → {after:.2f} | {np.median(costs):.0f}× |"
    )


def noise_rows(media: Path, paths: list[Path], folder: Path) -> Iterator[str]:
    for snr_db in SNRS_DB:
        rows = []
        for name, place in NOISES.items():
            noise = load(media / "noise_music" / place)
            for path in paths:
                voice = load(path)
                heard = mixed(voice, noise, snr_db)
                _, sound, seconds = cleaned(heard, folder)
                rows.append((estoi(voice, heard), estoi(voice, sound), mos(heard), mos(sound), sound.size / seconds))
            before, after, mos_before, mos_after, _ = np.mean(rows[-len(paths) :], axis=0)
            yield f"| {name}, {snr_db} dB | {before:.3f} → {after:.3f} | {mos_before:.2f} → {mos_after:.2f} | |"
        before, after, mos_before, mos_after, speed = np.mean(rows, axis=0)
        worst = min(row[1] - row[0] for row in rows)
        yield f"| **all, {snr_db} dB** | {before:.3f} → {after:.3f} (worst {worst:+.3f}) | " + (
            f"{mos_before:.2f} → {mos_after:.2f} | {speed / RATE_HZ:.0f}× |"
        )


def music_rows(media: Path, folder: Path) -> Iterator[str]:
    for place in MUSIC:
        source = load(media / "noise_music" / place)
        master, sound, seconds = cleaned(source, folder)
        likeness = float(np.dot(source, sound) / np.linalg.norm(source) / np.linalg.norm(sound))
        yield f"| music: {Path(place).stem} | correlation {likeness:.3f} | | {master.duration_s / seconds:.0f}× |"


def long_row(paths: list[Path], folder: Path) -> str:
    """Speed on several minutes of clean speech: short clips pay for the first look at the noise."""
    sound = np.concatenate([load(path) for path in paths])
    master, _, seconds = cleaned(sound, folder)
    return (
        f"| clean speech, one recording of {master.duration_s / 60:.1f} min | | | {master.duration_s / seconds:.0f}× |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--media", type=Path, default=Path(__file__).parents[2] / "shared" / "media")
    parser.add_argument("--clean", type=int, default=40, help="how many clean utterances")
    parser.add_argument("--voices", type=int, default=3, help="how many voices per noise")
    given = parser.parse_args()
    utterances = sorted((given.media / "speech" / "resemblyzer").glob("*.flac"))
    if not utterances:
        sys.exit(f"no utterances in {given.media}/speech/resemblyzer")
    some = utterances[:: max(len(utterances) // given.clean, 1)][: given.clean]
    print("| what | ESTOI | DNSMOS | real time |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for row in speech_rows(some, folder):
            print(row, flush=True)
        print(long_row(utterances[: given.clean], folder), flush=True)
        for row in noise_rows(given.media, utterances[3 :: len(utterances) // given.voices][: given.voices], folder):
            print(row, flush=True)
        for row in music_rows(given.media, folder):
            print(row, flush=True)


if __name__ == "__main__":
    main()
