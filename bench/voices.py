"""A seeded list of voices for experiments, each with its master and its speech segments as Chasqui cuts them."""

from __future__ import annotations

import csv
import random
import signal
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, zip_longest
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from bench.recordings import Pcm, Take, takes
from chasqui.codecs.opus import FRAME_MS, PACKET_SAMPLES, RATE_HZ
from chasqui.config import Config
from chasqui.ingest import accept
from chasqui.media.flac import read_master
from chasqui.media.ogg import PRE_SKIP
from chasqui.metrics.judge import Judge
from chasqui.records import Analysis, Kind, Master, Record, Renditions, Scores, Segment, TargetName
from chasqui.run import run_stage
from chasqui.store import open_store

R = TypeVar("R", bound=Record)
T = TypeVar("T")

SEED = 20_261_121
#: Stands for a language: LibriSpeech is English, and what Lyra was trained on comes from the same audio books.
READERS = "LibriSpeech"
#: Longer recordings are left out, and of the others the first seconds are measured: one voice must not outweigh ten.
LONGEST_S, MEASURED_S = 60, 20


class Voice(NamedTuple):
    """One recording after `clean` and `analyze`: its master at 48 kHz and where somebody speaks."""

    name: str
    language: str
    kind: str  # speech or noisy
    pcm: Pcm  # its first MEASURED_S
    whole_s: float
    segments: tuple[Segment, ...]


class Yardstick:
    """The reference side of one voice, prepared once for any number of encodings."""

    def __init__(self, voice: Voice) -> None:
        self.segments = voice.segments
        self._judges = [Judge("speech", _cut(voice.pcm, segment)) for segment in voice.segments]

    def scores(self, pcm: Pcm) -> list[Scores]:
        """One per segment. `pcm` is at 48 kHz, aligned with the master and as long."""
        pairs = zip(self._judges, self.segments, strict=True)
        return [judge.scores(_cut(pcm, segment)) for judge, segment in pairs]


def chosen(media: Path, count: int, seed: int = SEED) -> list[tuple[Take, str]]:
    """`count` recordings and their languages: half English readers of LibriSpeech, half everything else: all Spanish,
    then language by language in turn. A sixth of them in noise. The same for the same folder and seed.
    """
    language = _languages(media)
    found = [take for take in takes(media) if take.seconds <= LONGEST_S]
    shuffle = random.Random(seed).shuffle
    readers = [take for take in found if take.kind == "speech" and "resemblyzer" in take.path.parts]
    others = [take for take in found if take.kind == "speech" and "resemblyzer" not in take.path.parts]
    noisy = [take for take in found if take.kind == "noisy"]
    shuffle(readers)
    shuffle(noisy)
    few = count // 6
    rest = count - few
    clean = _in_turn(others, lambda take: language(take.path), shuffle)[: rest // 2]
    clean += readers[: rest - len(clean)]
    return [(take, language(take.path)) for take in [*clean, *noisy[:few]]]


def prepared(take: Take, language: str, folder: Path) -> Voice:
    """The voice of a recording; `folder` must be empty and keeps the store."""
    url = f"file:{folder / 'store'}"
    store = open_store(url)
    request = accept(take.file(folder), store)
    for stage in ("ingest", "clean", "analyze"):
        run_stage(stage, request.recording_id, store, Config(store=url, threads=1))
    master = _record(store.get(request.recording_id, "clean", Master))
    analysis = _record(store.get(request.recording_id, "analyze", Analysis))
    pcm = np.concatenate(list(read_master(store.path(master.audio), master.gain_db)))
    lines = store.path(analysis.segments).read_text(encoding="utf-8").splitlines()
    segments = (Segment.model_validate_json(line) for line in lines)
    last = MEASURED_S * 1000 // FRAME_MS
    spoken = tuple(part for part in segments if part.kind == _SPEECH and part.end_packet <= last)
    return Voice(take.path.stem, language, take.kind, pcm[: last * PACKET_SAMPLES], len(pcm) / RATE_HZ, spoken)


def until_interrupted(found: Iterable[T]) -> Iterator[T]:
    """What was found, one by one; after Ctrl-C the one in hand is finished and no other begun, so that hours of
    measuring are not lost.
    """
    asked: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: asked.append(number))
    try:
        for one in found:
            yield one
            if asked:
                break
    finally:
        signal.signal(signal.SIGINT, before)


def encoded(folder: Path, target: TargetName) -> bytes:
    """voice.opus at a target, of the recording that was prepared in `folder`."""
    url = f"file:{folder / 'store'}"
    store = open_store(url)
    (recording_id,) = store.recordings()
    for stage in ("choose", "encode"):
        run_stage(stage, recording_id, store, Config(store=url, threads=1, stages={"choose": {"target": target}}))
    made = _record(store.get(recording_id, "encode", Renditions))
    return next(store.path(one.blob) for one in made.renditions if one.name == "voice.opus").read_bytes()


_SPEECH: Kind = "speech"


def _cut(pcm: Pcm, segment: Segment) -> Pcm:
    return pcm[segment.start_packet * PACKET_SAMPLES : segment.end_packet * PACKET_SAMPLES][:-PRE_SKIP]


def _languages(media: Path) -> Callable[[Path], str]:
    table = media / "media.tsv"
    if not table.exists():
        return lambda path: ""
    with table.open(encoding="utf-8", newline="") as lines:
        known = {row["path"]: row["language"] for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)}
    return lambda path: READERS if "resemblyzer" in path.parts else known.get(path.relative_to(media).as_posix(), "")


def _in_turn(found: list[Take], key: Callable[[Take], str], shuffle: Callable[[list[Take]], None]) -> list[Take]:
    """All Spanish, then one of each language in turn."""
    groups = defaultdict[str, list[Take]](list)
    for take in found:
        groups[key(take)].append(take)
    for group in groups.values():
        shuffle(group)
    spanish = groups.pop("es", [])
    rounds: Iterator[tuple[Take | None, ...]] = zip_longest(*(groups[name] for name in sorted(groups)))
    return [*spanish, *(take for take in chain.from_iterable(rounds) if take is not None)]


def _record(record: R | None) -> R:
    if record is None:
        raise RuntimeError("a finished stage left no record")
    return record
