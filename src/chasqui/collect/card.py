"""README.md: the dataset card, as people and Hugging Face read it. What others write below our part is kept."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from chasqui.collect.columns import as_table
from chasqui.collect.hub import yaml_features
from chasqui.collect.index import Index

NAME = "README.md"
END = "<!-- What stands below this line is yours; Chasqui keeps it. -->"

#: Licences as the hub spells them, by what people write.
HUB_LICENCES = {
    "cc0": "cc0-1.0", "cc01.0": "cc0-1.0", "publicdomain": "pddl",
    "ccby4.0": "cc-by-4.0", "ccby3.0": "cc-by-3.0", "ccbysa4.0": "cc-by-sa-4.0", "ccbysa3.0": "cc-by-sa-3.0",
    "ccbync4.0": "cc-by-nc-4.0", "ccbyncsa4.0": "cc-by-nc-sa-4.0", "mit": "mit", "apache2.0": "apache-2.0",
}  # fmt: skip
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
HOW = {
    "parquet": """```python
pandas.read_parquet("DIR/data")
datasets.load_dataset("DIR")
duckdb.sql("SELECT path, duration_s FROM 'DIR/data/*.parquet' WHERE status = 'done'")
```""",
    "jsonl": """```python
pandas.concat(pandas.read_json(path, lines=True) for path in sorted(pathlib.Path("DIR/data").glob("*.jsonl")))
datasets.load_dataset("DIR")
```""",
    "sqlite": """```sql
-- sqlite3 DIR/data.sqlite
SELECT path, transcription FROM recordings WHERE language = 'es' AND snr_db > 20;
SELECT path FROM recordings WHERE rowid IN (SELECT rowid FROM recordings_text WHERE recordings_text MATCH 'palabra');
```""",
}  # fmt: skip


def card(index: Index, old: str = "") -> str:
    """The card, with what stood below our part of the old one."""
    below = old.partition(END)[2] if END in old else ""
    return f"{_front(index)}\n{_english(index)}\n{_spanish(index)}\n{END}{below or chr(10)}"


def stands(folder: Path) -> str:
    """The card that is there, or nothing."""
    try:
        return (folder / NAME).read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def _front(index: Index) -> str:
    """What Hugging Face reads. JSON is YAML, so texts are spelt as JSON does."""
    totals = index.totals
    lines = ["---", f"pretty_name: {_text(index.title or 'Recordings')}"]
    languages = [name for name in totals.languages if re.fullmatch("[a-z]{2,3}", name)]
    if languages:
        lines += ["language:", *(f"- {name}" for name in languages)]
    spelt = {HUB_LICENCES.get(re.sub("[^a-z0-9.]", "", name.lower()), "other") for name in totals.licences}
    lines += ["license:", *(f"- {name}" for name in sorted(spelt))] if spelt - {"other"} else ["license: other"]
    size = next((name for most, name in SIZES if totals.rows < most), "1M<n<10M")
    lines += ["task_categories:", "- automatic-speech-recognition", "size_categories:", f"- {size}"]
    if index.format != "sqlite":
        lines += ["configs:", "- config_name: default", "  data_files:", "  - split: train"]
        lines += [f"    path: data/*.{index.format}"]
        lines += ["dataset_info:", "  features:", *yaml_features(index.audio == "inside", "  ")]
    return "\n".join([*lines, "---", ""])


def _english(index: Index) -> str:
    totals = index.totals
    sound = {
        "inside": "in the column `audio`, as Hugging Face's Audio feature has it",
        "beside": "below `audio/`, under the name in `audio_path`",
    }[index.audio]
    return f"""# {index.title or "Recordings"}

{totals.rows - totals.failed} recordings, {_hours(totals.duration_s)} hours ({_hours(totals.speech_s)} of speech),
prepared with Chasqui {index.tool_version}. {totals.failed} further sources failed and are rows too, with `status` =
`failed` and the reason in `message`; {totals.degraded} recordings are degraded: a part of their sound or of the work
failed, and `message` says which.

| | |
|---|---|
| Words | {totals.words} |
| Text tokens | {totals.tokens} |
| Languages | {_counted(totals.languages)} |
| Licences | {_counted(totals.licences)} |
| Rows | {index.format}, schema {index.schema_version} |
| Sound | {totals.audio_bytes} bytes, {sound} |

The licences and consents are what was said beside the sources (`licence`, `consent`); nobody has checked them here.

## Opening it

{HOW[index.format]}

`summary.html` shows what is in it; `chasqui dataset check DIR` proves that it is whole; `chasqui dataset export DIR
--to lhotse` and `--to webdataset` make what those read.

## How it was made

Stage versions and options, by the key in the column `settings`, are in `dataset.json`.{_made(index)}

## Columns

{chr(10).join(as_table())}
"""


def _spanish(index: Index) -> str:
    totals = index.totals
    return f"""## En español

{totals.rows - totals.failed} grabaciones, {_hours(totals.duration_s)} horas ({_hours(totals.speech_s)} de voz),
preparadas con Chasqui {index.tool_version}. Otras {totals.failed} fuentes fallaron y también son filas, con `status` =
`failed` y el motivo en `message`; {totals.degraded} están incompletas. Idiomas: {_counted(totals.languages)}.
Licencias: {_counted(totals.licences)}. Las licencias y los consentimientos son los que se declararon junto a las
fuentes; aquí nadie los ha comprobado.
"""


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.2f}"


def _made(index: Index) -> str:
    if not index.settings:
        return ""
    stages = list(index.settings.values())[-1]
    return " The last run had: " + ", ".join(f"{name} {_version(told)}" for name, told in stages.items()) + "."


def _version(told: Any) -> Any:
    return told.get("version", "") if isinstance(told, dict) else told


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{name.replace('|', '/')} ({n})" for name, n in list(counts.items())[:12]) or "none"


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
