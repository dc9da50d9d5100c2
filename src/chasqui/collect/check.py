"""Is a dataset whole: every row against the schema, every sound against its hash, every number that is told of it.

What is found is told by key and facts (`words/*/collect.json`), so that it can be read in any language.
"""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from chasqui import __version__
from chasqui.collect import card, croissant
from chasqui.collect.columns import COLUMNS, TABLE
from chasqui.collect.describe import count
from chasqui.collect.index import Index, Totals, read_index
from chasqui.collect.ledger import Entry, Ledger
from chasqui.collect.schema import SCHEMA_VERSION, digest_of, problems
from chasqui.collect.shards import Shards, open_shards
from chasqui.errors import BadDataset, NewerDataset
from chasqui.words import reason, say

#: What reading a damaged file may raise. Arrow's and JSON's own errors are ValueErrors.
UNREADABLE = (OSError, ValueError, LookupError, TypeError, sqlite3.DatabaseError)
#: Rows that the ledger learns of at once.
TOGETHER = 1_000
READ_BYTES = 1 << 20


class Finding(NamedTuple):
    """Something that is not as it should be."""

    key: str  # of words/*/collect.json
    facts: dict[str, Any]


def check(folder: Path) -> Iterator[Finding]:
    """Everything that is wrong with a dataset, as it is found. Nothing is changed; memory does not grow with the rows.

    Raises:
        BadDataset: there is no dataset here.
        NewerDataset: it was written by a newer Chasqui.
    """
    index = read_index(folder)
    if index is None:
        raise BadDataset(path=str(folder), why="there is no dataset.json in it")
    if index.schema_version > SCHEMA_VERSION:
        raise NewerDataset(path=str(folder), found=index.schema_version, known=SCHEMA_VERSION)
    if index.schema_version < SCHEMA_VERSION:
        yield Finding("check.old", {"found": index.schema_version, "known": SCHEMA_VERSION})
        return
    if not index.closed:
        yield Finding("check.open", {})
    shards = open_shards(folder, index.format, index.audio == "inside")
    with tempfile.TemporaryDirectory() as aside:
        ledger = Ledger(Path(aside) / "ledger.sqlite", ())
        try:
            countable = True
            for shard in shards.names():
                for finding in _shard(folder, shards, shard, ledger):
                    countable = countable and finding.key not in ("check.unreadable", "check.value")
                    yield finding
            if countable:
                yield from _strays(folder, ledger, shards)
            if countable and index.closed:
                yield from _told(folder, index, count(shards, ledger.digests()))
        finally:
            ledger.close()


def _shard(folder: Path, shards: Shards, shard: str, ledger: Ledger) -> Iterator[Finding]:
    columns = [column.name for column in TABLE] + (["audio"] if shards.inside else [])
    known: list[Entry] = []
    number = 0
    try:
        for number, row in enumerate(shards.rows(columns if shards.inside else None, shard), 1):
            sound = row.pop("audio", None)
            where = {"shard": shard, "row": number, "path": row.get("path"), "id": row.get("id")}
            wrong = list(problems(row, TABLE))
            for problem in wrong:
                yield Finding("check.value", {**where, **problem._asdict()})
            if wrong:
                continue
            if digest_of(row, COLUMNS) != row["row_sha256"]:
                yield Finding("check.hash", where)
            yield from _sound(folder, row, sound, shards.inside, where)
            known.append(Entry(row["id"], row["row_sha256"], row["path"], row["status"], shard))
            if len(known) >= TOGETHER:
                yield from _twice(known, ledger)
                known = []
    except UNREADABLE as error:
        yield Finding("check.unreadable", {"shard": shard, "row": number, "why": _first(error)})
    yield from _twice(known, ledger)


def _twice(entries: list[Entry], ledger: Ledger) -> Iterator[Finding]:
    held = ledger.entries(entry.id for entry in entries)
    for entry in entries:
        if (other := held.get(entry.id)) is not None:
            yield Finding("check.twice", {"id": entry.id, "shard": entry.shard, "other": other.shard})
        held[entry.id] = entry
    ledger.put(entries)


def _sound(folder: Path, row: dict[str, Any], sound: Any, inside: bool, where: dict[str, Any]) -> Iterator[Finding]:
    if row["audio_path"] is None:
        return
    if inside:
        data = (sound or {}).get("bytes")
        digest = hashlib.sha256(data).hexdigest() if data is not None else None
    else:
        try:
            digest = _hash(folder / row["audio_path"])
        except OSError:
            digest = None
    if digest is None:
        yield Finding("check.sound_gone", {**where, "file": row["audio_path"]})
    elif digest != row["audio_sha256"]:
        yield Finding("check.sound_changed", {**where, "file": row["audio_path"]})


def _strays(folder: Path, ledger: Ledger, shards: Shards) -> Iterator[Finding]:
    audio = folder / "audio"
    if shards.inside or not audio.is_dir():
        return
    for path in audio.iterdir():
        if path.stem not in ledger:
            yield Finding("check.stray", {"file": f"audio/{path.name}"})


def _told(folder: Path, index: Index, found: Totals) -> Iterator[Finding]:
    for name, value in found.model_dump().items():
        told = getattr(index.totals, name)
        if told != value:
            yield Finding("check.total", {"name": name, "told": told, "found": value})
    if index.tool_version != __version__:  # another one words it otherwise
        return
    old = card.stands(folder)
    if old != card.card(index, old):
        yield Finding("check.told", {"file": card.NAME})
    file = folder / croissant.NAME
    if not file.exists() or file.read_text(encoding="utf-8") != croissant.croissant(index):
        yield Finding("check.told", {"file": croissant.NAME})


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(READ_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def _first(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0][:200] if lines else type(error).__name__


def tell(finding: Finding, lang: str) -> str:
    """The finding in somebody's language."""
    said = {
        name: reason(str(fact), lang) if name in ("expected", "found") else fact for name, fact in finding.facts.items()
    }
    return say(f"collect.{finding.key}", lang, **said)
