"""Writing rows of a dataset against bare pyarrow writing the same table, in one run, by turns; and the memory it takes.

    python bench/collect.py [--rows 1000000] [--words 25] [--json FILE]

Both get the same lines of JSON. `bare` parses each ten thousand with pyarrow's own reader and appends them to one open
ParquetWriter: no identity, no hash, no sync, nothing to find after a kill. `ours` is what `chasqui dataset` does with
finished rows. `dicts` is what most people write instead, Table.from_pylist of dictionaries that are there already,
on a tenth of the rows. Wall time, because the disk counts; times of one machine say little, ratios do.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pyarrow as pa
from pyarrow import json as arrow_json
from pyarrow.parquet import ParquetWriter

from chasqui.collect.columns import COLUMNS
from chasqui.collect.folder import open_dataset
from chasqui.collect.parquet import GROUP_ROWS, LEVEL, arrow_schema
from chasqui.collect.schema import blank, seal, write_line

GOAL = 1.3
CHUNK = 10_000
PATTERNS = 400


def pattern(chance: random.Random, words: int) -> bytes:
    """A row as of half a minute of speech; `@@` stands for its id."""
    text = [f"palabra{chance.randrange(5000)}" for _ in range(words)]
    tokens = [
        {"text": word, "norm": word, "lemma": None, "start": 10 * n, "end": 10 * n + 9, "start_s": n * 0.4}
        | {"end_s": n * 0.4 + 0.3, "language": "es", "stop": not n % 3, "word": True}
        for n, word in enumerate(text)
    ]
    row = blank(COLUMNS) | {
        "id": "@@",
        "path": "clases/@@.mp3",
        "sha256": "@@" * 4,
        "source_bytes": chance.randrange(10**6),
        "status": "done",
        "transcription": " ".join(text),
        "transcription_from": "recogniser",
        "words": [{k: t[k] for k in ("text", "start_s", "end_s")} | {"probability": chance.random()} for t in tokens],
        "word_count": words,
        "speaking_rate_wpm": chance.uniform(80, 200),
        "tokens": tokens,
        "token_count": words,
        "language": "es",
        "segments": [{"start_s": 0.0, "end_s": 9.0, "kind": "speech", "speech_share": chance.random()}] * 3,
        "duration_s": chance.uniform(5, 60),
        "speech_s": chance.uniform(5, 60),
        "loudness_lufs": chance.uniform(-40, -10),
        "snr_db": chance.uniform(0, 40),
        "features": [{"name": f"feature_{n}", "value": chance.gauss(0, 1)} for n in range(60)],
        "audio_tokens": [
            {"name": "units", "rate_hz": 25.0, "levels": 1, "vocabulary": 256, "used": 99, "bits_per_s": 99.0}
            | {"decodes": False, "units": [chance.randrange(256) for _ in range(20 * words // 2)]}
        ],
        "licence": "CC BY 4.0",
        "tool_version": "0",
        "schema_version": 1,
    }
    return write_line(row, COLUMNS)


def lines(rows: int, words: int) -> Iterator[list[bytes]]:
    """The rows, ten thousand at a time."""
    chance = random.Random(1)
    patterns = [pattern(chance, words) for _ in range(PATTERNS)]
    for start in range(0, rows, CHUNK):
        yield [
            patterns[n % PATTERNS].replace(b"@@", f"{n:016x}".encode()) for n in range(start, min(start + CHUNK, rows))
        ]


def parse(part: list[bytes]) -> Any:
    """As anybody would with pyarrow."""
    return arrow_json.read_json(
        io.BytesIO(b"\n".join(part)),
        arrow_json.ReadOptions(block_size=1 << 20),
        arrow_json.ParseOptions(explicit_schema=arrow_schema(False)),
    )


def measure(rows: int, words: int, folder: Path) -> dict[str, Any]:
    """Seconds of each, their ratio, and the peak of memory after a tenth and at the end."""
    took = {"bare": 0.0, "ours": 0.0, "dicts": 0.0}
    memory, text = [], 0
    schema, zstd = arrow_schema(False), {"compression": "zstd", "compression_level": LEVEL}
    with (
        open_dataset(folder / "ours", "parquet", settings={"bench": {"version": 1}}) as data,
        ParquetWriter(folder / "bare.parquet", schema, **zstd) as bare,
        ParquetWriter(folder / "dicts.parquet", schema, **zstd) as dicts,
    ):
        for number, part in enumerate(lines(rows, words)):
            sealed = [seal(line, "bench")[0] for line in part]
            text += sum(map(len, sealed))
            for name in ("bare", "ours") if number % 2 else ("ours", "bare"):
                start = time.perf_counter()
                if name == "bare":
                    bare.write_table(parse(sealed).cast(schema), GROUP_ROWS)
                else:
                    for line in part:
                        data.add_line(line, None)
                    data.flush()
                took[name] += time.perf_counter() - start
            if number % 10 == 0:
                loaded = [json.loads(line) for line in sealed]
                start = time.perf_counter()
                dicts.write_table(pa.Table.from_pylist(loaded, schema), GROUP_ROWS)
                took["dicts"] += time.perf_counter() - start
                del loaded
            memory.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        start = time.perf_counter()
    took["close"] = time.perf_counter() - start
    tenth = (len(memory) + 9) // 10
    return {
        "rows": rows,
        "kB_per_row": round(text / rows / 1000, 1),
        "seconds": {name: round(seconds, 2) for name, seconds in took.items()},
        "ours_to_bare": round(took["ours"] / took["bare"], 3),
        "ours_and_close_to_bare": round((took["ours"] + took["close"]) / took["bare"], 3),
        "ours_to_dicts": round(took["ours"] / (took["dicts"] * len(memory) / tenth), 3),
        "goal": GOAL,
        "peak_MB": {"a tenth": round(memory[max(len(memory) // 10 - 1, 0)]), "all": round(memory[-1])},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--words", type=int, default=25)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        told = measure(options.rows, options.words, Path(folder))
    print(json.dumps(told, indent=1))
    if options.json:
        options.json.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
