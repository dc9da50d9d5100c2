"""Schools, people, classes; signing in and what it leaves behind. Each function is one transaction of its own.

Refusals are counted before they are raised: whoever guesses passwords leaves a trace even though the guess failed.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session as Db

from chasqui.catalog import Catalog, factors, secrets
from chasqui.catalog.permissions import ACTIONS, Actor
from chasqui.catalog.tables import Class, Invitation, Person, Pupil, School, Session, Token
from chasqui.errors import (
    AccountLocked,
    LinkSpent,
    NameTaken,
    NotSignedIn,
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
                name=name,
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
    """
    wanted = select(Person).where(Person.email == address(email), Person.removed_s.is_(None))
    with catalog.reading() as db:
        kept = db.scalar(wanted)
    if kept is not None and kept.locked_until_s and kept.locked_until_s > time.time():
        raise AccountLocked(wait_s=kept.locked_until_s - time.time())
    # Hashing takes long on purpose; nobody else waits for it. What was guessed meanwhile is looked at again below.
    fits = secrets.password_fits(kept.password_hash if kept else None, password)
    refusal: Exception
    with catalog.writing() as db:
        person = db.scalar(wanted.with_for_update())
        if person is not None and person.locked_until_s and person.locked_until_s > time.time():
            refusal = AccountLocked(wait_s=person.locked_until_s - time.time())
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
    """
    plain, nick = secrets.plain_code(code), " ".join(nickname.split()).casefold()
    with catalog.writing() as db:
        room = db.scalar(select(Class).where(Class.code == plain, Class.closed_s.is_(None)))
        if room is None:
            raise UnknownClass()
        wanted = (Pupil.class_id == room.id, Pupil.nickname == nick, Person.removed_s.is_(None))
        person = db.scalar(select(Person).join(Pupil, Pupil.person_id == Person.id).where(*wanted))
        if person is None:
            person = Person(school_id=room.school_id, role="student", name=" ".join(nickname.split()))
            db.add(person)
            db.flush()
            db.add(Pupil(class_id=room.id, person_id=person.id, nickname=nick))
        return _entered(db, person, STUDENT_SESSION_S)


def make_class(catalog: Catalog, school_id: str, teacher_id: str | None, name: str) -> Class:
    """A class with a code of its own."""
    with catalog.writing() as db:
        code = secrets.new_class_code()
        while db.scalar(select(Class.id).where(Class.code == code)):
            code = secrets.new_class_code()
        room = Class(school_id=school_id, teacher_id=teacher_id, name=name, code=code)
        db.add(room)
        return room


def who(catalog: Catalog, session: str) -> Actor:
    """Who holds this session.

    Raises:
        NotSignedIn: nobody, any more.
    """
    hashed, now = secrets.key_hash(session), time.time()
    with catalog.reading() as db:
        row = db.execute(
            select(Session, Person).join(Person, Person.id == Session.person_id).where(Session.secret_hash == hashed)
        ).first()
    if row is None or row[0].expires_s < now or row[1].removed_s:
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
        row = db.execute(
            select(Token, Person).join(Person, Person.id == Token.person_id).where(Token.secret_hash == hashed)
        ).first()
    if row is None or row[0].revoked_s or (row[0].expires_s or now) < now or row[1].removed_s:
        raise NotSignedIn()
    if (row[0].used_s or 0) < now - SEEN_EVERY_S:
        with catalog.writing() as db:
            db.execute(update(Token).where(Token.secret_hash == hashed).values(used_s=now))
    return _actor(row[1], frozenset(row[0].scopes))


def remove(catalog: Catalog, person_id: str) -> None:
    """Let nobody in as this person any more; what they made stays with the school."""
    with catalog.writing() as db:
        person = db.get_one(Person, person_id)
        person.removed_s, person.email, person.password_hash = time.time(), None, None
        db.execute(delete(Session).where(Session.person_id == person_id))
        db.execute(update(Token).where(Token.person_id == person_id).values(revoked_s=time.time()))


def address(email: str) -> str:
    """An address as it is compared."""
    return email.strip().casefold()


def _entered(db: Db, person: Person, lasts_s: float, second: bool = False) -> Entered:
    key = secrets.new_key(secrets.SESSION)
    hashed, expires_s = secrets.key_hash(key), time.time() + lasts_s
    db.add(Session(secret_hash=hashed, person_id=person.id, expires_s=expires_s, second_factor=second))
    return Entered(_actor(person), key)


def _actor(person: Person, scopes: frozenset[str] | None = None) -> Actor:
    return Actor(person.id, person.role, person.school_id, scopes)
