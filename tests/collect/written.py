"""Rows and datasets for the tests of collect; `python written.py FOLDER FORMAT ROWS` writes one, slowly."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from chasqui.collect.columns import COLUMNS
from chasqui.collect.folder import open_dataset
from chasqui.collect.index import read_index
from chasqui.collect.schema import blank, write_line
from chasqui.collect.shards import open_shards

WORD = {"text": "hola", "start_s": 0.1, "end_s": 0.5, "probability": None, "speaker": None}
TOKEN = {"text": "Hola", "norm": "hola", "lemma": None, "start": 0, "end": 4, "start_s": 0.1, "end_s": 0.5}
TOKEN |= {"language": "es", "stop": False, "word": True}


def line(name: str, **columns: Any) -> bytes:
    """A row as the stage writes it."""
    row = blank(COLUMNS) | {"id": name.rjust(16, "0"), "path": f"{name}.wav", "status": "done"}
    return write_line(row | {"tool_version": "1", "schema_version": 1} | columns, COLUMNS)


def full(name: str, **columns: Any) -> bytes:
    """A row in which most is said."""
    told: dict[str, Any] = {
        "transcription": "Hola, mañana",
        "transcription_from": "given",
        "words": [WORD],
        "tokens": [TOKEN],
        "word_count": 2,
        "token_count": 1,
        "speaking_rate_wpm": 60.0,
        "language": "es",
        "licence": "CC BY 4.0",
        "speakers": ["ana"],
        "duration_s": 2,
        "speech_s": 1.5,
        "speech_share": 0.75,
        "snr_db": 21.5,
        "loudness_lufs": -22.25,
        "segments": [{"start_s": 0, "end_s": 2, "kind": "speech", "speech_share": 0.75}],
        "audio_tokens": [
            {"name": "units", "rate_hz": 25, "levels": 1, "vocabulary": 256, "used": 2, "bits_per_s": 9.5}
            | {"decodes": False, "units": [3, 1, 2]}
        ],
        "audio_token_count": 3,
    }
    return line(name, **told | columns)


def rows(folder: Path) -> list[dict[str, Any]]:
    """What a reader gets now."""
    index = read_index(folder)
    assert index is not None
    return list(open_shards(folder, index.format, index.audio == "inside").rows())


def write(folder: Path, kind: Any, count: int, every: int = 7) -> str:
    """So many rows, a few at a time; gives their digest."""
    with open_dataset(folder, kind) as data:
        for number in range(count):
            data.add_line(full(f"{number:04d}", title=f"fila {number}"), None)
            if number % every == every - 1:
                data.flush()
    return data.index.totals.digest


if __name__ == "__main__":
    write(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
