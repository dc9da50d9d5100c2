"""Does Opus's neural decoder (LACE, NoLACE) lift our files? Figures in docs/neural.md.

The enhancers come from npm, into a folder of their own:

    npm install --prefix DIR ogg-opus-decoder@1.7.5
    python bench/nolace.py --modules DIR/node_modules [--media DIR] [--voices 30]

Measured: `understood` as `chasqui` encodes it, two rungs, and what the ladder does not have, wideband forced at
the rates of narrowband. Each is decoded plainly, with LACE and with NoLACE by the same library.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import libopus
from bench.opinions import Opinion, opinion
from bench.recordings import Pcm
from bench.table import MEDIA, Row, markdown, written
from bench.voices import SEED, Voice, Yardstick, chosen, encoded, prepared, until_interrupted
from chasqui.codecs.opus import PACKET_SAMPLES, RATE_HZ, RUNGS
from chasqui.media import ogg, opus, pairs
from chasqui.metrics.targets import TARGETS, keeps
from chasqui.records import Scores

HOW = ("none", "lace", "nolace")
RUNG_NAMES = ("voice-9", "voice-11")
#: Wideband at rates where libopus would go narrowband by itself.
FORCED_BPS = (6_000, 7_000, 8_000)


class File(NamedTuple):
    """One encoded voice and what share of its packets is wideband SILK, which the enhancers work on."""

    name: str
    data: bytes
    share: float


class Tally:
    """Everything measured so far, by (file, decoder)."""

    def __init__(self) -> None:
        self.bytes: dict[str, float] = defaultdict(float)
        self.share: dict[str, list[float]] = defaultdict(list)
        self.scores: dict[tuple[str, str], list[Scores]] = defaultdict(list)
        self.opinions: dict[tuple[str, str], list[Opinion]] = defaultdict(list)
        self.untouched: dict[tuple[str, str], int] = defaultdict(int)  # voices that an enhancer left as they were
        self.clock: dict[str, float] = defaultdict(float)
        self.seconds = 0.0
        self.apart = 0.0
        self.voices = 0


def measure(media: Path, modules: Path, count: int, tally: Tally) -> None:
    """All voices, one after the other, or those before Ctrl-C."""
    for take, language in until_interrupted(chosen(media, count)):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            voice = prepared(take, language, folder)
            if voice.segments:
                _one(voice, encoded(folder, "understood"), modules, folder / "files", tally)
                tally.voices += 1
                print(f"{tally.seconds:5.0f} s after {voice.name}", file=sys.stderr, flush=True)


def _one(voice: Voice, understood: bytes, modules: Path, folder: Path, tally: Tally) -> None:
    files = [
        File("understood", understood, _wideband_share(understood)),
        *(_file(name, opus.encode(_padded(voice.pcm), RUNGS[name]), voice) for name in RUNG_NAMES),
        *(
            _file(
                f"wideband-{bps / 1000:g}",
                libopus.encode(_padded(voice.pcm), {"bitrate_bps": bps, "bandwidth": libopus.WIDEBAND}),
                voice,
            )
            for bps in FORCED_BPS
        ),
    ]
    folder.mkdir()
    for file in files:
        (folder / f"{file.name}.opus").write_bytes(file.data)
    for how, seconds in _decoded(modules, folder).items():
        tally.clock[how] += seconds
    yardstick = Yardstick(voice)
    tally.seconds += len(voice.pcm) / RATE_HZ
    for file in files:
        part = len(voice.pcm) / RATE_HZ / voice.whole_s if file.name == "understood" else 1
        tally.bytes[file.name] += len(file.data) * part
        tally.share[file.name].append(file.share)
        plain = _heard(folder, file.name, "none")
        for how in HOW:
            heard = _heard(folder, file.name, how)
            if how != "none" and len(heard) == len(plain) and (heard == plain).all():
                tally.untouched[file.name, how] += 1
                tally.scores[file.name, how] += tally.scores[file.name, "none"][-len(voice.segments) :]
                tally.opinions[file.name, how].append(tally.opinions[file.name, "none"][-1])
                continue
            heard = heard[: len(voice.pcm)]
            tally.scores[file.name, how] += yardstick.scores(heard)
            tally.opinions[file.name, how].append(opinion(heard))
        tally.apart = max(tally.apart, _apart(folder / f"{file.name}.opus", plain))


def _padded(pcm: Pcm) -> Pcm:
    count = -(-(len(pcm) + ogg.PRE_SKIP) // PACKET_SAMPLES)
    return np.pad(pcm, (0, count * PACKET_SAMPLES - len(pcm)))


def _wideband(voice: Voice, bitrate_bps: int) -> list[bytes]:
    return libopus.encode(_padded(voice.pcm), {"bitrate_bps": bitrate_bps, "bandwidth": libopus.WIDEBAND})


def _file(name: str, packets: list[bytes], voice: Voice) -> File:
    out = io.BytesIO()
    joined = pairs.join(packets)
    ogg.write(out, joined, len(voice.pcm), serial=1, tags={}, packet_samples=PACKET_SAMPLES, length=pairs.samples)
    return File(name, out.getvalue(), _wideband_share(out.getvalue()))


def _wideband_share(file: bytes) -> float:
    """Share of packets in configurations 8 to 11 (RFC 6716 §3.1): SILK at 16 kHz."""
    pages = list(ogg.read(io.BytesIO(file)))[2:]
    return float(np.mean([8 <= packet[0] >> 3 <= 11 for page in pages for packet in page.packets]))


def _decoded(modules: Path, folder: Path) -> dict[str, float]:
    """Decode the folder with Node; processor seconds per decoder."""
    node = shutil.which("node") or sys.exit("Node is needed: https://nodejs.org (20 or newer)")
    script = Path(__file__).with_suffix(".mjs")
    done = subprocess.run([node, script, modules, folder], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{done.stderr}\nnpm install --prefix DIR ogg-opus-decoder@1.7.5, then --modules DIR/node_modules")
    seconds: dict[str, float] = json.loads(done.stdout)
    return seconds


def _heard(folder: Path, name: str, how: str) -> Pcm:
    return np.fromfile(folder / f"{name}.{how}.f32", np.float32)


def _apart(file: Path, plain: Pcm) -> float:
    """How far the plain decode is from that of the libopus we score with: largest difference of any sample."""
    ours = np.concatenate(list(opus.decode_file(file)))
    return float(np.abs(ours - plain).max()) if len(ours) == len(plain) else float("inf")


def table(tally: Tally) -> list[list[Any]]:
    """One row per file and decoder."""
    rows = []
    for (name, how), scores in tally.scores.items():
        estoi = [one.estoi for one in scores if one.estoi is not None]
        visqol = [one.visqol for one in scores if one.visqol is not None]
        heard = np.round(np.mean(tally.opinions[name, how], axis=0), 2).tolist()
        what = f"{how}, no effect" if tally.untouched[name, how] == len(tally.opinions[name, how]) else how
        rows.append(
            [name, round(tally.bytes[name] * 8 / tally.seconds / 1000, 2), f"{100 * np.mean(tally.share[name]):.0f} %",
             what, round(float(np.mean(estoi)), 3), round(float(np.mean(visqol)), 2), *heard, *_kept(scores)]
        )  # fmt: skip
    return rows


def _kept(scores: list[Scores]) -> list[str]:
    """Shares of segments at each promise."""
    return [f"{100 * float(np.mean([keeps(aim, 'speech', one) for one in scores])):.0f} %" for aim in TARGETS.values()]


COLUMNS = (
    *("file", "kb/s", "wideband SILK", "decoder", "ESTOI", "ViSQOL", "DNSMOS signal", "overall", "PLCMOS"),
    *(f"{target} kept" for target in TARGETS),
)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--modules", type=Path, required=True, help="the node_modules that hold ogg-opus-decoder")
    ask.add_argument("--media", type=Path, default=MEDIA, help="folder of recordings")
    ask.add_argument("--voices", type=int, default=30, help="how many recordings")
    given = ask.parse_args()
    tally = Tally()
    measure(given.media, given.modules, given.voices, tally)
    files = len(tally.bytes)
    speed = {how: round(tally.seconds * files / tally.clock[how]) for how in HOW}
    print(f"{tally.voices} recordings, {tally.seconds / 60:.1f} minutes, seed {SEED}")
    print(f"Plain decode against the libopus that we score with: samples differ by at most {tally.apart:.1e}")
    print("× real time in Node: " + ", ".join(f"{how} {times}" for how, times in speed.items()), end="\n\n")
    rows = table(tally)
    print(markdown(list(COLUMNS), rows), end="\n\n")
    facts: Row = {"seed": SEED, "minutes": round(tally.seconds / 60, 1), "apart": tally.apart, "speed": speed}
    print("kept in", written("nolace", {**facts, "columns": COLUMNS, "rows": rows}).name)


if __name__ == "__main__":
    main()
