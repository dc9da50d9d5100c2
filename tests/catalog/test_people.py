"""People: other roles, other passwords, out of a class, out; and never without anybody who could let others in."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select, update

from chasqui.catalog import Catalog, accounts, people, secrets
from chasqui.catalog.permissions import Actor, less
from chasqui.catalog.tables import Person, Pupil, Reset, Token, Webhook
from chasqui.errors import (
    AccountLocked,
    BadAccount,
    LastOfRole,
    LinkSpent,
    NotSignedIn,
    SignInRefused,
    UnknownClass,
    UnknownThing,
    WeakPassword,
)

PASSWORD, OTHER = "la llama come ichu", "el cóndor no avisa"


@pytest.fixture
def school(catalog: Catalog) -> str:
    return accounts.make_school(catalog, "ie-40", "I. E. 40").id


def joined(catalog: Catalog, school: str | None, role: str, name: str) -> Actor:
    return accounts.accept(catalog, accounts.invite(catalog, school, role), name, f"{name}@example.pe", PASSWORD)


def test_a_role_that_allows_less_ends_what_was_begun_with_the_old_one(catalog: Catalog, school: str) -> None:
    rosa = joined(catalog, school, "creator", "rosa")
    session = accounts.sign_in(catalog, "rosa@example.pe", PASSWORD).session
    strong = accounts.make_token(catalog, rosa, "a", ["webhooks.write", "lessons.read"])
    weak = accounts.make_token(catalog, rosa, "b", ["lessons.read"])
    with catalog.writing() as db:
        db.add(
            hook := Webhook(school_id=school, owner_id=rosa.person_id, url="https://x.example/", secret="", events=[])
        )
    assert people.change(catalog, rosa.person_id, role="teacher").role == "teacher"
    with pytest.raises(NotSignedIn):
        accounts.who(catalog, session)
    with pytest.raises(NotSignedIn):
        accounts.who_by_token(catalog, strong)
    assert accounts.who_by_token(catalog, weak).role == "teacher"
    with catalog.reading() as db:
        assert db.get_one(Webhook, hook.id).stopped_s


def test_a_role_that_allows_more_ends_nothing(catalog: Catalog, school: str) -> None:
    rosa = joined(catalog, school, "teacher", "rosa")
    session = accounts.sign_in(catalog, "rosa@example.pe", PASSWORD).session
    people.change(catalog, rosa.person_id, name="Rosa Quispe", role="administrator")
    assert accounts.who(catalog, session).role == "administrator"
    assert not less("teacher", "administrator")
    assert "people.write" in less("administrator", "teacher")


def test_a_school_keeps_an_administrator_and_a_service_an_operator(catalog: Catalog, school: str) -> None:
    rosa = joined(catalog, school, "administrator", "rosa")
    joined(catalog, accounts.make_school(catalog, "ie-41", "I. E. 41").id, "administrator", "otra")
    tito = joined(catalog, None, "operator", "tito")
    for last in (rosa, tito):
        with pytest.raises(LastOfRole):
            people.remove(catalog, last.person_id)
    with pytest.raises(LastOfRole):
        people.change(catalog, rosa.person_id, role="teacher")
    assert people.change(catalog, rosa.person_id, name="Rosa Quispe").name == "Rosa Quispe"
    inti = joined(catalog, school, "administrator", "inti")
    people.change(catalog, rosa.person_id, role="teacher")
    with pytest.raises(LastOfRole):
        people.remove(catalog, inti.person_id)


def test_of_two_who_remove_each_other_one_stays(catalog: Catalog, school: str) -> None:
    both = [joined(catalog, school, "administrator", name) for name in ("rosa", "inti")]
    ready, refused = threading.Barrier(2), []

    def remove(person_id: str) -> None:
        ready.wait()
        try:
            people.remove(catalog, person_id)
        except LastOfRole:
            refused.append(person_id)

    threads = [threading.Thread(target=remove, args=(one.person_id,)) for one in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(refused) == 1


def test_who_has_only_a_class_code_becomes_nothing_else(catalog: Catalog, school: str) -> None:
    """Whoever knows code and nickname would be that."""
    room = accounts.make_class(catalog, school, None, "4.º B")
    pupil = accounts.enter_class(catalog, room.code, "Wayra").actor
    for role in ("teacher", "operator"):
        with pytest.raises(BadAccount):
            people.change(catalog, pupil.person_id, role=role)
    with pytest.raises(BadAccount):
        people.password_link(catalog, pupil.person_id)
    with pytest.raises(BadAccount):
        people.change_password(catalog, pupil, "", PASSWORD)


def test_a_pupil_who_leaves_the_last_class_is_out_and_the_nickname_free(catalog: Catalog, school: str) -> None:
    one, two = (accounts.make_class(catalog, school, None, name) for name in ("4.º B", "5.º A"))
    wayra = accounts.enter_class(catalog, one.code, "Wayra")
    with catalog.writing() as db:
        db.add(Pupil(class_id=two.id, person_id=wayra.actor.person_id, nickname="wayra"))
    people.leave(catalog, one.id, wayra.actor.person_id)
    assert accounts.who(catalog, wayra.session)
    with pytest.raises(UnknownThing):
        people.leave(catalog, one.id, wayra.actor.person_id)
    people.leave(catalog, two.id, wayra.actor.person_id)
    with pytest.raises(NotSignedIn):
        accounts.who(catalog, wayra.session)
    assert accounts.enter_class(catalog, two.code, "wayra").actor.person_id != wayra.actor.person_id


def test_a_removed_pupil_leaves_the_nickname(catalog: Catalog, school: str) -> None:
    room = accounts.make_class(catalog, school, None, "4.º B")
    people.remove(catalog, accounts.enter_class(catalog, room.code, "Wayra").actor.person_id)
    assert accounts.enter_class(catalog, room.code, "Wayra")


def test_another_code_lets_in_and_the_old_one_does_not(catalog: Catalog, school: str) -> None:
    room = accounts.make_class(catalog, school, None, "4.º B")
    wayra = accounts.enter_class(catalog, room.code, "Wayra")
    assert accounts.new_code(catalog, room.id).code != room.code
    with pytest.raises(UnknownClass):
        accounts.enter_class(catalog, room.code, "Inti")
    assert accounts.who(catalog, wayra.session)


def test_a_link_sets_a_password_once_and_ends_sessions(catalog: Catalog, school: str) -> None:
    rosa = joined(catalog, school, "teacher", "rosa")
    session = accounts.sign_in(catalog, "rosa@example.pe", PASSWORD).session
    stale, _ = people.password_link(catalog, rosa.person_id)
    link, _ = people.password_link(catalog, rosa.person_id)
    with catalog.writing() as db:
        db.execute(update(Person).values(failures=9, locked_until_s=9e9))
    with pytest.raises(LinkSpent):
        people.renew_password(catalog, stale, OTHER)
    with pytest.raises(WeakPassword):
        people.renew_password(catalog, link, "rosa")
    people.renew_password(catalog, link, OTHER)
    with pytest.raises(NotSignedIn):
        accounts.who(catalog, session)
    with pytest.raises(LinkSpent):
        people.renew_password(catalog, link, PASSWORD)
    with pytest.raises(SignInRefused):
        accounts.sign_in(catalog, "rosa@example.pe", PASSWORD)
    assert accounts.sign_in(catalog, "rosa@example.pe", OTHER).actor == rosa
    old, _ = people.password_link(catalog, rosa.person_id, lasts_s=-1)
    with pytest.raises(LinkSpent):
        people.renew_password(catalog, old, PASSWORD)
    with pytest.raises(LinkSpent):  # no invitation is one
        people.renew_password(catalog, accounts.invite(catalog, school, "teacher"), PASSWORD)
    with pytest.raises(LinkSpent):  # nor the other way round
        accounts.accept(catalog, old, "Otra", "otra@example.pe", PASSWORD)


def test_the_own_password_takes_the_old_one_and_ends_other_sessions(catalog: Catalog, school: str) -> None:
    rosa = joined(catalog, school, "teacher", "rosa")
    here, there = (accounts.sign_in(catalog, "rosa@example.pe", PASSWORD).session for _ in range(2))
    link, _ = people.password_link(catalog, rosa.person_id)
    with pytest.raises(SignInRefused):
        people.change_password(catalog, rosa, "no es", OTHER, here)
    people.change_password(catalog, rosa, PASSWORD, OTHER, here)
    assert accounts.who(catalog, here) == rosa
    with pytest.raises(NotSignedIn):
        accounts.who(catalog, there)
    with pytest.raises(LinkSpent):
        people.renew_password(catalog, link, PASSWORD)
    for _ in range(5):
        with pytest.raises(SignInRefused):
            people.change_password(catalog, rosa, PASSWORD, OTHER, here)
    with pytest.raises(AccountLocked):
        people.change_password(catalog, rosa, OTHER, PASSWORD, here)


def test_a_scope_that_is_no_more_breaks_no_token_and_allows_nothing(catalog: Catalog, school: str) -> None:
    rosa = joined(catalog, school, "administrator", "rosa")
    token = accounts.make_token(catalog, rosa, "old", ["lessons.read"])
    with catalog.writing() as db:
        db.execute(update(Token).values(scopes=["datasets.read", "lessons.read"]))
    assert accounts.who_by_token(catalog, token).scopes == {"lessons.read"}


def test_nothing_of_a_link_is_kept_but_its_hash(catalog: Catalog, school: str) -> None:
    link, _ = people.password_link(catalog, joined(catalog, school, "teacher", "rosa").person_id)
    with catalog.reading() as db:
        assert db.scalar(select(Reset.secret_hash)) == secrets.key_hash(link)
