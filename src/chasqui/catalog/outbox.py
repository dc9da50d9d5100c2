"""Letters: what others must be told, written with the change itself and sent afterwards, so that none is lost and none
comes before its truth. A letter may arrive twice; whoever reads it must bear that.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session as Db

from chasqui.catalog import Catalog
from chasqui.catalog.tables import Letter

#: Waiting doubles from one second to a quarter of an hour: a broker that was restarted is found at once, one that is
#: away for the night is not hammered.
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 900.0
#: Tries of a webhook until it is given up: about three days. Tasks and notices never are.
WEBHOOK_TRIES = 300
#: Letters sent are kept for a day, for whoever asks what was said.
KEPT_S = 86_400.0
TOGETHER = 100

Send = Callable[[str, Mapping[str, Any]], None]


def write(db: Db, kind: str, address: str, body: Mapping[str, Any], after_s: float = 0.0) -> None:
    """A letter that goes out once the caller's transaction is committed."""
    db.add(Letter(kind=kind, address=address, body=dict(body), due_s=time.time() + after_s))


def post(catalog: Catalog, send: Mapping[str, Send], trouble: tuple[type[Exception], ...]) -> int:
    """Send what is due, oldest first; how many went. `send`: by kind. A failing kind waits, the others go on.

    Two processes may do this at once: each letter is locked by one of them while it is on its way.
    """
    sent, down = 0, set[str]()
    while letter := _next(catalog, send, down):
        sent += _sent(catalog, letter, send, trouble, down)
    return sent


def _next(catalog: Catalog, send: Mapping[str, Send], down: set[str]) -> int | None:
    with catalog.reading() as db:
        kinds = [kind for kind in send if kind not in down]
        due = (Letter.sent_s.is_(None), Letter.given_up_s.is_(None), Letter.due_s <= time.time())
        return db.scalar(
            select(Letter.number).where(*due, Letter.kind.in_(kinds)).order_by(Letter.due_s, Letter.number).limit(1)
        )


def _sent(
    catalog: Catalog, number: int, send: Mapping[str, Send], trouble: tuple[type[Exception], ...], down: set[str]
) -> int:
    # Claimed first, sent outside any transaction: a broker that answers slowly must not hold the database.
    with catalog.writing() as db:
        wanted = select(Letter).where(Letter.number == number, Letter.sent_s.is_(None))
        letter = db.scalar(wanted.with_for_update(skip_locked=True))
        if letter is None or letter.due_s > time.time():
            return 0
        letter.attempts += 1
        letter.due_s = time.time() + _wait(letter.attempts)
        kind, address, body, attempts = letter.kind, letter.address, letter.body, letter.attempts
    try:
        send[kind](address, body)
    except trouble as error:
        if kind != "webhook":  # each webhook is another server; a broker is the same for all
            down.add(kind)
        _note(catalog, number, trouble=str(error)[:500], given_up=kind == "webhook" and attempts >= WEBHOOK_TRIES)
        return 0
    _note(catalog, number)
    return 1


def _note(catalog: Catalog, number: int, trouble: str | None = None, given_up: bool = False) -> None:
    with catalog.writing() as db:
        letter = db.get_one(Letter, number)
        letter.trouble = trouble
        if trouble is None:
            letter.sent_s = time.time()
        elif given_up:
            letter.given_up_s = time.time()


def _wait(attempts: int) -> float:
    wait_s: float = min(FIRST_WAIT_S * 2 ** min(attempts, 20), LONGEST_WAIT_S)
    return wait_s * random.uniform(0.75, 1.25)


def clear(catalog: Catalog) -> int:
    """Throw away what was sent long ago; how many."""
    with catalog.writing() as db:
        gone = db.execute(delete(Letter).where(Letter.sent_s < time.time() - KEPT_S))
        return int(gone.rowcount)  # type: ignore[attr-defined]
