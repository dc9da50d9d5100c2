"""What tokens cost and what units are worth.

    python -m bench.tokens --media DIR [--minutes 5] [--phones LABELS.json] [--syllables]

Speed is processor time of one core over the length of the sound, all parts in turn in one process, beside reading the
master alone. `--phones` asks pocketsphinx which phone each 20 ms of the held-out LibriSpeech speakers is (it hears,
then aligns what it heard: labels with errors of their own) and tells how much the units say about them; that takes as
long as the sound lasts, so labels are kept in the file that is named. `--syllables` compares with the vowel groups in
the texts of FLEURS' Spanish sentences.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from chasqui.features.lower import lower
from chasqui.media.flac import FlacWriter, read_master
from chasqui.tokenize import listen, told, tongues, units
from chasqui.tokenize.voice import Voice
from chasqui.train.material import split
from chasqui.train.mixing import whole
from chasqui.train.sources import Source, sources

BOOKS = ("units-100", "units-500")
TURNS = 3


def cost_s(job: Callable[[], Any]) -> float:
    """Processor seconds of one turn, best of a few."""
    found = []
    for _ in range(TURNS):
        start = time.process_time()
        job()
        found.append(time.process_time() - start)
    return min(found)


def speed(media: Path, minutes: float) -> None:
    files = sorted((media / "speech" / "resemblyzer").glob("*.flac"))
    clips: list[Any] = []
    while sum(map(len, clips)) < minutes * 60 * listen.RATE_HZ:
        clips.append(whole(files[len(clips) % len(files)]))
    sound = np.concatenate(clips)[: round(minutes * 60 * listen.RATE_HZ)]
    seconds = len(sound) / listen.RATE_HZ
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1):
        path = Path(folder) / "master.flac"
        with FlacWriter(path) as writer:
            writer.write(sound)
        blocks = list(listen.blocks(path, 0.0))
        framed = [listen.frames(block) for block in blocks]
        books = {name: units.load(units.SHIPPED / name) for name in BOOKS}
        known = told.Told(
            {"level_p95_dbfs": np.array([-15.0])}, np.array([1.0]), np.ones(round(seconds / told.CHUNK_S) + 1, bool)
        )
        jobs: dict[str, Callable[[], Any]] = {
            "reading the master (the baseline)": lambda: sum(map(len, read_master(path, 0.0, listen.BLOCK))),
            "frames: 16 kHz, cepstra, levels": lambda: [listen.frames(block) for block in blocks],
            **{name: lambda b=book: [b.units(one, b.usual) for one in framed] for name, book in books.items()},
            "voice": lambda: hear(Voice(known), blocks, framed),
            "all of it, units-100": lambda: everything(path, books["units-100"], known),
        }
        for name, job in jobs.items():
            print(f"| {name} | {seconds / cost_s(job):.0f} |")


def hear(voice: Voice, blocks: list[Any], framed: list[Any]) -> None:
    for block, one in zip(blocks, framed, strict=True):
        voice.hear(block, one)


def everything(path: Path, book: units.Codebook, known: told.Told) -> None:
    voice = Voice(known)
    for block in listen.blocks(path, 0.0):
        one = listen.frames(block)
        book.units(one, book.usual)
        voice.hear(block, one)


def text(media: Path) -> None:
    said = " ".join(
        file.read_text(encoding="utf-8") for file in sorted((media / "asr" / "cuttledoc").glob("fleurs-es*.txt"))
    )
    parts = [said] * 50
    ways: dict[str, Callable[[str], Any]] = {"str.split (the baseline)": str.split, "plain": tongues.plain}
    if tongues.has_spacy():
        ways["spacy-es"] = tongues.tongue("es").cut
    for name, cut in ways.items():
        count = sum(len(cut(part)) for part in parts)
        print(f"| {name} | {count / cost_s(lambda way=cut: [way(part) for part in parts]):,.0f} tokens/s |")


def held(media: Path) -> list[Source]:
    found, _ = sources(media)
    parts = split(found, 1)
    return [
        one for one in found
        if one.corpus == "librispeech" and parts[one.group] == "test" and one.path.startswith("speech/resemblyzer")
    ]  # fmt: skip


def labels(media: Path, kept: Path) -> dict[str, list[tuple[str, int, int]]]:
    """(phone, first frame of 10 ms, frames) of each recording, as pocketsphinx hears and aligns them."""
    from pocketsphinx import Decoder

    found: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {}
    decoder = Decoder(loglevel="FATAL")
    for source in held(media):
        if source.path in found:
            continue
        at_16k = lower(whole(media / source.path), (3,))[0][: 14 * 16_000]
        raw = (np.clip(at_16k, -1, 1) * 32767).astype(np.int16).tobytes()
        for again in (False, True):
            if again:
                decoder.set_alignment()
            decoder.start_utt()
            decoder.process_raw(raw, full_utt=True)
            decoder.end_utt()
        found[source.path] = [(p.name, p.start, p.duration) for word in decoder.get_alignment() for p in word]
        decoder.activate_search("_default")
        kept.write_text(json.dumps(found))
    return found


def phones(media: Path, kept: Path) -> None:
    """Share of what there is to know about the phone that the unit tells (as HuBERT's authors measure), and purity."""
    known = labels(media, kept)
    for name, book in books_and_bare():
        counts: dict[tuple[int, str], int] = {}
        for path, told_phones in known.items():
            sound = whole(media / path)[: 14 * listen.RATE_HZ]
            one = listen.frames(listen.Block(sound, 0, len(sound), 0))
            likeness = book.usual if "bare" in name else units.likeness_of(one.cepstra, one.level_dbfs)
            line = book.units(one, likeness)
            at = {frame: phone for phone, start, size in told_phones for frame in range(start, start + size)}
            loud = one.level_dbfs > one.level_dbfs.max() - 40
            for place, unit in enumerate(line):
                middle = 2 * place + 1
                if middle in at and middle < len(loud) and loud[middle]:
                    key = (int(unit), at[middle])
                    counts[key] = counts.get(key, 0) + 1
        print(f"| {name} | {information(counts):.3f} | {purity(counts):.3f} | {sum(counts.values())} |")


def books_and_bare() -> Iterator[tuple[str, units.Codebook]]:
    for name in BOOKS:
        book = units.load(units.SHIPPED / name)
        yield name, book
        yield f"{name}, bare: no recording made alike", book


def information(counts: dict[tuple[int, str], int]) -> float:
    total = sum(counts.values())
    unit, phone = marginal(counts, 0), marginal(counts, 1)
    mutual = sum(n / total * np.log(n * total / unit[key[0]] / phone[key[1]]) for key, n in counts.items())
    return float(mutual / -sum(n / total * np.log(n / total) for n in phone.values()))


def purity(counts: dict[tuple[int, str], int]) -> float:
    best: dict[int, int] = {}
    for (unit, _), n in counts.items():
        best[unit] = max(best.get(unit, 0), n)
    return sum(best.values()) / sum(counts.values())


def marginal(counts: dict[tuple[int, str], int], side: int) -> dict[Any, int]:
    found: dict[Any, int] = {}
    for key, n in counts.items():
        found[key[side]] = found.get(key[side], 0) + n
    return found


def syllables(media: Path) -> None:
    from chasqui import config, ingest
    from chasqui.run import run_stage
    from chasqui.store import open_store

    with tempfile.TemporaryDirectory() as folder:
        store, settings = open_store(f"file:{folder}"), config.load(env={})
        shares = []
        for path in sorted((media / "asr" / "cuttledoc").glob("fleurs-es-*.ogg")):
            recording_id = ingest.accept(path, store).recording_id
            made: Any = None
            for stage in ("ingest", "clean", "analyze", "tokenize"):
                made = run_stage(stage, recording_id, store, settings)
            said = path.with_suffix(".txt").read_text(encoding="utf-8").lower()
            apart = re.sub(r"([íúaeoáéó])([aeoíúáéó])", r"\1-\2", said)
            written = len(re.findall("[aeiouáéíóúü]+", apart))
            shares.append(made.voice["syllables_per_s"] * made.voice["speech_s"] / written)
        told_of = f"{np.mean(shares):.2f} ± {np.std(shares):.2f}"
        print(f"| syllables found of those written, {len(shares)} sentences | {told_of} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--media", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--phones", type=Path, metavar="LABELS.json")
    parser.add_argument("--syllables", action="store_true")
    asked = parser.parse_args()
    print("| part | × real time, one core |\n|---|---:|")
    speed(asked.media, asked.minutes)
    print("\n| words cut by | |\n|---|---:|")
    text(asked.media)
    if asked.phones:
        print("\n| units | of the phone told | purity | frames |\n|---|---:|---:|---:|")
        phones(asked.media, asked.phones)
    if asked.syllables:
        print("\n| | |\n|---|---:|")
        syllables(asked.media)


if __name__ == "__main__":
    main()
