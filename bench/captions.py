"""How well captions that somebody brings are laid on the sound: `python -m bench.captions MEDIA WORK [MINUTES]`.

Real English read by many people (LibriSpeech, one utterance after another) is heard by pocketsphinx, whose words and
times stand for the truth; captions are made of them, set carelessly, moved, stretched, and laid on the sound again.
Captions of the other recordings stand for those that do not belong. WORK keeps what was heard, heard once.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chasqui import config, ingest
from chasqui.captions import Cue
from chasqui.captions.cues import cues
from chasqui.errors import CaptionsMisfit
from chasqui.media.flac import FlacWriter
from chasqui.media.source import blocks
from chasqui.records import Word
from chasqui.run import run_stage
from chasqui.store import lines, open_store
from chasqui.transcribe.align import FRAME_S, fit
from chasqui.transcribe.judge import placed
from chasqui.transcribe.spread import spread

RECORDINGS = 3
MAPS = [
    (0.0, 1.0),
    (3.0, 1.0),
    (-3.0, 1.0),
    (40.0, 1.0),
    (0.0, 25 / 23.976),
    (12.0, 24 / 25),
    (5.0, 1.0007),
    (-7.0, 1.03),
]


@dataclass(frozen=True)
class Heard:
    """A recording, where speech is in it, and its words."""

    speech: NDArray[np.float32]
    words: list[Word]

    @property
    def seconds(self) -> float:
        return len(self.speech) * FRAME_S


def heard(media: Path, work: Path, minutes: float) -> Iterator[Heard]:
    """Recordings of so many minutes, other speakers in each."""
    files = sorted((media / "speech" / "resemblyzer").glob("*.flac"))
    Random(5).shuffle(files)
    share = len(files) // RECORDINGS
    settings = config.load(env={}, transcribe__recogniser="pocketsphinx")
    store = open_store(f"file:{work / 'store'}")
    for number in range(RECORDINGS):
        path = work / f"{number}-{minutes:g}.flac"
        if not path.exists():
            _joined(files[number * share : (number + 1) * share], path, minutes, Random(number))
        recording_id = ingest.accept(path, store).recording_id
        for stage in ("ingest", "clean", "analyze", "transcribe"):
            made: Any = run_stage(stage, recording_id, store, settings)
            if stage == "analyze":
                with np.load(store.path(made.features)) as table:
                    speech = table["speech_probability"].astype(np.float32) / 255
        yield Heard(speech, lines.read(store.path(made.words), Word))


def _joined(files: Sequence[Path], path: Path, minutes: float, random: Random) -> None:
    samples = 0
    with FlacWriter(path) as writer:
        for file in files:
            if samples > minutes * 60 * 48_000:
                return
            for block in blocks(file, 0):
                writer.write(block[0])
                samples += block.shape[1]
            gap = round(48_000 * random.uniform(0.05, 0.9))
            writer.write(np.zeros(gap, np.float32))
            samples += gap


def careless(words: Sequence[Word], deviation_s: float, seed: int) -> list[Cue]:
    """Captions whose beginnings and ends are off, by so much in the usual case."""
    random, made = Random(seed), list[Cue]()
    for cue in cues(words):
        start_s = max(cue.start_s + random.gauss(0, deviation_s), made[-1].start_s + 0.2 if made else 0.0)
        end_s = max(cue.end_s + random.gauss(0, deviation_s), start_s + 0.5)
        if made and made[-1].end_s > start_s:
            made[-1] = replace(made[-1], end_s=start_s)
        made.append(replace(cue, start_s=start_s, end_s=end_s))
    return made


def moved(captions: Sequence[Cue], offset_s: float, rate: float) -> list[Cue]:
    """Captions for which sound = rate × caption + offset_s."""
    changed = (replace(c, start_s=(c.start_s - offset_s) / rate, end_s=(c.end_s - offset_s) / rate) for c in captions)
    return [cue for cue in changed if cue.start_s >= 0]


def right(recordings: Sequence[Heard], count: int | None, deviation_s: float) -> None:
    """A row: captions of the recording itself. Errors of words whose text and order are those of the truth."""
    off: list[float] = []
    certain, refused, unchecked, tries = [], 0, 0, 0
    for one, (offset_s, rate), seed in product(recordings, MAPS, (1, 2)):
        whole = careless(one.words, deviation_s, seed)
        first = len(whole) // 3 if count else 0
        part = whole[first : first + count] if count else whole
        start = sum(len(cue.text.split()) for cue in whole[:first])
        shifted = moved(part, offset_s, rate)
        lost = len(part) - len(shifted)
        skip = sum(len(cue.text.split()) for cue in part[:lost])
        tries += 1
        try:
            found = placed(shifted, one.speech, one.seconds, "captions")
        except CaptionsMisfit:
            refused += 1
            continue
        certain.append(found.fit.certainty)
        unchecked += not found.checked
        laid = [
            (place, word)
            for cue, place in zip(found.cues, found.origin, strict=True)
            for word in spread(cue, one.speech)
        ]
        before = {place: sum(len(cue.text.split()) for cue in shifted[:place]) for place in range(len(shifted))}
        seen: dict[int, int] = {}
        for place, word in laid:
            number = start + skip + before[place] + seen.get(place, 0)
            seen[place] = seen.get(place, 0) + 1
            off.append(abs(word.start_s - one.words[number].start_s))
    errors = f"{np.median(off):.2f} | {np.percentile(off, 95):.2f}" if off else "– | –"
    low = f"{min(certain):.1f} | {np.median(certain):.1f}" if certain else "– | –"
    print(f"| {count or 'all'} | {deviation_s:g} | {tries} | {refused} | {unchecked} | {low} | {errors} |", flush=True)


def wrong(recordings: Sequence[Heard], count: int | None) -> None:
    """A row: captions of the other recordings."""
    certain, taken, tries = [], 0, 0
    for one, other in product(recordings, recordings):
        if one is other:
            continue
        captions = cues(other.words)
        size = count or len(captions)
        for first in range(0, len(captions) - size + 1, max(size // 2, 1)):
            part = captions[first : first + size]
            part = moved(part, part[0].start_s - 1.0, 1.0)
            certain.append(fit(part, one.speech).certainty)
            tries += 1
            try:
                taken += placed(part, one.speech, one.seconds, "captions").checked
            except CaptionsMisfit:
                continue
    print(f"| {count or 'all'} | {tries} | {taken} | {np.median(certain):.1f} | {max(certain):.1f} |", flush=True)


def main(media: str, work: str, minutes: str = "10") -> None:
    Path(work).mkdir(parents=True, exist_ok=True)
    recordings = list(heard(Path(media), Path(work), float(minutes)))
    print(f"{len(recordings)} recordings, {sum(one.seconds for one in recordings) / 60:.0f} min in all\n")
    print("| cues | set to ± s | tries | refused | as they stand | certainty, least | median | word off by s | p95 |")
    print("|---|---|---|---|---|---|---|---|---|")
    for count, deviation_s in product((10, 25, 50, None), (0.0, 0.3, 0.5)):
        right(recordings, count, deviation_s)
    print("\n| cues of another recording | tries | taken for right | certainty median | most |\n|---|---|---|---|---|")
    for count in (10, 25, 50, None):
        wrong(recordings, count)
    one = max(recordings, key=lambda each: each.seconds)
    captions = moved(careless(one.words, 0.3, 1), 12.0, 24 / 25)
    began = time.process_time()
    placed(captions, one.speech, one.seconds, "captions")
    took = time.process_time() - began
    print(f"\n{len(captions)} cues on {one.seconds / 60:.0f} min: {took:.2f} s of processor time")


if __name__ == "__main__":
    main(*sys.argv[1:])
