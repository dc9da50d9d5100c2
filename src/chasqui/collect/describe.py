"""Brings what is told of a dataset up to what is in it: totals, index, card, Croissant file."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from chasqui import __version__
from chasqui.collect import card, croissant
from chasqui.collect.index import Index, Totals, write_index
from chasqui.collect.ledger import Ledger
from chasqui.collect.shards import Shards, replacing

#: What the totals are made of.
COUNTED = ("status", "duration_s", "speech_s", "word_count", "token_count", "audio_bytes", "language", "licence")
SUMMED = ("duration_s", "speech_s", "word_count", "token_count", "audio_bytes")


def describe(folder: Path, index: Index, shards: Shards, ledger: Ledger) -> Index:
    """Write what is said about a dataset; the index last, because it says that all else is up to date."""
    totals = count(shards, ledger.digests())
    index = index.model_copy(update={"totals": totals, "closed": True, "tool_version": __version__})
    for name, text in (
        (card.NAME, card.card(index, card.stands(folder))),
        (croissant.NAME, croissant.croissant(index)),
    ):
        with replacing(folder / name, folder) as aside:
            aside.write_text(text, encoding="utf-8")
    write_index(folder, index)
    return index


def count(shards: Shards, digests: Iterable[str]) -> Totals:
    """The totals of all rows, one row at a time. `digests`: in the order of the ids."""
    status: Counter[str] = Counter()
    sums: dict[str, float] = dict.fromkeys(SUMMED, 0)
    languages: Counter[str] = Counter()
    licences: Counter[str] = Counter()
    for row in shards.rows(COUNTED):
        status[row["status"]] += 1
        languages[row["language"] or "unknown"] += row["status"] != "failed"
        licences[row["licence"] or "unknown"] += row["status"] != "failed"
        for name in SUMMED:
            sums[name] += row[name] or 0
    digest = hashlib.sha256()
    for one in digests:
        digest.update(one.encode())
    return Totals(
        rows=status.total(),
        done=status["done"],
        degraded=status["degraded"],
        failed=status["failed"],
        duration_s=round(sums["duration_s"], 3),
        speech_s=round(sums["speech_s"], 3),
        words=int(sums["word_count"]),
        tokens=int(sums["token_count"]),
        audio_bytes=int(sums["audio_bytes"]),
        languages=_ordered(languages),
        licences=_ordered(licences),
        digest=digest.hexdigest(),
    )


def _ordered(counted: Counter[str]) -> dict[str, int]:
    return {name: n for name, n in sorted(counted.items(), key=lambda item: (-item[1], item[0])) if n}
