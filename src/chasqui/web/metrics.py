"""The service in numbers, as Prometheus reads them (text format 0.0.4).

Written here and not by `prometheus_client`: all of it is counted anew for each question, so there is nothing to
register or to keep between two of them, and the format is a line per number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from chasqui.catalog.retries import known
from chasqui.run.parts import WELL

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Samples = Iterable[tuple[Mapping[str, str], float | None]]


def text(seen: Mapping[str, Any]) -> str:
    """An overview (`run/overview.py`) as metrics. What is not known now is left out."""
    lines: list[str] = []
    for name, about, samples in _metrics(seen):
        rows = [f"chasqui_{name}{_labels(labels)} {_number(value)}" for labels, value in samples if value is not None]
        if rows:
            lines += [f"# HELP chasqui_{name} {about}", f"# TYPE chasqui_{name} gauge", *rows]
    return "\n".join(lines) + "\n"


def _metrics(seen: Mapping[str, Any]) -> Iterable[tuple[str, str, Samples]]:
    jobs, uploads, imports, disk = seen["jobs"], seen["uploads"], seen["imports"], seen["disk"] or {}
    build = {"version": seen["version"], "schema": str(seen["schema"] or "")}
    yield "build_info", "Version of the program and of its tables.", [(build, 1)]
    begun_s = None if seen["up_s"] is None else seen["at_s"] - seen["up_s"]
    yield "start_time_seconds", "When this server began, since 1970.", [({}, begun_s)]
    up = [({"part": one["name"], "kind": one["kind"]}, one["state"] == WELL) for one in seen["parts"]]
    yield "part_up", "Whether what the service stands on answers.", up
    yield from _of_queues(seen["queues"])
    yield "dead_letters", "Tasks that workers died over, not yet brought back.", [({}, seen["dead_letters"])]
    ended = [({"state": state}, jobs["last_day"][state]) for state in ("done", "failed", "cancelled")]
    yield "jobs_ended_last_day", "Jobs that ended within the last day.", ended
    failed = [({"error": code}, number) for code, number in _failures(jobs["last_day"]["failures"]).items()]
    yield "jobs_failed_last_day", "Of these, those that failed, by error.", failed
    yield from _of_letters(seen["letters"])
    yield "uploads_open", "Files on their way in.", [({}, uploads["open"])]
    yield "uploads_reserved_bytes", "Room that is kept for them.", [({}, uploads["reserved_bytes"])]
    yield "uploads_received_bytes", "What came of them.", [({}, uploads["received_bytes"])]
    fetched = [({"state": state}, imports[state]) for state in ("waiting", "running")]
    yield "imports", "Links to be fetched.", fetched
    yield "imports_oldest_waiting_seconds", "How long the oldest waits.", [({}, imports["oldest_waiting_s"] or 0.0)]
    yield "disk_size_bytes", "Of the disk with the data folder.", [({}, disk.get("bytes"))]
    yield "disk_free_bytes", "What is free of it.", [({}, disk.get("free_bytes"))]


def _of_queues(queues: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, str, Samples]]:
    def by_queue(fact: str) -> Samples:
        return [({"queue": one["name"]}, one[fact]) for one in queues]

    states = [
        ({"queue": one["name"], "state": state}, one[state]) for one in queues for state in ("waiting", "running")
    ]
    yield "jobs", "Jobs under way.", states
    yield "jobs_silent", "Running ones whose worker says nothing.", by_queue("silent")
    oldest = [({"queue": one["name"]}, one["oldest_waiting_s"] or 0.0) for one in queues]
    yield "jobs_oldest_waiting_seconds", "How long the oldest waits.", oldest
    yield "broker_messages", "Messages in the broker's queues.", by_queue("messages")
    yield "broker_listeners", "Workers that the broker knows.", by_queue("listeners")


def _of_letters(letters: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, str, Samples]]:
    def by_kind(fact: str) -> Samples:
        return [({"kind": one["kind"]}, one[fact]) for one in letters]

    yield "letters_unsent", "What is still to be told.", by_kind("unsent")
    oldest = [({"kind": one["kind"]}, one["oldest_unsent_s"] or 0.0) for one in letters]
    yield "letters_oldest_unsent_seconds", "How long the oldest waits.", oldest
    yield "letters_in_trouble", "Tried and not arrived.", by_kind("in_trouble")
    yield "letters_given_up", "Given up within the last day.", by_kind("given_up")


def _failures(failures: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """By code. A label has as many values as there are classes of errors, whatever stands in the rows."""
    told: dict[str, int] = {}
    codes = known()
    for one in failures:
        code = one["error"] if one["error"] in codes else "other"
        told[code] = told.get(code, 0) + one["count"]
    return told


def _labels(labels: Mapping[str, str]) -> str:
    told = ",".join(f'{name}="{_quoted(value)}"' for name, value in labels.items())
    return f"{{{told}}}" if told else ""


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return repr(float(value))
