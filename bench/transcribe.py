"""What the pipeline adds to a recogniser: time over calling it directly, a second run, memory, captions.

(a) `transcribe` against faster-whisper by hand on the same master, cut in the same places, with the same model and
settings; loading included in both. They take turns, so that a busy moment hurts both alike, and the median counts.
(b) The same stage again: with its record in the store, and with nothing but what was remembered of the sound.
(c) Peak memory of `chasqui transcribe` with growing length, all its processes together.
(d) All forms of captions of an hour of words.

The model is made by tests/asr/tiny_whisper.py: genuine architecture and tokenizer, made-up weights. By default it has
the size of Whisper tiny (384 wide, 4 layers), the smallest that anybody uses. A real model (`--model FOLDER`) does more
work per second, so what the pipeline adds, a process of its own and its imports, weighs less.

python bench/transcribe.py [--media DIR] [--quick] [--minutes M] [--hours H] [--repeats N]
    [--width N] [--layers N] [--model FOLDER]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from asr import tiny_whisper

from bench import recordings, watch
from bench.table import MEDIA, Row, circumstances, markdown, written
from chasqui import config, ingest
from chasqui.asr.stretches import stretches
from chasqui.events import Report
from chasqui.media.flac import read_span
from chasqui.metrics.resample import third
from chasqui.pipeline import PIPELINE
from chasqui.records import Analysis, Master, Segment, Word
from chasqui.run import run_stage
from chasqui.store import Store, lines, open_store

GOAL_RATIO, GOAL_AGAIN, GOAL_CAPTIONS_S = 1.05, 0.02, 2.0
BATCH, BEAM = 8, 5
LENGTHS_MIN = (10, 60)
TEXT = "asr/cuttledoc/fleurs-es-*.txt"
#: A teacher's pace.
WORDS_PER_HOUR = 9000


def overhead(media: Path, model: Path, minutes: float, repeats: int) -> Row:
    """(a) and (b)."""
    with tempfile.TemporaryDirectory() as scratch:
        source = recordings.lecture(media, minutes, Path(scratch) / "lecture.flac")
        ours, bare, again, recalled = [], [], [], []
        for turn in range(repeats):
            store = open_store(f"file:{scratch}/store-{turn}")
            recording_id = ingest.accept(source, store).recording_id
            for stage in ("ingest", "clean", "analyze"):
                run_stage(stage, recording_id, store, config.load(env={}))
            name = {"transcribe__recogniser": f"whisper:{model}", "transcribe__language": "es"}
            settings = config.load(
                env={}, transcribe__batch=BATCH, transcribe__beam=BEAM, transcribe__device="cpu", **name
            )

            def stage(settings: Any = settings, recording_id: str = recording_id, store: Store = store) -> Any:
                return run_stage("transcribe", recording_id, store, settings)

            bare.append(_timed(lambda store=store, key=recording_id: _direct(model, key, store)))
            ours.append(_timed(stage))
            again.append(_timed(stage))
            recalled.append(_timed(lambda s=settings, key=recording_id, store=store: _recalled(s, key, store)))
        made = stage()
        first, direct = statistics.median(ours), statistics.median(bare)
        return {
            "minutes": minutes,
            "words": made.word_count,
            "direct_s": round(direct, 2),
            "stage_s": round(first, 2),
            "ratio": round(statistics.median(o / b for o, b in zip(ours, bare, strict=True)), 3),
            "again": round(statistics.median(again) / first, 4),
            "recalled": round(statistics.median(recalled) / first, 4),
        }


def _timed(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _direct(model: Path, recording_id: str, store: Store) -> int:
    """By hand: load the model, read the master, recognise it in one call."""
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    master, segments = _material(recording_id, store)
    whisper = WhisperModel(str(model), device="cpu", compute_type="int8", cpu_threads=_threads(), local_files_only=True)
    sound = third()(read_span(store.path(master.audio), master.gain_db, 0, master.samples))
    clips: Any = [
        {"start": s.start_s, "end": min(s.start_s + s.seconds, master.duration_s)} for s in stretches(segments)
    ]
    found, _ = BatchedInferencePipeline(whisper).transcribe(
        sound,
        language="es",
        clip_timestamps=clips,
        vad_filter=False,
        word_timestamps=True,
        beam_size=BEAM,
        batch_size=BATCH,
    )
    return sum(len(segment.words or ()) for segment in found)


def _threads() -> int:
    return config.load(env={}).workers


def _recalled(settings: Any, recording_id: str, store: Store) -> None:
    """The stage's work without its record: everything is found by its sound."""
    master = store.get(recording_id, "clean", Master)
    analysis = store.get(recording_id, "analyze", Analysis)
    room = PIPELINE["transcribe"].room
    with store.workspace(recording_id, "transcribe") as work:
        report = Report("transcribe", recording_id)
        room.run(master, analysis, options=settings.options("transcribe"), work=work, report=report)


def _material(recording_id: str, store: Store) -> tuple[Master, list[Segment]]:
    master, analysis = store.get(recording_id, "clean", Master), store.get(recording_id, "analyze", Analysis)
    assert master is not None  # noqa: S101 - made a moment ago
    assert analysis is not None  # noqa: S101
    return master, lines.read(store.path(analysis.segments), Segment)


def memory(media: Path, model: Path, hours: float) -> list[Row]:
    """(c) A row per length, the longest last."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        block = recordings.lecture(media, 17, folder / "block.flac")
        for length in sorted({*(m / 60 for m in LENGTHS_MIN if m / 60 < hours), hours}):
            source = recordings.stretched(block, length, folder / f"{length:.2f}h.ogg")
            command = [
                sys.executable,
                "-m",
                "chasqui",
                "transcribe",
                str(source),
                "--json",
                "--out",
                str(folder / "out"),
            ]
            command += ["--recogniser", f"whisper:{model}", "--set", "transcribe.language=es"]
            cost = watch.run(command, {"CHASQUI_STORE": f"file:{folder / f'store-{length}'}"})
            rows.append({"hours": round(length, 3), "peak_mib": round(cost.peak_bytes / watch.MIB, 1)})
    return [{**row, "ratio": round(row["peak_mib"] / rows[0]["peak_mib"], 3)} for row in rows]


def captions(media: Path) -> Row:
    """(d) The best of five."""
    from chasqui.captions.forms import forms

    text = " ".join(path.read_text(encoding="utf-8") for path in sorted(media.glob(TEXT))).split()
    step = 3600 / WORDS_PER_HOUR
    words = [
        Word(text=text[n % len(text)], start_s=n * step, end_s=(n + 0.9) * step, probability=0.9)
        for n in range(WORDS_PER_HOUR)
    ]
    started = time.process_time()
    took = [_timed(lambda: forms(words, "es")) for _ in range(5)]
    cpu_s = (time.process_time() - started) / len(took)  # steadier on a shared machine
    return {"words": len(words), "seconds": round(min(took), 3), "cpu_s": round(cpu_s, 3), "goal": GOAL_CAPTIONS_S}


def shown(facts: Row) -> str:
    """Everything as Markdown."""
    a = facts["overhead"]
    first = markdown(
        [
            "speech",
            "directly, s",
            "stage, s",
            f"ratio (goal ≤ {GOAL_RATIO})",
            f"again (goal < {GOAL_AGAIN})",
            "remembered",
        ],
        [[f"{a['minutes']:g} min", a["direct_s"], a["stage_s"], a["ratio"], a["again"], a["recalled"]]],
    )
    rows = [[f"{row['hours']:g} h", row["peak_mib"], row["ratio"]] for row in facts["memory"]]
    second = markdown(["length", "peak memory, MiB", "ratio"], rows)
    c = facts["captions"]
    took = f"{c['seconds']} s (goal < {c['goal']:g}), {c['cpu_s']} s of processor time"
    said = f"Captions of {c['words']} words (an hour), all forms: {took}"
    return "\n\n".join([first, second, said])


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--media", type=Path, default=MEDIA)
    ask.add_argument("--quick", action="store_true", help="2 minutes, once; memory up to half an hour")
    ask.add_argument("--minutes", type=float, default=10)
    ask.add_argument("--hours", type=float, default=10, help="of the longest recording; 0 leaves memory out")
    ask.add_argument("--repeats", type=int, default=5)
    ask.add_argument("--width", type=int, default=384, help="of the model that is made")
    ask.add_argument("--layers", type=int, default=4)
    ask.add_argument("--model", type=Path, help="a real one instead")
    args = ask.parse_args()
    minutes, hours, repeats = (2, 0.5, 1) if args.quick else (args.minutes, args.hours, args.repeats)
    with tempfile.TemporaryDirectory() as scratch:
        model = args.model or _made(Path(scratch) / "model", args.width, args.layers)
        facts = circumstances() | {
            "captions": captions(args.media),
            "model": args.model.name if args.model else f"{args.width} × {args.layers}",
        }
        facts["overhead"] = overhead(args.media, model, minutes, repeats)
        print(facts["overhead"], facts["captions"], file=sys.stderr, flush=True)  # memory takes hours
        facts["memory"] = memory(args.media, model, hours) if hours else []
    print(shown(facts))
    written("transcribe-quick" if args.quick else "transcribe", facts)


def _made(folder: Path, width: int, layers: int) -> Path:
    tiny_whisper.WIDTH, tiny_whisper.HEADS = width, max(2, width // 64)
    tiny_whisper.LAYERS, tiny_whisper.WIDER = layers, 4
    return tiny_whisper.write(folder)


if __name__ == "__main__":
    main()
