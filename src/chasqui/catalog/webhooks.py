"""Addresses of schools that want to be told; and telling them, and the broker, what became true."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from secrets import token_hex
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session as Db

from chasqui.catalog import Catalog, outbox
from chasqui.catalog.permissions import Actor
from chasqui.catalog.signatures import new_secret
from chasqui.catalog.tables import Letter, Person, School, Webhook
from chasqui.errors import NotAllowed

EVENTS = ("lesson.made", "lesson.published", "lesson.withdrawn", "job.done", "job.failed", "job.cancelled")
#: Of one school. Each event is sent to all of them.
MOST = 20


def tell(db: Db, school_id: str, event: str, place: str, facts: Mapping[str, Any]) -> None:
    """Letters of what became true: to the broker under `chasqui/SCHOOL/place`, and to the webhooks that asked for it.
    Part of the transaction that makes it true.
    """
    body = notify(db, school_id, event, place, facts)
    wanted = (
        select(Webhook)
        .join(Person, Person.id == Webhook.owner_id)
        .where(Webhook.school_id == school_id, Webhook.stopped_s.is_(None), Person.removed_s.is_(None))
    )
    for hook in db.scalars(wanted):
        if not hook.events or event in hook.events:
            outbox.write(db, "webhook", hook.id, body)


def notify(db: Db, school_id: str, event: str, place: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """A letter to the broker alone; its body."""
    school = db.get_one(School, school_id)
    body = {"id": token_hex(16), "event": event, "school": school.slug, "at_s": time.time(), **facts}
    outbox.write(db, "notice", f"chasqui/{school.slug}/{place}", body)
    return body


def make(catalog: Catalog, actor: Actor, url: str, events: Sequence[str]) -> Webhook:
    """A new one, with its secret, which is shown this once. No events: all of them.

    Raises:
        NotAllowed: the school has enough of them, or the one who asks has no school.
    """
    with catalog.writing() as db:
        if actor.school_id is None or db.get(School, actor.school_id, with_for_update=True) is None:
            raise NotAllowed(why="school")
        count = db.scalar(select(func.count()).select_from(Webhook).where(Webhook.school_id == actor.school_id))
        if (count or 0) >= MOST:
            raise NotAllowed(why=f"{MOST} webhooks")
        facts = {"school_id": actor.school_id, "owner_id": actor.person_id, "secret": new_secret()}
        db.add(hook := Webhook(**facts, url=url, events=list(events)))
        return hook


def change(
    catalog: Catalog, webhook_id: str, url: str | None, events: Sequence[str] | None, stopped: bool | None
) -> Webhook:
    """What is not None changes. One that is started again hears what happens from now on."""
    with catalog.writing() as db:
        hook = db.get_one(Webhook, webhook_id, with_for_update=True)
        hook.url = url or hook.url
        hook.events = hook.events if events is None else list(events)
        if stopped:
            outbox.stop(db, webhook_id)
        elif stopped is not None:
            hook.stopped_s = None
        _now(db, webhook_id)
        db.flush()
        db.refresh(hook)
        return hook


def remove(catalog: Catalog, webhook_id: str) -> None:
    """Away with it, and with what waits for it."""
    with catalog.writing() as db:
        db.execute(delete(Letter).where(Letter.kind == "webhook", Letter.address == webhook_id))
        db.execute(delete(Webhook).where(Webhook.id == webhook_id))


def ping(catalog: Catalog, webhook_id: str) -> str:
    """Send a letter that says nothing, also to one that is stopped, and what waits before it; the letter's id."""
    with catalog.writing() as db:
        hook = db.get_one(Webhook, webhook_id)
        slug = db.scalar(select(School.slug).where(School.id == hook.school_id))
        body = {"id": token_hex(16), "event": "ping", "school": slug, "at_s": time.time()}
        outbox.write(db, "webhook", webhook_id, body)
        _now(db, webhook_id)  # it comes behind what waits already
        return str(body["id"])


def _now(db: Db, webhook_id: str) -> None:
    """Somebody mended it: what waits for it is due."""
    waiting = (Letter.kind == "webhook", Letter.address == webhook_id, Letter.sent_s.is_(None))
    db.execute(update(Letter).where(*waiting, Letter.given_up_s.is_(None)).values(due_s=time.time()))


def deliveries(catalog: Catalog, webhook_id: str, most: int = 50) -> list[dict[str, Any]]:
    """What was sent to it lately, or waits, newest first."""
    mine = (Letter.kind == "webhook", Letter.address == webhook_id)
    with catalog.reading() as db:
        letters = db.scalars(select(Letter).where(*mine).order_by(Letter.number.desc()).limit(most)).all()
    fields = ("attempts", "created_s", "sent_s", "given_up_s", "trouble")
    return [
        {"id": one.body.get("id"), "event": one.body.get("event")} | {name: getattr(one, name) for name in fields}
        for one in letters
    ]
