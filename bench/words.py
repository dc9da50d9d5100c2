"""How many words survive: a recogniser on English speech, as it is and after each encode.

Each clip is cleaned into a master once; then it is packed at every promise and encoded at fixed rates. What the
recogniser hears of each is compared with what it heard of the master (the loss), and where the text is known also with
that. 48 and 32 kb/s, which nobody can tell from the master, show how much the recogniser flutters by itself.

python bench/words.py [--media DIR] [--recogniser NAME] [--quick] [--speakers N]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import recordings
from bench.table import MEDIA, Row, circumstances, markdown, written
from chasqui import config, ingest
from chasqui.asr import Settings, open_recogniser
from chasqui.asr.ear import Ear
from chasqui.asr.filter import kept
from chasqui.asr.stretches import stretches
from chasqui.codecs.opus import PACKET_SAMPLES, RUNGS
from chasqui.media import opus
from chasqui.media.flac import read_span
from chasqui.media.ogg import PRE_SKIP
from chasqui.metrics import wer
from chasqui.metrics.lost import SURE
from chasqui.metrics.resample import third
from chasqui.records import Master, Measured, Segment, Word
from chasqui.run import run_stage
from chasqui.store import Store, lines, open_store

TARGETS = ("understood", "comfortable", "clear")
FIXED = ("voice-6", "voice-8", "voice-12", "voice-32", "voice-48")
#: Clips whose text is known, and where it is.
WITH_TEXT = "asr/cuttledoc/fleurs-en-*.ogg"
SPEAKERS = "speech/resemblyzer/*.flac"
SPEAKERS_USED, QUICK_SPEAKERS = 40, 4


class Clip(NamedTuple):
    """One recording of English speech; `text` is what is said, where somebody wrote it down."""

    path: Path
    text: list[str] | None


def clips(media: Path, speakers: int) -> list[Clip]:
    """The clips with texts, and so many LibriSpeech speakers, evenly out of all."""
    written_down = [Clip(path, path.with_suffix(".txt").read_text("utf-8").split()) for path in media.glob(WITH_TEXT)]
    every = sorted(media.glob(SPEAKERS))
    return (
        sorted(written_down)
        + [Clip(path, None) for path in every[:: max(1, len(every) // max(speakers, 1))]][:speakers]
    )


def measured(media: Path, name: str, speakers: int) -> Row:
    """Word errors of each encode, summed over the clips."""
    sums: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    used = clips(media, speakers)
    recogniser = open_recogniser(name)
    with tempfile.TemporaryDirectory() as scratch:
        store = open_store(f"file:{scratch}")
        for place, clip in enumerate(used):
            _add(clip, store, recogniser, sums)
            print(f"{place + 1}/{len(used)} {clip.path.name}", file=sys.stderr, flush=True)
    recogniser.close()
    rows = [{"encode": encode, **_rates(found)} for encode, found in sums.items()]
    seconds = sum(recordings.read(clip.path).size for clip in used) / recordings.RATE_HZ
    return {"recogniser": recogniser.identity, "clips": len(used), "seconds": round(seconds), "rows": rows}


def _add(clip: Clip, store: Store, recogniser: Any, sums: Any) -> None:
    recording_id = ingest.accept(clip.path, store).recording_id
    for stage in ("ingest", "clean", "analyze"):
        run_stage(stage, recording_id, store, config.load(env={}))
    with store.workspace(recording_id, "bench") as work:
        ear = Ear(recogniser, Settings(), "en", work.recall, work.remember)
        master = _got(store.get(recording_id, "clean", Master))
        segments = lines.read(store.path(_analysis(recording_id, store).segments), Segment)
        sound = read_span(store.path(master.audio), master.gain_db, 0, master.samples)
        reference = _hear(ear, sound, segments)
        for encode, heard, size in _encodes(recording_id, store, master, sound):
            said = reference if encode == "master" else _hear(ear, heard, segments)
            _count(sums[encode], clip, reference, said, size, master.duration_s)


def _encodes(recording_id: str, store: Store, master: Master, sound: Any) -> Iterator[tuple[str, Any, int]]:
    """Name, sound and bytes (without container, which weighs much on short clips) of each encode, the master first."""
    yield "master", sound, 0
    for target in TARGETS:
        # No recogniser: this is what the promise alone gives.
        settings = config.load(env={}, choose__target=target, encode__mp3=False)
        for stage in ("choose", "encode"):
            made: Any = run_stage(stage, recording_id, store, settings)
        voice = next(r.blob for r in made.renditions if r.name == "voice.opus")
        payload = sum(line.bytes for line in lines.read(store.path(made.measured), Measured))
        yield target, np.concatenate(list(opus.decode_file(store.path(voice)))), payload
    count = -(-(len(sound) + PRE_SKIP) // PACKET_SAMPLES)
    padded = np.pad(sound, (0, count * PACKET_SAMPLES - len(sound)))
    for rung in FIXED:
        packets = opus.encode(padded, RUNGS[rung])
        heard = np.concatenate(list(opus.decode(packets)))[: len(sound)]
        yield f"fixed {RUNGS[rung].bitrate_bps / 1000:g} kb/s", heard, sum(map(len, packets))


def _hear(ear: Ear, sound: Any, segments: list[Segment]) -> list[Word]:
    """What is heard of a recording, as `transcribe` cuts and filters it."""
    spans = [one.span(third()(sound[slice(*one.samples)])) for one in stretches(segments)]
    return [word for span, heard in zip(spans, ear.hear(spans), strict=True) for word in kept(heard, span)[0]]


def _count(into: Any, clip: Clip, reference: list[Word], said: list[Word], size: int, seconds: float) -> None:
    texts = [word.text for word in said]
    against = wer.compare([word.text for word in reference], texts, "en")
    sure = {at for at, word in enumerate(reference) if word.probability is None or word.probability >= SURE}
    into["words"] += against.words
    into["errors"] += against.substitutions + against.deletions + against.insertions
    into["sure"] += len(sure)
    into["lost"] += sum(one.position in sure for one in against.lost)
    into["bytes"] += size
    into["seconds"] += seconds
    if clip.text is not None:
        truth = wer.compare(clip.text, texts, "en")
        into["true words"] += truth.words
        into["true errors"] += truth.substitutions + truth.deletions + truth.insertions


def _rates(found: Any) -> Row:
    return {
        "kbps": round(found["bytes"] * 8 / found["seconds"] / 1000, 1),
        "words": int(found["words"]),
        "wer": round(found["errors"] / max(found["words"], 1), 4),
        "sure": int(found["sure"]),
        "lost": round(found["lost"] / max(found["sure"], 1), 4),
        "true_words": int(found["true words"]),
        "true_wer": round(found["true errors"] / max(found["true words"], 1), 4),
    }


def _analysis(recording_id: str, store: Store) -> Any:
    from chasqui.records import Analysis

    return _got(store.get(recording_id, "analyze", Analysis))


def _got(record: Any) -> Any:
    assert record is not None  # noqa: S101 - made a moment ago
    return record


def shown(facts: Row) -> str:
    """The rows as Markdown."""
    first = facts["rows"][0]
    columns = [
        "encode",
        "kb/s",
        f"WER against the master ({first['words']} words)",
        f"sure words lost ({first['sure']})",
        f"WER against the text ({first['true_words']} words)",
    ]
    rows = [
        [row["encode"], row["kbps"] or "", *(f"{row[name]:.1%}" for name in ("wer", "lost", "true_wer"))]
        for row in facts["rows"]
    ]
    return f"{facts['recogniser']}, {facts['clips']} clips, {facts['seconds']} s.\n\n" + markdown(columns, rows)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--media", type=Path, default=MEDIA)
    ask.add_argument("--recogniser", default="pocketsphinx", help="as `chasqui transcribe` takes it")
    ask.add_argument("--quick", action="store_true", help=f"{QUICK_SPEAKERS} speakers beside the clips with texts")
    ask.add_argument("--speakers", type=int, default=SPEAKERS_USED)
    args = ask.parse_args()
    facts = measured(args.media, args.recogniser, QUICK_SPEAKERS if args.quick else args.speakers)
    print(shown(facts))
    written("words-quick" if args.quick else "words", circumstances() | facts)


if __name__ == "__main__":
    main()
