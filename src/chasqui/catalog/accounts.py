"""New schools, people and classes; signing in and what it leaves behind. Each function is one transaction of its own.

Refusals are counted before they are raised: whoever guesses passwords leaves a trace even though the guess failed.
"""

from __future__ import annotations

import time
import unicodedata
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Select, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session as Db

from chasqui.catalog import Catalog, factors, secrets
from chasqui.catalog.permissions import ACTIONS, Actor
from chasqui.catalog.tables import Class, Invitation, Person, Pupil, School, Session, Token
from chasqui.errors import (
    BadAccount,
    LinkSpent,
    NameTaken,
    NotAllowed,
    NotSignedIn,
    SchoolClosed,
    SecondFactorNeeded,
    UnknownClass,
    UnknownScope,
)

#: Invitations, and the link that the first start prints.
LINK_S = 7 * 86_400.0
#: Teachers' phones are shared and lost; students' too, but nothing can be done with those sessions.
SESSION_S, STUDENT_SESSION_S = 14 * 86_400.0, 180 * 86_400.0
#: Sessions note that they were seen so often; each time is a write.
SEEN_EVERY_S = 300.0
#: Of one person, and of one class: whoever knows the code is in under any name, and each name is an account.
MOST_SESSIONS, MOST_PUPILS = 50, 300


@dataclass(frozen=True)
class Entered:
    """Somebody who has just signed in: who, and the secret for the cookie."""

    actor: Actor
    session: str


def make_school(catalog: Catalog, slug: str, name: str, quota_bytes: int | None = None) -> School:
    """A new tenant.

    Raises:
        NameTaken: there is one of that short name.
    """
    with catalog.writing() as db:
        if db.scalar(select(School).where(School.slug == slug)):
            raise NameTaken(name=slug)
        school = School(slug=slug, name=name, quota_bytes=quota_bytes)
        db.add(school)
        return school


def invite(catalog: Catalog, school_id: str | None, role: str, lasts_s: float = LINK_S) -> str:
    """The secret of a link that makes one account of that role."""
    key = secrets.new_key(secrets.LINK)
    with catalog.writing() as db:
        expires_s = time.time() + lasts_s
        db.add(Invitation(secret_hash=secrets.key_hash(key), school_id=school_id, role=role, expires_s=expires_s))
    return key


def accept(catalog: Catalog, link: str, name: str, email: str, password: str) -> Actor:
    """The account that a link was for.

    Raises:
        LinkSpent: there is no such link, it was used, or it is too old.
        NameTaken: somebody has that address.
        WeakPassword
    """
    hashed = secrets.password_hash(password, name, email, email.partition("@")[0])
    try:
        with catalog.writing() as db:
            wanted = Invitation.secret_hash == secrets.key_hash(link)
            invitation = db.scalar(select(Invitation).where(wanted).with_for_update())
            if invitation is None or invitation.used_s or invitation.expires_s < time.time():
                raise LinkSpent()
            invitation.used_s = time.time()
            person = Person(
                school_id=invitation.school_id,
                role=invitation.role,
                name=_seen(name),
                email=address(email),
                password_hash=hashed,
            )
            db.add(person)
            db.flush()
            return _actor(person)
    except IntegrityError as error:
        raise NameTaken(name=email) from error


def sign_in(catalog: Catalog, email: str, password: str, code: str | None = None) -> Entered:
    """A session for whoever knows the password and, where there is one, has the second factor.

    Raises:
        SignInRefused: wrong; whether address or password is not said.
        AccountLocked: too often wrong.
        SecondFactorNeeded: right so far, and a code is wanted.
        SchoolClosed: right, and for nothing.
    """
    wanted = select(Person).where(Person.email == address(email), Person.removed_s.is_(None))
    with catalog.reading() as db:
        kept = db.scalar(wanted)
    if kept is not None and (locked := factors.resting(kept)) is not None:
        raise locked
    # Hashing takes long on purpose; nobody else waits for it. What was guessed meanwhile is looked at again below.
    fits = secrets.password_fits(kept.password_hash if kept else None, password)
    refusal: Exception
    with catalog.writing() as db:
        person = db.scalar(wanted.with_for_update())
        if person is not None and (locked := factors.resting(person)) is not None:
            refusal = locked
        elif person is None or kept is None or not fits or person.password_hash != kept.password_hash:
            refusal = factors.wrong(person)
        elif person.totp_since_s and not code:
            refusal = SecondFactorNeeded()
        elif person.totp_since_s and not factors.second(person, code or ""):
            refusal = factors.wrong(person)
        else:
            person.failures, person.locked_until_s = 0, None
            if person.password_hash and secrets.password_outdated(person.password_hash):
                person.password_hash = secrets.password_hash(password)
            return _entered(db, person, SESSION_S, second=bool(person.totp_since_s))
    raise refusal


def enter_class(catalog: Catalog, code: str, nickname: str) -> Entered:
    """A student's session: who has the code of the class and a nickname is in.

    Raises:
        UnknownClass: no class that is open has this code.
        SchoolClosed
    """
    plain, nick = secrets.plain_code(code), _seen(nickname, "NFKC").casefold()
    if not nick:
        raise BadAccount(why="the name has no letter that anybody sees")
    with catalog.writing() as db:
        room = db.scalar(select(Class).where(Class.code == plain, Class.closed_s.is_(None)))
        if room is None:
            raise UnknownClass()
        wanted = (Pupil.class_id == room.id, Pupil.nickname == nick, Person.removed_s.is_(None))
        person = db.scalar(select(Person).join(Pupil, Pupil.person_id == Person.id).where(*wanted))
        if person is None:
            person = _new_pupil(db, room, nickname, nick)
        return _entered(db, person, STUDENT_SESSION_S)


def _new_pupil(db: Db, room: Class, nickname: str, nick: str) -> Person:
    mates = select(Pupil.person_id).where(Pupil.class_id == room.id).limit(MOST_PUPILS)
    if len(db.scalars(mates).all()) == MOST_PUPILS:
        raise NotAllowed(why=f"{MOST_PUPILS} students in a class")
    db.execute(delete(Pupil).where(Pupil.class_id == room.id, Pupil.nickname == nick))  # of an account that was removed
    db.add(person := Person(school_id=room.school_id, role="student", name=_seen(nickname)))
    db.flush()
    db.add(Pupil(class_id=room.id, person_id=person.id, nickname=nick))
    return person


def make_class(catalog: Catalog, school_id: str, teacher_id: str | None, name: str) -> Class:
    """A class with a code of its own."""
    with catalog.writing() as db:
        room = Class(school_id=school_id, teacher_id=teacher_id, name=name, code=_free_code(db))
        db.add(room)
        return room


def new_code(catalog: Catalog, class_id: str) -> Class:
    """Another code: the old one lets nobody in any more, and who is in stays."""
    with catalog.writing() as db:
        room = db.get_one(Class, class_id, with_for_update=True)
        room.code = _free_code(db)
        return room


def who(catalog: Catalog, session: str) -> Actor:
    """Who holds this session.

    Raises:
        NotSignedIn: nobody, any more.
    """
    hashed, now = secrets.key_hash(session), time.time()
    with catalog.reading() as db:
        row = db.execute(_with_owner(Session).where(Session.secret_hash == hashed)).first()
    if row is None or row[0].expires_s < now or row[1].removed_s or row[2]:
        raise NotSignedIn()
    if row[0].seen_s < now - SEEN_EVERY_S:
        with catalog.writing() as db:
            db.execute(update(Session).where(Session.secret_hash == hashed).values(seen_s=now))
    return _actor(row[1])


def sign_out(catalog: Catalog, session: str) -> None:
    """End a session; one that is not there is ended already."""
    with catalog.writing() as db:
        db.execute(delete(Session).where(Session.secret_hash == secrets.key_hash(session)))


def make_token(catalog: Catalog, actor: Actor, name: str, scopes: list[str], lasts_s: float | None = None) -> str:
    """A key for programs, that can do no more than these scopes and no more than its owner.

    Raises:
        UnknownScope
    """
    if unknown := sorted(set(scopes) - set(ACTIONS)):
        raise UnknownScope(scope=", ".join(unknown), known=", ".join(ACTIONS))
    key = secrets.new_key(secrets.TOKEN)
    expires_s = time.time() + lasts_s if lasts_s is not None else None
    hashed = secrets.key_hash(key)
    with catalog.writing() as db:
        scopes = sorted(set(scopes))
        db.add(Token(secret_hash=hashed, person_id=actor.person_id, name=name, scopes=scopes, expires_s=expires_s))
    return key


def who_by_token(catalog: Catalog, token: str) -> Actor:
    """Whose token this is, with its scopes.

    Raises:
        NotSignedIn: nobody's, revoked, or expired.
    """
    hashed, now = secrets.key_hash(token), time.time()
    with catalog.reading() as db:
        row = db.execute(_with_owner(Token).where(Token.secret_hash == hashed)).first()
    if row is None or row[0].revoked_s or (row[0].expires_s or now) < now or row[1].removed_s or row[2]:
        raise NotSignedIn()
    if (row[0].used_s or 0) < now - SEEN_EVERY_S:
        with catalog.writing() as db:
            db.execute(update(Token).where(Token.secret_hash == hashed).values(used_s=now))
    # Scopes that a former Chasqui knew and this one does not allow nothing, whatever they will mean some day.
    return _actor(row[1], frozenset(row[0].scopes) & frozenset(ACTIONS))


def address(email: str) -> str:
    """An address as it is compared."""
    return _seen(email, "NFKC").casefold()


def _seen(text: str, form: Literal["NFC", "NFKC"] = "NFC") -> str:
    """Without letters that nobody sees, or that turn others around; spaces joined."""
    letters = unicodedata.normalize(form, " ".join(text.split()))
    return " ".join("".join(one for one in letters if unicodedata.category(one)[0] != "C").split())


def _free_code(db: Db) -> str:
    code = secrets.new_class_code()
    while db.scalar(select(Class.id).where(Class.code == code)):
        code = secrets.new_class_code()
    return code


def _with_owner(held: type[Session] | type[Token]) -> Select[Any, Person, float | None]:
    """(what is held, whose it is, when their school was closed)"""
    whose = select(held, Person, School.closed_s).join(Person, Person.id == held.person_id)
    return whose.outerjoin(School, School.id == Person.school_id)


def _entered(db: Db, person: Person, lasts_s: float, second: bool = False) -> Entered:
    if person.school_id is not None and db.get_one(School, person.school_id).closed_s is not None:
        raise SchoolClosed()
    _forget_old(db, person)
    key = secrets.new_key(secrets.SESSION)
    hashed, expires_s = secrets.key_hash(key), time.time() + lasts_s
    db.add(Session(secret_hash=hashed, person_id=person.id, expires_s=expires_s, second_factor=second))
    return Entered(_actor(person), key)


def _forget_old(db: Db, person: Person) -> None:
    """Sessions that are over, and the oldest of more than anybody has devices for."""
    mine = select(Session.secret_hash).where(Session.person_id == person.id)
    late = mine.order_by(Session.expires_s.desc()).offset(MOST_SESSIONS - 1)
    over = [*db.scalars(late), *db.scalars(mine.where(Session.expires_s < time.time()))]
    db.execute(delete(Session).where(Session.secret_hash.in_(over)))


def _actor(person: Person, scopes: frozenset[str] | None = None) -> Actor:
    return Actor(person.id, person.role, person.school_id, scopes)
