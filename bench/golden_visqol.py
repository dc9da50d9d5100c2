"""Scores of visqol-python, a port of google/visqol, for `tests/metrics/test_visqol.py` to hold ours against.

    PYTHONPATH=src python bench/golden_visqol.py [MEDIA]

Runs in an environment of its own with `visqol-python[lattice] av scipy`: one of its dependencies is compiled while it
installs, which Chasqui must not ask of anybody. Three figures per clip: `mos`, with the searches for alignment off and
the frames of a patch counted exactly, is what ours must equal; `rounded_mos` counts them as google/visqol does (20 or
21, as ceil(0.4 s / 0.02 s) happens to round at that place in the file); `searched_mos` is visqol-python as it comes.
What they were given is not stored, as no recording may be; tests make it again from the same file, and `sha256` of the
packets says whether it came out the same.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]

import av  # noqa: E402
import clips  # noqa: E402
import numpy as np  # noqa: E402

from chasqui.codecs.opus import RUNGS  # noqa: E402
from chasqui.metrics import visqol  # noqa: E402

GOLDEN = ROOT / "tests/metrics/golden/visqol.json"
ALIGNED = {"search_window": 1, "disable_global_alignment": True, "disable_realignment": True}

#: mode, file, start, duration, rung.
CLIPS: tuple[tuple[visqol.Mode, str, float, float, str], ...] = (
    ("speech", "speech/resemblyzer/1088-129236-0000.flac", 0, 6, "voice-6"),
    ("speech", "speech/resemblyzer/8238-274553-0000.flac", 2.5, 6, "voice-9"),
    ("speech", "speech/resemblyzer/4362-15663-0000.flac", 1, 8, "voice-12"),
    ("speech", "speech/resemblyzer/311-124404-0000.flac", 0, 5, "voice-24"),
    ("speech", "speech/speech-to-text-nodejs/Es_ES_spk19_16khz.wav", 0, 6.5, "voice-8"),
    ("speech", "speech/speech-to-text-nodejs/en-US_Broadband_sample2.wav", 20, 10, "voice-16"),
    ("speech", "speech/leopard/test_fr.wav", 0, 6, "voice-10"),
    ("speech", "speech/lhotse/ES2011a.Headset-0-40s-46s.wav", 0, 6, "voice-7"),
    ("audio", "noise_music/max-audio-classifier/piano.wav", 1, 5, "audio-16"),
    ("audio", "noise_music/max-audio-classifier/cinematic.wav", 2, 6, "audio-24"),
    ("audio", "noise_music/sms-tools/orchestra.wav", 0, 6, "audio-32"),
    ("audio", "noise_music/sms-tools/cello-phrase.wav", 0, 6, "audio-10"),
    ("audio", "noise_music/data/Kevin_MacLeod_-_Vibe_Ace.hq.ogg", 10, 6, "audio-48"),
)


def main(media: Path) -> None:
    """Write the golden file and print how far the searches move the score."""
    rows = [_row(media, *clip) for clip in CLIPS]
    versions = {"av": av.__version__, "libavcodec": _libavcodec(), "visqol-python": _version("visqol-python")}
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(json.dumps({"versions": versions, "clips": rows}, indent=1) + "\n")
    for mode in ("speech", "audio"):
        for other in ("mos", "rounded_mos", "searched_mos"):
            gaps = np.array([abs(row["ours"] - row[other]) for row in rows if row["mode"] == mode])
            print(f"{mode:7} ours − {other:13} mean {gaps.mean():.3f} largest {gaps.max():.3f} ({len(gaps)} clips)")


def _row(media: Path, mode: visqol.Mode, name: str, start_s: float, seconds: float, rung: str) -> dict[str, Any]:
    sound = clips.excerpt(media / name, start_s, seconds)
    rate_hz = 16_000 if mode == "speech" else 48_000
    reference, degraded = (clips.at_rate(side, rate_hz) for side in (sound, clips.heard(sound, RUNGS[rung])))
    prepared = visqol.prepare(reference, mode)
    assert prepared is not None  # noqa: S101
    row = {
        "mode": mode,
        "path": name,
        "start_s": start_s,
        "seconds": seconds,
        "rung": rung,
        "sha256": hashlib.sha256(b"".join(clips.packets(sound, RUNGS[rung]))).hexdigest(),
        "mos": round(_counted(mode, reference, degraded), 4),
        "rounded_mos": round(_theirs(mode, reference, degraded, **ALIGNED), 4),
        "searched_mos": round(_theirs(mode, reference, degraded), 4),
        "ours": round(visqol.score(prepared, degraded), 4),
    }
    print(row["path"], row["rung"], row["ours"], row["mos"], row["rounded_mos"], row["searched_mos"], flush=True)
    return row


def _counted(mode: visqol.Mode, reference: clips.Pcm, degraded: clips.Pcm) -> float:
    """With as many frames in a patch as there are: 20 in speech mode, 30 in audio mode."""
    from visqol import visqol_core

    kept, visqol_core.math = visqol_core.math, SimpleNamespace(ceil=round)
    try:
        return _theirs(mode, reference, degraded, **ALIGNED)
    finally:
        visqol_core.math = kept


def _theirs(mode: visqol.Mode, reference: clips.Pcm, degraded: clips.Pcm, **how: Any) -> float:
    from visqol.audio_utils import AudioSignal
    from visqol.visqol_manager import VisqolManager

    manager = VisqolManager()
    if mode == "speech":
        manager.init(use_speech_mode=True, use_lattice_model=True, **how)
    else:
        manager.init(model_path=str(ROOT / "src/chasqui/metrics/models/visqol_audio_svr.txt"), **how)
    rate_hz = 16_000 if mode == "speech" else 48_000
    sides = (AudioSignal(side.astype(np.float64), rate_hz) for side in (reference, degraded))
    return float(manager.run_from_signals(*sides).moslqo)


def _libavcodec() -> str:
    return ".".join(str(part) for part in av.library_versions["libavcodec"])


def _version(package: str) -> str:
    from importlib.metadata import version

    return version(package)


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared/media")
