"""Lyra v2 beside Opus on real speech: bytes, scores, and how often `understood` is kept. Figures in docs/neural.md.

python bench/neural.py [--media DIR] [--models DIR] [--voices 42]
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from scipy.signal import resample_poly

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.opinions import Opinion, opinion
from bench.recordings import Pcm
from bench.table import MEDIA, Row, markdown, written
from bench.voices import READERS, SEED, Voice, Yardstick, chosen, prepared, until_interrupted
from chasqui.codecs import lyra_entropy, lyra_file
from chasqui.codecs.lyra import Codes, Lyra, coarser
from chasqui.codecs.opus import PACKET_SAMPLES, RUNGS, Rung
from chasqui.media import ogg, opus, pairs, segment
from chasqui.metrics.targets import TARGETS, keeps
from chasqui.records import Scores

#: Stages measured; 16, 30 and 46 are Lyra's own settings.
STAGES = (8, 10, 12, 14, 16, 20, 30, 46)
OPUS = tuple(rung for rung in RUNGS.values() if rung.application == "voip" and rung.bitrate_bps <= 16_000)
#: What the two networks are asked about, in every second voice; each opinion takes a tenth of real time.
ASKED = ("original", "lyra-10", "lyra-16", "lyra-30", "voice-5", "voice-6", "voice-8", "voice-9", "voice-12")
ASKED_EVERY = 2
PROMISES = ("understood", "comfortable", "clear")


#: Column heads.
SETTINGS = ("setting", "kb/s before", "kb/s", "MB per hour", "ESTOI", "5th percentile", "ViSQOL")
CHEAPEST = ("voices", "promise", "segments", "Lyra can", "Opus kb/s", "Lyra or Opus kb/s", "ratio")
ENTROPY = ("stages", "as Lyra packs", "frequencies per stage", "file per voice", "one file", "one block", "saved")


class Tally:
    """Everything measured so far, by setting."""

    def __init__(self) -> None:
        self.bytes: dict[str, int] = defaultdict(int)
        self.scores: dict[str, list[Scores]] = defaultdict(list)
        self.segment_bytes: dict[str, list[float]] = defaultdict(list)
        self.opinions: dict[str, list[Opinion]] = defaultdict(list)
        self.clock: dict[str, float] = defaultdict(float)
        self.seconds = 0.0
        self.segment_s: list[float] = []
        self.languages: list[str] = []
        self.kinds: list[str] = []
        self.codes: list[Codes] = []


def measure(media: Path, models: Path, count: int, tally: Tally) -> None:
    """All voices, one after the other, or those before Ctrl-C."""
    lyra = Lyra(models)
    for take, language in until_interrupted(chosen(media, count)):
        with tempfile.TemporaryDirectory() as folder:
            voice = prepared(take, language, Path(folder))
        if voice.segments:  # some are silence, or too odd to be taken for speech
            _one(voice, lyra, tally)
            print(f"{len(tally.languages):4d} segments after {voice.name}", file=sys.stderr, flush=True)


def _one(voice: Voice, lyra: Lyra, tally: Tally) -> None:
    yardstick = Yardstick(voice)
    seconds = [part.packets * PACKET_SAMPLES / 48_000 for part in voice.segments]
    tally.seconds += len(voice.pcm) / 48_000
    tally.segment_s += seconds
    tally.languages += [voice.language] * len(seconds)
    tally.kinds += [voice.kind] * len(seconds)
    _note(tally, "original", voice.pcm, yardstick, scored=False)
    low = np.asarray(resample_poly(voice.pcm, 1, 3), np.float32)
    codes = _timed(tally, "encode", lyra.encode, low)
    for stages in STAGES:
        _lyra(tally, lyra, coarser(codes, stages), stages, voice, yardstick)
    for rung in OPUS:
        _opus(tally, rung, voice, yardstick)
    tally.codes.append(codes)


def _lyra(tally: Tally, lyra: Lyra, codes: Codes, stages: int, voice: Voice, yardstick: Yardstick) -> None:
    name, timed = f"lyra-{stages}", stages == 16
    samples = -(-len(voice.pcm) // 3)
    file = _timed(tally, "entropy encode" if timed else "", lyra_file.write, codes, samples)
    opened = lyra_file.read(file)
    again = np.concatenate(_timed(tally, "entropy decode" if timed else "", lambda: list(opened.codes())))
    heard = _timed(tally, "decode" if timed else "", lyra.decode, again)[:samples]
    tally.bytes[name] += len(file)
    per_s = len(file) / (len(voice.pcm) / 48_000)
    tally.segment_bytes[name] += [part.packets * PACKET_SAMPLES / 48_000 * per_s for part in voice.segments]
    whole = np.asarray(resample_poly(heard, 3, 1), np.float32)[: len(voice.pcm)]
    _note(tally, name, whole, yardstick)


def _opus(tally: Tally, rung: Rung, voice: Voice, yardstick: Yardstick) -> None:
    count = -(-(len(voice.pcm) + ogg.PRE_SKIP) // PACKET_SAMPLES)
    packets = opus.encode(np.pad(voice.pcm, (0, count * PACKET_SAMPLES - len(voice.pcm))), rung)
    size = ogg.write(
        io.BytesIO(), pairs.join(packets), len(voice.pcm), serial=1, tags={}, packet_samples=PACKET_SAMPLES,
        length=pairs.samples,
    )  # fmt: skip
    tally.bytes[rung.name] += size
    tally.segment_bytes[rung.name] += [
        float(segment.payload(packets[part.start_packet : part.end_packet])) for part in voice.segments
    ]
    _note(tally, rung.name, np.concatenate(list(opus.decode(packets)))[: len(voice.pcm)], yardstick)


def _note(tally: Tally, name: str, pcm: Pcm, yardstick: Yardstick, scored: bool = True) -> None:
    if scored:
        tally.scores[name] += yardstick.scores(pcm)
    if name in ASKED and len(tally.codes) % ASKED_EVERY == 0:
        tally.opinions[name].append(opinion(pcm))


def _timed(tally: Tally, name: str, act: Any, *given: Any) -> Any:
    start = time.process_time()
    done = act(*given)
    tally.clock[name] += time.process_time() - start
    return done


# --- what it says -----------------------------------------------------------------------------------------------------


def settings(tally: Tally) -> list[list[Any]]:
    """One row per setting: kb/s, MB per hour, mean and 5th percentile of the scores, shares at each promise."""
    rows = []
    for name in [f"lyra-{stages}" for stages in STAGES] + [rung.name for rung in OPUS]:
        kbps = tally.bytes[name] * 8 / tally.seconds / 1000
        estoi = [one.estoi for one in tally.scores[name] if one.estoi is not None]
        visqol = [one.visqol for one in tally.scores[name] if one.visqol is not None]
        raw = f"{int(name[5:]) * 0.2:.1f}" if name.startswith("lyra") else None
        shares = [f"{100 * _share(tally, name, promise):.0f} %" for promise in PROMISES]
        rows.append(
            [name, raw, round(kbps, 2), round(kbps * 0.45, 2), round(float(np.mean(estoi)), 3),
             round(float(np.percentile(estoi, 5)), 3), round(float(np.mean(visqol)), 2), *shares]
        )  # fmt: skip
    return rows


def _share(tally: Tally, name: str, promise: str) -> float:
    return float(np.mean([keeps(TARGETS[promise], "speech", one) for one in tally.scores[name]]))


def cheapest(tally: Tally) -> list[list[Any]]:
    """One row per promise: what each codec costs where every segment takes its own cheapest setting, known by trying
    all; a segment that no setting of Lyra serves takes Opus's.
    """
    rows = []
    for group, wanted in _groups(tally).items():
        seconds = sum(second for second, is_in in zip(tally.segment_s, wanted, strict=True) if is_in)
        for promise in PROMISES:
            lyra = _least(tally, [f"lyra-{stages}" for stages in STAGES], promise)
            plain = _least(tally, [rung.name for rung in OPUS], promise)
            both = [(a, b) for a, b, is_in in zip(lyra, plain, wanted, strict=True) if is_in]
            served = np.mean([a is not None for a, _ in both])
            dear = tally.segment_bytes[OPUS[-1].name]
            whole = [b if b is not None else dear[index] for index, b in enumerate(plain)]
            kbps = sum(cost for cost, is_in in zip(whole, wanted, strict=True) if is_in) * 8 / seconds / 1000
            mixed = [min(a, b) if a is not None else b for a, b in zip(lyra, whole, strict=True)]
            best = sum(cost for cost, is_in in zip(mixed, wanted, strict=True) if is_in) * 8 / seconds / 1000
            rows.append([group, promise, len(both), f"{100 * served:.0f} %", round(kbps, 2), round(best, 2),
                         f"{best / kbps:.2f}"])  # fmt: skip
    return rows


def _least(tally: Tally, names: list[str], promise: str) -> list[float | None]:
    """Bytes of the cheapest setting that keeps the promise, per segment; None where none does."""
    found: list[float | None] = []
    for index in range(len(tally.segment_s)):
        kept = (n for n in names if keeps(TARGETS[promise], "speech", tally.scores[n][index]))
        found.append(min((tally.segment_bytes[n][index] for n in kept), default=None))
    return found


def _groups(tally: Tally) -> dict[str, list[bool]]:
    both = list(zip(tally.languages, tally.kinds, strict=True))
    return {
        "all": [True for _ in both],
        "LibriSpeech": [kind == "speech" and language == READERS for language, kind in both],
        "other English": [kind == "speech" and language.startswith("en") for language, kind in both],
        "Spanish": [kind == "speech" and language == "es" for language, kind in both],
        "other languages": [
            kind == "speech" and language not in (READERS, "es") and not language.startswith("en")
            for language, kind in both
        ],
        "in noise": [kind == "noisy" for _, kind in both],
    }


def entropy(tally: Tally) -> list[list[Any]]:
    """One row per setting: bits per second as Lyra packs them, by frequencies per stage, and by our coder in a file per
    voice, in one file of all voices with a fresh start every minute, and with none.
    """
    rows, joined = [], np.concatenate(tally.codes)
    seconds = len(joined) / 50
    for stages in (16, 30, 46):
        codes = coarser(joined, stages)
        blocks = len(lyra_file.write(codes, len(codes) * 320)) * 8 / seconds
        once = len(lyra_entropy.encode(codes)) * 8 / seconds
        own = tally.bytes[f"lyra-{stages}"] * 8 / tally.seconds
        rows.append([stages, stages * 200, round(_frequencies(codes[:, :stages])), round(own), round(blocks),
                     round(once), f"{100 * (1 - blocks / (stages * 200)):.1f} %"])  # fmt: skip
    return rows


def _frequencies(codes: Codes) -> float:
    """Bits per second with one table of frequencies per stage, known beforehand: a bound for the simplest coder."""
    bits = 0.0
    for stage in codes.T:
        share = np.bincount(stage, minlength=16) / len(stage)
        bits -= float((share[share > 0] * np.log2(share[share > 0])).sum())
    return bits * 50


def opinions(tally: Tally) -> list[list[Any]]:
    """One row per setting: means of the networks that do not know the original."""
    return [[name, *np.round(np.mean(tally.opinions[name], axis=0), 2).tolist()] for name in ASKED]


def speeds(tally: Tally) -> list[list[Any]]:
    """Seconds of sound per second of one core."""
    names = ("encode", "decode", "entropy encode", "entropy decode")
    return [[name, round(tally.seconds / tally.clock[name])] for name in names]


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--media", type=Path, default=MEDIA, help="folder of recordings")
    ask.add_argument("--models", type=Path, help="folder of Lyra's networks (default: models/lyra in the media folder)")
    ask.add_argument("--voices", type=int, default=42, help="how many recordings")
    given = ask.parse_args()
    tally = Tally()
    measure(given.media, given.models or given.media / "models" / "lyra", given.voices, tally)
    per_promise = [f"{promise} kept" for promise in PROMISES]
    tables = {
        "settings": ([*SETTINGS, *per_promise], settings(tally)),
        "cheapest": (list(CHEAPEST), cheapest(tally)),
        "entropy": (list(ENTROPY), entropy(tally)),
        "opinions": (["setting", "DNSMOS signal", "DNSMOS overall", "PLCMOS"], opinions(tally)),
        "speed": (["one core, × real time", ""], speeds(tally)),
    }
    facts: Row = {"seed": SEED, "minutes": round(tally.seconds / 60, 1), "segments": len(tally.segment_s)}
    print(
        f"{len(tally.codes)} recordings, {facts['minutes']} minutes, {facts['segments']} speech segments, seed {SEED}\n"
    )
    for name, (columns, rows) in tables.items():
        print(markdown(columns, rows), end="\n\n")
        facts[name] = {"columns": columns, "rows": rows}
    print("kept in", written("neural", facts).name)


if __name__ == "__main__":
    main()
