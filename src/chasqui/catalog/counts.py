"""How much there is of what somebody must look after: work, letters, files on their way in.

Each question reads only what is under way or ended lately, by an index, and no more of it than `MOST` rows: a million
jobs that are done cost nothing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import case, func, literal, select
from sqlalchemy.orm import Session as Db

from chasqui.catalog import Catalog, jobs
from chasqui.catalog.tables import Import, Job, Letter, Upload

#: Rows of one kind that are counted. Whoever reads this number knows: so many, or more.
MOST = 20_000
#: Jobs at work that are told one by one.
MOST_NAMED = 200
#: What ended within the last day.
LATELY_S = 86_400.0


@dataclass(frozen=True)
class Waiting:
    """Jobs that wait at one stage."""

    count: int
    since_s: float  # asked for, where it was never begun; else when it came to wait here


@dataclass(frozen=True)
class AtWork:
    """A job that a worker has taken."""

    job_id: str
    stage: str
    worker: str
    started_s: float | None  # the job; it may have been with others before
    beat_s: float
    done: float  # of the stage, 0–1


@dataclass(frozen=True)
class Letters:
    """What is still to be told, of one kind."""

    unsent: int
    since_s: float | None  # the oldest of them
    in_trouble: int  # of them: tried, and not arrived
    given_up: int  # of the last day; then they are thrown away


@dataclass(frozen=True)
class Incoming:
    """Files on their way in."""

    open: int
    reserved_bytes: int
    received_bytes: int


@dataclass(frozen=True)
class Counts:
    """All of it, at one moment."""

    at_s: float
    waiting: Mapping[str, Waiting]  # by stage
    at_work: Sequence[AtWork]
    ended: Mapping[str, int]  # done, failed, cancelled: lately
    failures: Mapping[str, int]  # of these: by the code of the error
    letters: Mapping[str, Letters]  # by kind
    incoming: Incoming
    imports: Mapping[str, int]  # waiting, running
    imports_since_s: float | None  # the oldest that waits


def count(catalog: Catalog) -> Counts:
    """The numbers of this moment.

    Raises:
        CatalogAway
    """
    now = time.time()
    with catalog.reading() as db:
        imports, imports_since_s = _imports(db)
        return Counts(
            at_s=now,
            waiting=_waiting(db),
            at_work=_at_work(db),
            ended={state: _ended(db, state, now - LATELY_S) for state in jobs.ENDS},
            failures=_failures(db, now - LATELY_S),
            letters=_letters(db),
            incoming=_incoming(db),
            imports=imports,
            imports_since_s=imports_since_s,
        )


def _waiting(db: Db) -> dict[str, Waiting]:
    since = case((Job.started_s.is_(None), Job.created_s), else_=Job.beat_s).label("since")
    some = select(Job.stage, since).where(Job.state == "waiting").limit(MOST).subquery()
    rows = db.execute(select(some.c.stage, func.count(), func.min(some.c.since)).group_by(some.c.stage))
    return {stage or "": Waiting(number, since_s) for stage, number, since_s in rows}


def _at_work(db: Db) -> list[AtWork]:
    columns = (Job.id, Job.stage, Job.worker, Job.started_s, Job.beat_s, Job.done)
    found = db.execute(select(*columns).where(Job.state == "running").order_by(Job.beat_s).limit(MOST))
    return [
        AtWork(job, stage or "", worker or "", begun_s, beat_s or 0.0, done)
        for job, stage, worker, begun_s, beat_s, done in found
    ]


def _ended(db: Db, state: str, since_s: float) -> int:
    some = select(literal(1)).where(Job.state == state, Job.ended_s >= since_s).limit(MOST).subquery()
    return db.scalar(select(func.count()).select_from(some)) or 0


def _failures(db: Db, since_s: float) -> dict[str, int]:
    lately = select(Job.error).where(Job.state == "failed", Job.ended_s >= since_s)
    some = lately.order_by(Job.ended_s.desc()).limit(MOST).subquery()
    rows = db.execute(select(some.c.error, func.count()).group_by(some.c.error))
    return {error or "": number for error, number in rows}


def _letters(db: Db) -> dict[str, Letters]:
    columns = (Letter.kind, Letter.created_s, Letter.trouble, Letter.given_up_s)
    some = select(*columns).where(Letter.sent_s.is_(None)).limit(MOST).subquery()
    waits = some.c.given_up_s.is_(None)
    numbers = (
        func.count(case((waits, 1))),
        func.min(case((waits, some.c.created_s))),
        func.count(case((waits & some.c.trouble.is_not(None), 1))),
        func.count(some.c.given_up_s),
    )
    rows = db.execute(select(some.c.kind, *numbers).group_by(some.c.kind))
    return {kind: Letters(*rest) for kind, *rest in rows}


def _incoming(db: Db) -> Incoming:
    some = select(Upload.bytes, Upload.received_bytes).where(Upload.state == "open").limit(MOST).subquery()
    sums = (func.coalesce(func.sum(some.c.bytes), 0), func.coalesce(func.sum(some.c.received_bytes), 0))
    number, reserved, received = db.execute(select(func.count(), *sums).select_from(some)).one()
    return Incoming(number, int(reserved), int(received))


def _imports(db: Db) -> tuple[dict[str, int], float | None]:
    under_way = Import.state.in_(("waiting", "running"))
    some = select(Import.state, Import.created_s).where(under_way).limit(MOST).subquery()
    rows = db.execute(select(some.c.state, func.count(), func.min(some.c.created_s)).group_by(some.c.state)).all()
    since = {state: since_s for state, _, since_s in rows}
    return {"waiting": 0, "running": 0} | {state: number for state, number, _ in rows}, since.get("waiting")
