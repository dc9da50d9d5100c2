"""Second factors (one-time codes), and what wrong guesses at codes and passwords cost an account."""

from __future__ import annotations

import time

from sqlalchemy import delete, select, update

from chasqui.catalog import Catalog, secrets
from chasqui.catalog.permissions import Actor
from chasqui.catalog.tables import Person, Session
from chasqui.errors import AccountLocked, NotAllowed, SecondFactorNeeded, SignInRefused

#: Wrong passwords in a row until the account rests, and for how long: twice as long with each further one, up to a day.
TRIES, REST_S, LONGEST_REST_S = 5, 60.0, 86_400.0


def begin(catalog: Catalog, actor: Actor, code: str | None = None) -> str:
    """The secret for the app, asked for from its first code on (`confirm`). Who has one already proves it with a `code`
    and is without until then: a session that was left open must not be enough to take it away.

    Raises:
        SecondFactorNeeded, SignInRefused
    """
    secret = secrets.new_totp()
    refusal: NotAllowed | None = None
    with catalog.writing() as db:
        person = db.get_one(Person, actor.person_id, with_for_update=True)
        if person.totp_since_s and not code:
            refusal = SecondFactorNeeded()
        elif person.totp_since_s and (refusal := guessed(person, code or "")) is not None:
            pass
        else:
            person.totp_secret, person.totp_since_s, person.totp_last = secret, None, None
    if refusal is not None:
        raise refusal
    return secret


def confirm(catalog: Catalog, actor: Actor, code: str, session: str | None = None) -> None:
    """From now on signing in takes a code. Sessions that were begun without one end, but for the one that confirms.

    Raises:
        SignInRefused: not the app's code.
        AccountLocked: too often wrong.
    """
    with catalog.writing() as db:
        person = db.get_one(Person, actor.person_id, with_for_update=True)
        refusal = guessed(person, code)
        if refusal is None:
            person.totp_since_s = time.time()
            mine = Session.secret_hash == secrets.key_hash(session or "")
            db.execute(update(Session).where(mine).values(second_factor=True))
            others = (Session.person_id == person.id, Session.second_factor.is_(False))
            db.execute(delete(Session).where(*others))
    if refusal is not None:
        raise refusal


def has(catalog: Catalog, person_id: str) -> bool:
    """Whether this person signs in with one."""
    with catalog.reading() as db:
        return db.scalar(select(Person.totp_since_s).where(Person.id == person_id)) is not None


def guessed(person: Person, code: str) -> NotAllowed | None:
    """Why this code does not count; counted as a wrong password is."""
    return resting(person) or (None if second(person, code) else wrong(person))


def resting(person: Person) -> AccountLocked | None:
    """Why nothing is even looked at now."""
    if person.locked_until_s and person.locked_until_s > time.time():
        return AccountLocked(wait_s=person.locked_until_s - time.time())
    return None


def wrong(person: Person | None) -> SignInRefused:
    """One wrong guess more; what to answer. Part of the caller's transaction."""
    if person is not None:
        person.failures += 1
        if person.failures >= TRIES:
            rest_s = min(REST_S * 2 ** (person.failures - TRIES), LONGEST_REST_S)
            person.locked_until_s = time.time() + rest_s
    return SignInRefused()


def second(person: Person, code: str) -> bool:
    """Whether this is the code of now. Part of the caller's transaction."""
    number = secrets.totp_number(person.totp_secret, code, person.totp_last) if person.totp_secret else None
    if number is not None:
        person.totp_last = number
    return number is not None
