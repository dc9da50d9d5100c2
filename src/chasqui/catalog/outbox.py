"""Letters: what others must be told, written with the change itself and sent afterwards, so that none is lost and none
comes before its truth. A letter may arrive twice; whoever reads it must bear that.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.orm import Session as Db

from chasqui.catalog import Catalog
from chasqui.catalog.tables import Letter, Webhook

#: Waiting doubles from one second to a quarter of an hour: a broker that was restarted is found at once, one that is
#: away for the night is not hammered.
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 900.0
#: Nothing is due later than this from now, unless the clock was set back since it was written: then it is due now.
FAR_S = 2 * LONGEST_WAIT_S
#: So long nobody else takes a letter that is on its way in order: longer than any receiver has to answer. A task may be
#: sent by two, since it does no harm; it is not held back for so long by a postman that was killed.
ON_ITS_WAY_S = 45.0
#: Tries of a webhook until it is given up: about three days. Tasks and notices never are.
WEBHOOK_TRIES = 300
#: Letters sent are kept for a day, for whoever asks what was said.
KEPT_S = 86_400.0
#: A letter of these kinds waits for all before it to the same address: a lesson that was published and withdrawn while
#: nobody listened must not be told of in the other order. Tasks may overtake each other; some are due later on purpose.
IN_ORDER = ("notice", "webhook")

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
        waiting = (Letter.kind.in_(kinds), Letter.sent_s.is_(None), Letter.given_up_s.is_(None))
        turn = select(func.min(Letter.number)).where(*waiting).group_by(Letter.kind, Letter.address)
        wanted = select(Letter.number).where(*waiting, _due())
        if ordered := set(kinds) & set(IN_ORDER):
            wanted = wanted.where(or_(Letter.kind.not_in(ordered), Letter.number.in_(turn)))
        return db.scalar(wanted.order_by(Letter.due_s, Letter.number).limit(1))


def _sent(
    catalog: Catalog, number: int, send: Mapping[str, Send], trouble: tuple[type[Exception], ...], down: set[str]
) -> int:
    # Claimed first, sent outside any transaction: a broker that answers slowly must not hold the database.
    with catalog.writing() as db:
        wanted = (Letter.number == number, Letter.sent_s.is_(None), Letter.given_up_s.is_(None), _due())
        letter = db.scalar(select(Letter).where(*wanted).with_for_update(skip_locked=True))
        if letter is None:
            return 0
        letter.attempts += 1
        letter.due_s = time.time() + (ON_ITS_WAY_S if letter.kind in IN_ORDER else _wait(letter.attempts))
        letter.trouble = None  # so that nobody hurries what is on its way
    try:
        send[letter.kind](letter.address, letter.body)
    except trouble as error:
        if letter.kind != "webhook":  # each webhook is another server; a broker is the same for all
            down.add(letter.kind)
        _note(catalog, letter, trouble=str(error)[:500] or type(error).__name__)
        return 0
    _note(catalog, letter)
    return 1


def _due() -> ColumnElement[bool]:
    now = time.time()
    return or_(Letter.due_s <= now, Letter.due_s > now + FAR_S)


def _note(catalog: Catalog, sent: Letter, trouble: str | None = None) -> None:
    with catalog.writing() as db:
        # By its birthday too: where it was thrown away on its way, SQLite may have given its number to another one.
        letter = db.scalar(select(Letter).where(Letter.number == sent.number, Letter.created_s == sent.created_s))
        if letter is None:
            return
        if trouble is None:
            letter.trouble, letter.sent_s = None, time.time()
            return
        letter.trouble, letter.due_s = trouble, time.time() + _wait(sent.attempts)
        if letter.kind == "webhook" and sent.attempts >= WEBHOOK_TRIES:
            stop(db, letter.address)


def stop(db: Db, webhook_id: str) -> None:
    """Write no more to this webhook, and give up what waits for it. Its owner may start it again."""
    now = time.time()
    waiting = (Letter.kind == "webhook", Letter.address == webhook_id, Letter.sent_s.is_(None))
    db.execute(update(Letter).where(*waiting, Letter.given_up_s.is_(None)).values(given_up_s=now))
    db.execute(update(Webhook).where(Webhook.id == webhook_id, Webhook.stopped_s.is_(None)).values(stopped_s=now))


def hurry(catalog: Catalog, kind: str) -> None:
    """Whoever was away is back: what met trouble is due now."""
    with catalog.writing() as db:
        troubled = (Letter.kind == kind, Letter.sent_s.is_(None), Letter.trouble.is_not(None))
        db.execute(update(Letter).where(*troubled).values(due_s=time.time()))


def again(catalog: Catalog, kind: str, address: str, since_s: float) -> None:
    """Send once more what went since then to addresses like this (of SQL's LIKE), of each address the last letter.

    Where a later one waits or is on its way, that one says it all, and the one before must not come out behind it.
    """
    with catalog.writing() as db:
        written = (Letter.kind == kind, Letter.address.like(address), Letter.given_up_s.is_(None))
        last = select(func.max(Letter.number)).where(*written).group_by(Letter.address)
        said = (Letter.number.in_(last), Letter.sent_s >= since_s)
        db.execute(update(Letter).where(*said).values(sent_s=None, due_s=time.time()))


def drop(catalog: Catalog, kind: str) -> int:
    """Throw away what waits of a kind that this service sends nowhere; how many."""
    with catalog.writing() as db:
        gone = db.execute(delete(Letter).where(Letter.kind == kind, Letter.sent_s.is_(None)))
        return int(gone.rowcount)  # type: ignore[attr-defined]


def _wait(attempts: int) -> float:
    wait_s: float = min(FIRST_WAIT_S * 2 ** min(attempts, 20), LONGEST_WAIT_S)
    return wait_s * random.uniform(0.75, 1.25)


def clear(catalog: Catalog) -> int:
    """Throw away what was sent long ago; how many."""
    with catalog.writing() as db:
        old = time.time() - KEPT_S
        gone = db.execute(delete(Letter).where(or_(Letter.sent_s < old, Letter.given_up_s < old)))
        return int(gone.rowcount)  # type: ignore[attr-defined]
