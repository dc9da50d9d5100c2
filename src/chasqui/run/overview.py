"""A service at one glance, for the person who runs it: what it stands on, what waits, who works, what went wrong."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chasqui import __version__
from chasqui.catalog import counts
from chasqui.run.queue.work import queue_of
from chasqui.run.service import QUEUES, Service

if TYPE_CHECKING:
    from chasqui.catalog import Catalog
    from chasqui.catalog.counts import AtWork, Counts
    from chasqui.run.parts import Parts, Seen

LETTERS = ("task", "notice", "webhook")


def overview(service: Service, catalog: Catalog, parts: Parts, begun_s: float | None = None) -> dict[str, Any]:
    """All of it, as JSON. `begun_s`: since when the server runs that tells this.

    Raises:
        CatalogAway: without the catalog nothing is known.
    """
    counted, seen = counts.count(catalog), parts.seen()
    told = seen["broker"].facts
    return {
        "version": __version__,
        "schema": seen["catalog"].facts,
        "at_s": counted.at_s,
        "up_s": None if begun_s is None else counted.at_s - begun_s,
        "parts": _parts(parts, seen),
        "jobs": {
            "waiting": sum(one.count for one in counted.waiting.values()),
            "running": len(counted.at_work),
            "silent": sum(_silent(one, service, counted) for one in counted.at_work),
            "last_day": {**counted.ended, "failures": _failures(counted)},
        },
        "queues": [_queue(name, service, counted, told) for name in QUEUES],
        "dead_letters": told.dead if told else None,
        "workers": [_worker(one, service, counted) for one in counted.at_work[: counts.MOST_NAMED]],
        "letters": [_letters(kind, counted) for kind in LETTERS],
        "uploads": vars(counted.incoming),
        "imports": {**counted.imports, "oldest_waiting_s": _age(counted.imports_since_s, counted)},
        "disk": _disk(service.data),
    }


def _parts(parts: Parts, seen: Mapping[str, Seen]) -> list[dict[str, Any]]:
    return [
        {
            "name": part.name,
            "kind": part.kind,
            "address": part.address,
            "needed": part.needed,
            "state": seen[part.name].state,
            "why": seen[part.name].why or None,
        }
        for part in parts.parts
    ]


def _queue(name: str, service: Service, counted: Counts, told: Any) -> dict[str, Any]:
    waiting = [one for stage, one in counted.waiting.items() if queue_of(stage) == name]
    at_work = [one for one in counted.at_work if queue_of(one.stage) == name]
    lying = told.queues[name] if told else None
    return {
        "name": name,
        "waiting": sum(one.count for one in waiting),
        "oldest_waiting_s": _age(min((one.since_s for one in waiting), default=None), counted),
        "running": len(at_work),
        "silent": sum(_silent(one, service, counted) for one in at_work),
        "messages": lying.messages if lying else None,
        "listeners": lying.listeners if lying else None,
    }


def _worker(one: AtWork, service: Service, counted: Counts) -> dict[str, Any]:
    return {
        "name": one.worker,
        "job_id": one.job_id,
        "stage": one.stage,
        "done": one.done,
        "job_started_s": one.started_s,
        "beat_s": one.beat_s,
        "silent": _silent(one, service, counted),
    }


def _letters(kind: str, counted: Counts) -> dict[str, Any]:
    one = counted.letters.get(kind)
    return {
        "kind": kind,
        "unsent": one.unsent if one else 0,
        "oldest_unsent_s": _age(one.since_s, counted) if one else None,
        "in_trouble": one.in_trouble if one else 0,
        "given_up": one.given_up if one else 0,
    }


def _failures(counted: Counts) -> list[dict[str, Any]]:
    """Most first."""
    known = sorted(counted.failures.items(), key=lambda one: (-one[1], one[0]))
    return [{"error": error, "count": number} for error, number in known]


def _silent(one: AtWork, service: Service, counted: Counts) -> bool:
    return one.beat_s < counted.at_s - service.silent_s


def _age(since_s: float | None, counted: Counts) -> float | None:
    return None if since_s is None else max(0.0, counted.at_s - since_s)


def _disk(folder: Path) -> dict[str, int] | None:
    """Of the data folder, where files come in; None where there is none."""
    try:
        used = shutil.disk_usage(folder)
    except OSError:
        return None
    return {"bytes": used.total, "free_bytes": used.free}
