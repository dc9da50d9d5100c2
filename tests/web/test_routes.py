"""Every route × every role × nobody × own and other school × a token without the scope, on real rows."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import select
from things import PIECE, SENT, Things, actor_of, kind_of, routes

from chasqui.catalog import accounts
from chasqui.catalog.permissions import ACTIONS, ROLES, Actor, Reach, Thing, allows, reach
from chasqui.catalog.tables import Class, Upload

PAGES = ("home", "invitation", "password", "enter", "me", "part")
#: Routes that ask nobody who they are, each with its reason. A new one must be written down here.
OPEN = {
    "accounts.sign_in": "how else",
    "accounts.enter_class": "students have a code",
    "accounts.accept": "the link is the key",
    "accounts.renew_password": "the same",
    "accounts.sign_out": "ends what the cookie holds, or nothing",
    "health.live": "for machines that look after us",
    "health.ready": "the same",
    "media.file": "open channels are for everybody; all else it asks for itself, see below",
    **{f"pages.{name}": "holds nothing of anybody" for name in PAGES},
}
#: What a route needs beside the action that it is.
ALSO = {"lessons.make_again": "lessons.write", "feedback.say": "lessons.read", "feedback.listing": "lessons.read"}
#: Operators belong to no school, so these have nothing for them.
NO_SCHOOL = {"accounts.school", "accounts.change_own_school", "accounts.invite"}  # they say which one


def may(actor: Actor, action: str, endpoint: str, kind: str | None, thing: Thing) -> bool:
    """What the table says about this actor, this route and this thing."""
    if reach(actor, action) == Reach.NOTHING:
        return False
    if endpoint in ALSO and not allows(actor, ALSO[endpoint], thing):
        return False
    if kind == "token":
        return thing.owner_id == actor.person_id
    return kind is None or allows(actor, action, thing)


def ask(house: Any, role: str | None, school: str, method: str, path: str, endpoint: str) -> Any:
    sent = {name: dict(what) if isinstance(what, dict) else what for name, what in SENT.get(endpoint, {}).items()}
    return house.client(role, school)(method, path, **sent)


def test_each_route_names_its_action_or_is_open_on_purpose(house: Any) -> None:
    for _, rule, endpoint, view in routes(house):
        assert hasattr(view, "action"), rule
        # Pages hold nothing of anybody; what they show, they ask for.
        assert (view.action is None) == (endpoint in OPEN or endpoint.startswith("pages.")), rule
        assert view.action in (None, *ACTIONS), rule
    assert set(OPEN) <= {endpoint for _, _, endpoint, _ in routes(house)}
    used = {view.action for *_, view in routes(house)}
    assert used == {None, *ACTIONS}


def test_every_route_does_what_the_table_says_to_everybody(house: Any) -> None:
    wrong, tried = [], 0
    teacher = actor_of(house, "teacher", "ours")
    things = Things(house, teacher)
    for method, rule, endpoint, view in routes(house):
        if view.action is None:
            continue
        kind = kind_of(rule)
        assert (kind is None) == ("<" not in rule), f"{rule}: of which kind is that?"
        owner = actor_of(house, "student", "ours") if kind == "attended" else teacher
        thing = Thing(owner.school_id, owner.person_id, published=kind in ("lesson", "unit", "channel"))
        path = things.path(rule)
        callers = [(role, school) for role in ROLES for school in ("ours", "theirs")]
        allowed = {pair: may(actor_of(house, *pair), view.action, endpoint, kind, thing) for pair in callers}
        for pair in sorted(callers, key=lambda pair: allowed[pair]):  # first those who change nothing
            answer = ask(house, *pair, method, path, endpoint)
            guessed = (answer.get_json(silent=True) or {}).get("code") == "SignInRefused"  # it was asked for a code
            refused = answer.status_code in (401, 403, 404) and not guessed
            expected = not allowed[pair] or (endpoint in NO_SCHOOL and pair[0] == "operator")
            tried += 1
            if refused != expected or answer.status_code >= 500:
                wrong.append((*pair, method, rule, answer.status_code, answer.text[:200]))
            if allowed[pair] and kind and method != "GET":
                path = things.path(rule)
    assert not wrong, "\n".join(map(str, wrong))
    assert tried > 500


def test_without_a_name_or_with_a_token_for_something_else_nothing_goes(house: Any) -> None:
    for role in ("administrator", "operator"):
        key = accounts.make_token(house.catalog, actor_of(house, role, "ours"), "none", [])
        stale = accounts.make_token(house.catalog, actor_of(house, role, "ours"), "old", list(ACTIONS), lasts_s=-1)
        for method, rule, endpoint, view in routes(house):
            if view.action is None:
                continue
            path = re.sub("<[a-z_]+>", "0" * 22, rule)
            weak = house.client(role)
            weak.token = key
            sent = SENT.get(endpoint, {})
            assert weak(method, path, **sent).status_code == 403, (method, rule)
            for token in (None, "chq_t_nonsense", stale):
                weak.token = token
                assert weak(method, path, **sent).status_code == 401, (method, rule, token)


def test_a_token_does_one_thing_if_it_is_for_one(house: Any) -> None:
    key = accounts.make_token(house.catalog, actor_of(house, "administrator", "ours"), "one", ["units.read"])
    narrow = house.client("administrator")
    narrow.token = key
    assert narrow("GET", "units").status_code == 200
    for method, rule, endpoint, view in routes(house):
        if view.action not in (None, "units.read"):
            path = re.sub("<[a-z_]+>", "0" * 22, rule)
            assert narrow(method, path, **SENT.get(endpoint, {})).status_code == 403, (method, rule)


def test_lists_hold_nothing_of_another_school(house: Any) -> None:
    things = Things(house, actor_of(house, "teacher", "ours"))
    for kind in ("lesson", "unit", "channel", "webhook", "job", "upload", "import_", "class_", "token"):
        things.make(kind)
    for role in ROLES:
        if role == "operator":
            continue  # reaches jobs and people of every school, which is written in the table
        kinds = "lessons units channels webhooks jobs imports classes tokens people schools"
        for what in kinds.split():
            answer = house.client(role, "theirs")("GET", what)
            assert answer.status_code in (200, 403)
            theirs = {house.schools["theirs"], None}
            items = answer.json.get("items", [])
            assert {one.get("school_id") for one in items} <= theirs, (role, what)
            if what not in ("people", "tokens"):
                assert items == [], (role, what)


def test_files_are_asked_for_like_their_lesson(house: Any) -> None:
    lesson = Things(house, actor_of(house, "teacher", "ours")).lesson()
    path = f"lessons/{lesson}/files/voice.opus"
    assert house.client(None)("GET", path).status_code == 401
    assert house.client("operator")("GET", path).json["evidence"]["kind"] == "lesson"
    assert house.client("teacher", "theirs")("GET", path).json["evidence"]["kind"] == "lesson"
    assert house.client("student")("GET", path).json["evidence"]["kind"] == "file"  # may, but there is none


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
def test_a_header_does_not_change_what_is_asked(house: Any, header: str) -> None:
    unit = Things(house, actor_of(house, "teacher", "ours")).unit()
    ask_for = house.client()
    assert ask_for("GET", f"units/{unit}?_method=DELETE", headers={header: "DELETE"}).status_code == 200
    assert ask_for("POST", f"units/{unit}", headers={header: "DELETE"}).status_code == 405
    assert ask_for("GET", f"units/{unit}").status_code == 200


def test_uploads_of_others_stay_as_they_are(house: Any) -> None:
    Things(house, actor_of(house, "teacher", "ours")).upload()
    with house.catalog.reading() as db:
        (upload,) = db.scalars(select(Upload))
    for role in ROLES:
        if role != "teacher":
            answer = house.client(role)("PATCH", f"uploads/{upload.id}", headers=PIECE, data=b"x")
            assert answer.status_code in (403, 404)
    assert not list(house.service.incoming.glob("*")) if house.service.incoming.exists() else True


def test_a_class_is_of_its_teacher(house: Any) -> None:
    room = Things(house, actor_of(house, "teacher", "ours")).class_()
    with house.catalog.reading() as db:
        code = db.get_one(Class, room).code
    entered = house.app.test_client()
    entered.post("/api/v1/sessions/class", json={"code": code, "nickname": "Wayra"})
    assert [one["id"] for one in entered.get("/api/v1/classes").json["items"]] == [room]
    assert house.client("student")("GET", "classes").json["items"] == []
