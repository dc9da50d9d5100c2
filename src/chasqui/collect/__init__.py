"""collect: what a dataset says about one recording, out of every record that is there; and the dataset itself.

| file | what |
|---|---|
| `columns.py`, `schema.py` | the columns of a row, and what a row must be |
| `row.py` | the row of one recording (the stage) |
| `spoken.py` | what is said in it, and by whom |
| `audio.py` | its sound, as data people want it |
| `folder.py`, `dataset.py`, `index.py` | the dataset: takes rows in, once each, whatever the interruptions |
| `ledger.py`, `shards.py`, `jsonl.py`, `parquet.py`, `sqlite.py` | which rows there are; where they lie |
| `check.py`, `migrate.py` | is it whole; from an older schema to this one |
| `describe.py`, `card.py`, `croissant.py`, `hub.py` | for others: totals, card, Croissant, Hugging Face |
| `export.py` | Lhotse manifests, WebDataset shards |
| `summary.py`, `page.py` | what is in it, in numbers and pictures |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from chasqui.events import Report
    from chasqui.records import (
        Analysis,
        Certificate,
        Master,
        Provenance,
        Recording,
        Request,
        Row,
        Tokens,
        Transcript,
        Turns,
    )
    from chasqui.store import Workspace


class Options(BaseModel):
    """The sound of a dataset."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: FLAC: lossless, half of WAV, and every reader of datasets takes it.
    audio: Literal["none", "flac", "wav", "wav-float", "opus", "mp3"] = "flac"
    audio_rate_hz: Literal[8_000, 16_000, 22_050, 24_000, 44_100, 48_000] = 16_000  # what recognisers take
    audio_level: Literal["master", "source"] | float = "master"  # else LUFS


def run(
    request: Request,
    recording: Recording,
    provenance: Provenance | None,
    master: Master | None,
    analysis: Analysis | None,
    transcript: Transcript | None,
    tokens: Tokens | None,
    turns: Turns | None,
    certificate: Certificate | None,
    *,
    options: Options,
    work: Workspace,
    report: Report,
) -> Row:
    """The row, and the sound that belongs to it.

    Raises:
        OSError: a blob cannot be read, or the row cannot be written.
    """
    from chasqui.collect.row import Outcomes, collect

    if turns is not None and turns.status == "none":  # as lessons have them where nobody asked: no other row for that
        turns = None
    outcomes = Outcomes(request, recording, provenance, master, analysis, transcript, tokens, turns, certificate)
    return collect(outcomes, options, work)
