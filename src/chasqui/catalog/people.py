"""What becomes of people once they have an account: other names and roles, other passwords, out of a class, out."""

from __future__ import annotations

import time

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session as Db

from chasqui.catalog import Catalog, factors, outbox, secrets
from chasqui.catalog.permissions import Actor, Reach, less, reach
from chasqui.catalog.tables import Person, Pupil, Reset, Session, Token, Webhook
from chasqui.errors import BadAccount, LastOfRole, LinkSpent, NotAllowed, UnknownThing

#: Links that set a password are sent in a message and used at once; who finds it next week shall not.
RESET_S = 2 * 86_400.0
#: Roles without which nobody could let anybody in any more.
KEEPERS = ("administrator", "operator")


def change(catalog: Catalog, person_id: str, name: str | None = None, role: str | None = None) -> Person:
    """What is not None changes. A role that allows less ends what was begun with the old one.

    Raises:
        LastOfRole: nobody else is what they are.
        BadAccount: a role that an account like this cannot have.
    """
    with catalog.writing() as db:
        person = db.get_one(Person, person_id)
        if role not in (None, person.role):
            _spare_the_last(db, person)
        db.refresh(person, with_for_update=True)
        person.name = name or person.name
        if role is not None and role != person.role:
            _become(db, person, role)
        return person


def remove(catalog: Catalog, person_id: str) -> None:
    """Let nobody in as this person any more; what they made stays with the school.

    Raises:
        LastOfRole
    """
    with catalog.writing() as db:
        person = db.get_one(Person, person_id)
        _spare_the_last(db, person)
        db.refresh(person, with_for_update=True)
        _out(db, person)


def leave(catalog: Catalog, class_id: str, person_id: str) -> None:
    """A pupil out of a class. Who is in no other one and has no password could not come back, and is out altogether.

    Raises:
        UnknownThing: nobody of that name is in it.
    """
    with catalog.writing() as db:
        person = db.get(Person, person_id, with_for_update=True)
        there = delete(Pupil).where(Pupil.class_id == class_id, Pupil.person_id == person_id)
        if person is None or not db.execute(there).rowcount:  # type: ignore[attr-defined]
            raise UnknownThing(kind="pupil", name=person_id)
        others = db.scalar(select(func.count()).select_from(Pupil).where(Pupil.person_id == person_id))
        if not others and person.password_hash is None:
            _out(db, person)


def password_link(catalog: Catalog, person_id: str, lasts_s: float = RESET_S) -> tuple[str, float]:
    """(secret of a link that sets a new password, when it ends); the one before it is good no more.

    Raises:
        BadAccount: somebody who has no password.
    """
    key = secrets.new_key(secrets.LINK)
    with catalog.writing() as db:
        person = db.get_one(Person, person_id, with_for_update=True)
        if person.email is None:
            raise BadAccount(why="who enters with the code of a class has no password")
        db.execute(delete(Reset).where(Reset.person_id == person_id))
        db.add(made := Reset(person_id=person_id, secret_hash=secrets.key_hash(key), expires_s=time.time() + lasts_s))
        return key, made.expires_s


def renew_password(catalog: Catalog, link: str, password: str) -> None:
    """The password that a link is for. All sessions end, and an account that was locked is free; a second factor stays.

    Raises:
        LinkSpent: there is no such link, it was used, or it is too old.
        WeakPassword: the link stays good.
    """
    good = (Reset.secret_hash == secrets.key_hash(link), Reset.expires_s > time.time())
    with catalog.reading() as db:
        person = db.scalar(select(Person).join(Reset, Reset.person_id == Person.id).where(*good))
    if person is None:
        raise LinkSpent()
    hashed = _hashed(person, password)
    with catalog.writing() as db:
        if not db.execute(delete(Reset).where(*good)).rowcount:  # type: ignore[attr-defined]
            raise LinkSpent()
        person = db.get_one(Person, person.id, with_for_update=True)
        person.password_hash, person.failures, person.locked_until_s = hashed, 0, None
        db.execute(delete(Session).where(Session.person_id == person.id))


def change_password(catalog: Catalog, actor: Actor, old: str, new: str, session: str | None = None) -> None:
    """Another password, for who knows the old one. All sessions end but this one, and links for a new one.

    Raises:
        SignInRefused: not the old one; counted as a wrong password is.
        AccountLocked, WeakPassword
        BadAccount: somebody who has no password.
    """
    with catalog.reading() as db:
        kept = db.get_one(Person, actor.person_id)
    if kept.password_hash is None:
        raise BadAccount(why="who enters with the code of a class has no password")
    if (locked := factors.resting(kept)) is not None:
        raise locked
    # Hashing takes long on purpose; nobody else waits for it. What was guessed meanwhile is looked at again below.
    fits = secrets.password_fits(kept.password_hash, old)
    hashed = _hashed(kept, new) if fits else ""
    with catalog.writing() as db:
        person = db.get_one(Person, actor.person_id, with_for_update=True)
        refusal: NotAllowed | None = factors.resting(person)
        if refusal is None and (not fits or person.password_hash != kept.password_hash):
            refusal = factors.wrong(person)
        if refusal is None:
            person.password_hash, person.failures, person.locked_until_s = hashed, 0, None
            mine = Session.secret_hash == secrets.key_hash(session or "")
            db.execute(delete(Session).where(Session.person_id == person.id, ~mine))
            db.execute(delete(Reset).where(Reset.person_id == person.id))
    if refusal is not None:
        raise refusal


def _hashed(person: Person, password: str) -> str:
    email = person.email or ""
    return secrets.password_hash(password, person.name, email, email.partition("@")[0])


def _spare_the_last(db: Db, person: Person) -> None:
    """Everybody of the role is held where they are, so that of two who remove each other one comes too late."""
    if person.role not in KEEPERS or person.removed_s:
        return
    peers = select(Person.id).where(
        Person.role == person.role, Person.school_id.is_not_distinct_from(person.school_id), Person.removed_s.is_(None)
    )
    if set(db.scalars(peers.order_by(Person.id).with_for_update())) <= {person.id}:
        raise LastOfRole(name=person.name, role=person.role)


def _become(db: Db, person: Person, role: str) -> None:
    if "operator" in (person.role, role):
        raise BadAccount(why="operators belong to no school; invite them instead")
    if person.password_hash is None and person.role == "student":
        raise BadAccount(why="who enters with the code of a class is a student; invite them instead")
    lost, person.role = less(person.role, role), role
    if not lost:
        return
    db.execute(delete(Session).where(Session.person_id == person.id))
    for token in db.scalars(select(Token).where(Token.person_id == person.id, Token.revoked_s.is_(None))):
        if lost & set(token.scopes):
            token.revoked_s = time.time()
    if reach(Actor(person.id, role, person.school_id), "webhooks.write") == Reach.NOTHING:
        for hook in db.scalars(select(Webhook.id).where(Webhook.owner_id == person.id)):
            outbox.stop(db, hook)


def _out(db: Db, person: Person) -> None:
    person.removed_s = person.removed_s or time.time()
    person.email = person.password_hash = person.totp_secret = person.totp_since_s = None
    for table in (Session, Reset, Pupil):  # the nickname is free for another child
        db.execute(delete(table).where(table.person_id == person.id))
    good = (Token.person_id == person.id, Token.revoked_s.is_(None))
    db.execute(update(Token).where(*good).values(revoked_s=time.time()))
