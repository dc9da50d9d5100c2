"""What others read first: the index brought up to date, the dataset card, the Croissant file."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

from chasqui import __version__
from chasqui.collect.index import Index, Totals, write_index
from chasqui.collect.ledger import Ledger
from chasqui.collect.shards import Shards

#: What the totals are made of.
COUNTED = ("status", "duration_s", "speech_s", "word_count", "token_count", "audio_bytes", "language", "licence")


def describe(folder: Path, index: Index, shards: Shards, ledger: Ledger) -> Index:
    """Write what is said about a dataset; the index last, because it says that all else is up to date."""
    totals = count(shards, ledger)
    index = index.model_copy(update={"totals": totals, "closed": True, "tool_version": __version__})
    write_index(folder, index)
    return index


def count(shards: Shards, ledger: Ledger) -> Totals:
    """The totals of all rows, one row at a time."""
    status: Counter[str] = Counter()
    sums: Counter[str] = Counter()
    languages: Counter[str] = Counter()
    licences: Counter[str] = Counter()
    for row in shards.rows(COUNTED):
        status[row["status"]] += 1
        languages[row["language"] or "unknown"] += row["status"] != "failed"
        licences[row["licence"] or "unknown"] += row["status"] != "failed"
        for name in ("duration_s", "speech_s", "word_count", "token_count", "audio_bytes"):
            sums[name] += row[name] or 0
    digest = hashlib.sha256()
    for one in ledger.digests():
        digest.update(one.encode())
    return Totals(
        rows=status.total(),
        done=status["done"],
        degraded=status["degraded"],
        failed=status["failed"],
        duration_s=round(sums["duration_s"], 3),
        speech_s=round(sums["speech_s"], 3),
        words=sums["word_count"],
        tokens=sums["token_count"],
        audio_bytes=sums["audio_bytes"],
        languages=_ordered(languages),
        licences=_ordered(licences),
        digest=digest.hexdigest(),
    )


def _ordered(counted: Counter[str]) -> dict[str, int]:
    return {name: n for name, n in sorted(counted.items(), key=lambda item: (-item[1], item[0])) if n}
