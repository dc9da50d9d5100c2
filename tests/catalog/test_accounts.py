"""Accounts: in by a link, a password, a second factor, a class code; out for good."""

from __future__ import annotations

import time

import pyotp
import pytest
import sqlalchemy as sa

from chasqui.catalog import Catalog, accounts, factors, people, secrets
from chasqui.catalog.permissions import Actor
from chasqui.catalog.tables import Invitation, Person, Session, Token
from chasqui.errors import (
    AccountLocked,
    LinkSpent,
    NameTaken,
    NotSignedIn,
    SecondFactorNeeded,
    SignInRefused,
    UnknownClass,
    UnknownScope,
    WeakPassword,
)

PASSWORD = "la llama come ichu"


@pytest.fixture
def school(catalog: Catalog) -> str:
    return accounts.make_school(catalog, "ie-40", "I. E. 40 Quispicanchi").id


@pytest.fixture
def teacher(catalog: Catalog, school: str) -> Actor:
    link = accounts.invite(catalog, school, "teacher")
    return accounts.accept(catalog, link, "Rosa Quispe", "Rosa@Example.pe", PASSWORD)


def test_a_link_makes_one_account_of_its_role(catalog: Catalog, school: str) -> None:
    link = accounts.invite(catalog, school, "teacher")
    made = accounts.accept(catalog, link, "Rosa", "rosa@example.pe", PASSWORD)
    assert (made.role, made.school_id, made.scopes) == ("teacher", school, None)
    with pytest.raises(LinkSpent):
        accounts.accept(catalog, link, "Otra", "otra@example.pe", PASSWORD)
    with pytest.raises(LinkSpent):
        accounts.accept(catalog, secrets.new_key(secrets.LINK), "Otra", "otra@example.pe", PASSWORD)


def test_a_link_grows_old(catalog: Catalog, school: str) -> None:
    link = accounts.invite(catalog, school, "teacher", lasts_s=-1)
    with pytest.raises(LinkSpent):
        accounts.accept(catalog, link, "Rosa", "rosa@example.pe", PASSWORD)


def test_an_address_is_taken_once_and_the_link_stays_good(catalog: Catalog, school: str, teacher: Actor) -> None:
    link = accounts.invite(catalog, school, "creator")
    with pytest.raises(NameTaken):
        accounts.accept(catalog, link, "Rosa", " ROSA@example.pe ", PASSWORD)
    assert accounts.accept(catalog, link, "Rosa", "rosa2@example.pe", PASSWORD).role == "creator"


@pytest.mark.parametrize("password", ["corta", "x" * 300, "12345678", "CONTRASEÑA", "rosa@example.pe", "aaaaaaaaaa"])
def test_first_guesses_are_no_passwords(catalog: Catalog, school: str, password: str) -> None:
    link = accounts.invite(catalog, school, "teacher")
    with pytest.raises(WeakPassword):
        accounts.accept(catalog, link, "Rosa", "rosa@example.pe", password)
    with catalog.reading() as db:
        assert db.scalar(sa.select(Invitation.used_s)) is None


def test_a_session_is_its_owners_until_it_ends(catalog: Catalog, teacher: Actor) -> None:
    entered = accounts.sign_in(catalog, "rosa@EXAMPLE.pe", PASSWORD)
    assert entered.actor == teacher == accounts.who(catalog, entered.session)
    accounts.sign_out(catalog, entered.session)
    with pytest.raises(NotSignedIn):
        accounts.who(catalog, entered.session)


def test_no_secret_is_kept(catalog: Catalog, teacher: Actor) -> None:
    entered = accounts.sign_in(catalog, "rosa@example.pe", PASSWORD)
    token = accounts.make_token(catalog, teacher, "subidas", ["uploads.write"])
    with catalog.reading() as db:
        rows = [*db.scalars(sa.select(Session.secret_hash)), *db.scalars(sa.select(Token.secret_hash))]
        rows += db.scalars(sa.select(Person.password_hash)).all()
    assert len(rows) == 3
    assert not {entered.session, token, PASSWORD} & set(rows)
    assert any(row.startswith("$argon2id$") for row in rows if row)


def test_wrong_passwords_and_unknown_addresses_look_alike(catalog: Catalog, teacher: Actor) -> None:
    for email, password in (("rosa@example.pe", "otra contraseña"), ("nadie@example.pe", PASSWORD)):
        with pytest.raises(SignInRefused) as refused:
            accounts.sign_in(catalog, email, password)
        assert refused.value.evidence == {}


def test_guessing_locks_the_account_longer_and_longer(catalog: Catalog, teacher: Actor) -> None:
    for _ in range(factors.TRIES):
        with pytest.raises(SignInRefused):
            accounts.sign_in(catalog, "rosa@example.pe", "no es esta")
    with pytest.raises(AccountLocked) as locked:
        accounts.sign_in(catalog, "rosa@example.pe", PASSWORD)  # the right one does not help either
    assert 0 < locked.value.evidence["wait_s"] <= factors.REST_S
    _unlock(catalog)
    with pytest.raises(SignInRefused):
        accounts.sign_in(catalog, "rosa@example.pe", "tampoco esta")
    with pytest.raises(AccountLocked) as longer:
        accounts.sign_in(catalog, "rosa@example.pe", PASSWORD)
    assert longer.value.evidence["wait_s"] > factors.REST_S
    _unlock(catalog)
    assert accounts.sign_in(catalog, "rosa@example.pe", PASSWORD).actor == teacher
    with catalog.reading() as db:
        assert db.scalar(sa.select(Person.failures)) == 0


def _unlock(catalog: Catalog) -> None:
    with catalog.writing() as db:
        db.execute(sa.update(Person).values(locked_until_s=time.time() - 1))


def test_the_second_factor_counts_once_it_is_confirmed(catalog: Catalog, teacher: Actor) -> None:
    app = pyotp.TOTP(factors.begin(catalog, teacher))
    accounts.sign_in(catalog, "rosa@example.pe", PASSWORD)  # begun is not done: nobody locks themselves out
    with pytest.raises(SignInRefused):
        factors.confirm(catalog, teacher, "000000" if app.now() != "000000" else "000001")
    code = app.now()
    factors.confirm(catalog, teacher, code)
    with pytest.raises(SecondFactorNeeded):
        accounts.sign_in(catalog, "rosa@example.pe", PASSWORD)
    with pytest.raises(SignInRefused):
        accounts.sign_in(catalog, "rosa@example.pe", PASSWORD, code)  # used already: nobody looks over a shoulder
    later = app.at(time.time() + secrets.TOTP_S)
    assert accounts.sign_in(catalog, "rosa@example.pe", PASSWORD, f"{later[:3]} {later[3:]}").actor == teacher


def test_a_student_needs_the_code_and_a_nickname(catalog: Catalog, school: str, teacher: Actor) -> None:
    room = accounts.make_class(catalog, school, teacher.person_id, "4.º B")
    typed = f" {room.code[:3].lower()}-{room.code[3:]} "
    first, again = (accounts.enter_class(catalog, typed, name) for name in ("Wayra", "  wayra"))
    other = accounts.enter_class(catalog, room.code, "Inti")
    assert first.actor == again.actor != other.actor
    assert (first.actor.role, first.actor.school_id) == ("student", school)
    assert accounts.who(catalog, first.session) == first.actor
    with pytest.raises(UnknownClass):
        accounts.enter_class(catalog, "AAAAAAA", "Wayra")


def test_a_token_has_scopes_an_end_and_an_owner_who_can_leave(catalog: Catalog, teacher: Actor) -> None:
    token = accounts.make_token(catalog, teacher, "subidas", ["uploads.write", "lessons.read"])
    assert accounts.who_by_token(catalog, token).scopes == {"uploads.write", "lessons.read"}
    with pytest.raises(UnknownScope, match=r"lessons\.fly"):
        accounts.make_token(catalog, teacher, "x", ["lessons.fly"])
    with pytest.raises(NotSignedIn):
        accounts.who_by_token(catalog, accounts.make_token(catalog, teacher, "vieja", ["lessons.read"], lasts_s=-1))
    with pytest.raises(NotSignedIn):
        accounts.who_by_token(catalog, token + "x")
    session = accounts.sign_in(catalog, "rosa@example.pe", PASSWORD).session
    people.remove(catalog, teacher.person_id)
    with pytest.raises(NotSignedIn):
        accounts.who_by_token(catalog, token)
    with pytest.raises(NotSignedIn):
        accounts.who(catalog, session)
    with pytest.raises(SignInRefused):
        accounts.sign_in(catalog, "rosa@example.pe", PASSWORD)
