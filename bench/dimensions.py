"""Further dimensions of a rung: what DTX, complexity, frame duration, in-band FEC, application and the strength of
noise reduction do to bytes and scores. Figures in docs/neural.md.

python bench/dimensions.py [--media DIR] [--voices 16] [--mixtures 10]
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import libopus
from bench.opinions import Opinion, opinion
from bench.recordings import NOISES, Pcm, Take, read, takes
from bench.table import MEDIA, markdown, written
from bench.voices import MEASURED_S, SEED, Voice, Yardstick, chosen, prepared
from chasqui.clean import rnnoise
from chasqui.codecs.opus import RATE_HZ, RUNGS, ladder
from chasqui.media import ogg, opus, segment
from chasqui.metrics.judge import Judge
from chasqui.metrics.targets import TARGETS, keeps
from chasqui.records import Scores


class Way(NamedTuple):
    """One way to differ from the ladder's rung of the same bit rate."""

    name: str
    settings: dict[str, int]
    frame_ms: int = 60
    application: str = "voip"


WAYS = (
    Way("as the ladder", {}),
    Way("DTX", {"dtx": 1}),
    *(Way(f"complexity {level}", {"complexity": level}) for level in (0, 2, 5, 8)),
    Way("40 ms", {}, frame_ms=40),
    Way("20 ms", {}, frame_ms=20),
    Way("signal: voice", {"signal": libopus.VOICE}),
    Way("application audio", {}, application="audio"),
    Way("constrained VBR", {"constrained_vbr": 1}),
    Way("constant rate", {"vbr": 0}),
    Way("in-band FEC, 5 % loss", {"fec": 1, "packet_loss_percent": 5}),
    Way("narrowband", {"bandwidth": libopus.NARROWBAND}),
    Way("wideband", {"bandwidth": libopus.WIDEBAND}),
)
BITRATES = (6_000, 9_000, 12_000)
#: How much of the sound is RNNoise's; `clean` takes 0.70 to 0.97, by what it measures.
SHARES = (0.0, 0.5, 0.7, 0.85, 1.0)
SNR_DB = (5.0, 10.0, 15.0)


class Sum:
    """Of one row."""

    def __init__(self) -> None:
        self.bytes = 0
        self.clock = 0.0
        self.scores: list[Scores] = []

    def cells(self, seconds: float) -> list[Any]:
        estoi = [one.estoi for one in self.scores if one.estoi is not None]
        visqol = [one.visqol for one in self.scores if one.visqol is not None]
        return [
            round(self.bytes * 8 / seconds / 1000, 2),
            round(float(np.mean(estoi)), 3),
            round(float(np.mean(visqol)), 2),
            *(f"{100 * float(np.mean([keeps(aim, 'speech', one) for one in self.scores])):.0f} %"
              for aim in TARGETS.values()),
            round(seconds / self.clock),
        ]  # fmt: skip


def settings(media: Path, count: int) -> list[list[Any]]:
    """One row per bit rate and way."""
    sums: dict[tuple[int, str], Sum] = defaultdict(Sum)
    seconds = 0.0
    for take, language in chosen(media, count):
        with tempfile.TemporaryDirectory() as folder:
            voice = prepared(take, language, Path(folder))
        if voice.segments:
            seconds += len(voice.pcm) / RATE_HZ
            _every_way(voice, sums)
            print(f"{seconds:5.0f} s after {voice.name}", file=sys.stderr, flush=True)
    return [[f"{bps // 1000}k", name, *row.cells(seconds)] for (bps, name), row in sums.items()]


def _every_way(voice: Voice, sums: dict[tuple[int, str], Sum]) -> None:
    yardstick = Yardstick(voice)
    padded = np.pad(voice.pcm, (0, ogg.PRE_SKIP))
    for bps in BITRATES:
        for way in WAYS:
            row = sums[bps, way.name]
            started = time.process_time()
            given = {"bitrate_bps": bps, **way.settings}
            packets = libopus.encode(padded, given, way.frame_ms, way.application)
            row.clock += time.process_time() - started
            row.bytes += segment.payload(packets)
            row.scores += yardstick.scores(np.concatenate(list(opus.decode(packets)))[: len(voice.pcm)])


# --- strength of noise reduction --------------------------------------------------------------------------------------


class Heard(NamedTuple):
    """One mixture after one strength: what the cheapest rung that is understood costs, and what voice-9 sounds like."""

    rate: float  # bytes per second of the cheapest rung that is understood, against its own master
    bytes: float  # per second at voice-9
    own: float  # ESTOI of voice-9 against its own master
    clean: float  # ESTOI of voice-9 against the voice without noise
    visqol: float  # of voice-9 against the voice without noise
    opinion: Opinion  # of voice-9


def strengths(media: Path, count: int) -> list[list[Any]]:
    """One row per speech-to-noise ratio and strength: means over the mixtures."""
    found: dict[tuple[float, float], list[Heard]] = defaultdict(list)
    for voice, noise in _mixtures(media, count):
        for snr_db in SNR_DB:
            loud = voice + noise * 10 ** (-snr_db / 20)
            wet = rnnoise.denoised(loud)[0]
            for share in SHARES:
                master = np.asarray(loud + np.float32(share) * (wet - loud), np.float32)
                found[snr_db, share].append(_heard(voice, master))
    rows = []
    for (snr_db, share), all_of_them in found.items():
        rate, size, own, clean, visqol = np.mean([list(one[:5]) for one in all_of_them], axis=0)
        signal, overall, plc = np.mean([one.opinion for one in all_of_them], axis=0)
        rows.append(
            [f"{snr_db:.0f} dB", f"{share:.2f}", round(rate * 8 / 1000, 2), round(size * 8 / 1000, 2), round(own, 3),
             round(clean, 3), round(visqol, 2), round(signal, 2), round(overall, 2), round(plc, 2)]
        )  # fmt: skip
    return rows


def _mixtures(media: Path, count: int) -> Iterator[tuple[Pcm, Pcm]]:
    """Clean readers with the noises in turn, both at −23 dBFS, ten seconds each."""
    readers: list[Take] = [take for take in takes(media) if take.kind == "speech" and "resemblyzer" in take.path.parts]
    some = random.Random(SEED).sample(readers, count)
    for index, take in enumerate(some):
        voice = _level(read(take.path)[: 10 * RATE_HZ])
        noise = _level(read(media / NOISES[index % len(NOISES)]))
        yield voice, np.resize(noise, len(voice))
        print(f"{index + 1} of {count} mixtures", file=sys.stderr, flush=True)


def _level(pcm: Pcm) -> Pcm:
    return np.asarray(pcm * (10 ** (-23 / 20) / float(np.sqrt(np.mean(pcm**2)))), np.float32)


def _heard(voice: Pcm, master: Pcm) -> Heard:
    own, seconds = Judge("speech", master), len(master) / RATE_HZ
    understood = ladder("voip")[-1]
    for rung in ladder("voip"):
        if keeps(TARGETS["understood"], "speech", own.scores(_through(master, rung.name)[1], quality=False)):
            understood = rung
            break
    size, sound = _through(master, "voice-9")
    against = Judge("speech", voice).scores(sound)
    return Heard(
        _through(master, understood.name)[0] / seconds,
        size / seconds,
        own.scores(sound, quality=False).estoi or 0.0,
        against.estoi or 0.0,
        against.visqol or 0.0,
        opinion(sound),
    )


def _through(pcm: Pcm, rung: str) -> tuple[int, Pcm]:
    """(payload bytes, the sound after an encode at a rung)."""
    packets = opus.encode(np.pad(pcm, (0, ogg.PRE_SKIP)), RUNGS[rung])
    return segment.payload(packets), np.concatenate(list(opus.decode(packets)))[: len(pcm)]


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--media", type=Path, default=MEDIA, help="folder of recordings")
    ask.add_argument("--voices", type=int, default=16, help="recordings for the settings of libopus")
    ask.add_argument("--mixtures", type=int, default=10, help="recordings for the strength of noise reduction")
    given = ask.parse_args()
    promises = [f"{target} kept" for target in TARGETS]
    first = ["rate", "setting", "kb/s", "ESTOI", "ViSQOL", *promises, "× real time"]
    second = ["speech to noise", "share of RNNoise", "understood at, kb/s", "voice-9, kb/s", "ESTOI to its master",
              "ESTOI to the clean voice", "ViSQOL", "DNSMOS signal", "overall", "PLCMOS"]  # fmt: skip
    rows, more = settings(given.media, given.voices), strengths(given.media, given.mixtures)
    print(f"{given.voices} recordings (their first {MEASURED_S} s), seed {SEED}\n\n{markdown(first, rows)}\n")
    print(f"{given.mixtures} voices of ten seconds in noise\n\n{markdown(second, more)}\n")
    tables = {"settings": {"columns": first, "rows": rows}, "strengths": {"columns": second, "rows": more}}
    print("kept in", written("dimensions", {"seed": SEED, **tables}).name)


if __name__ == "__main__":
    main()
