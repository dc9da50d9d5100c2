"""The table of permissions, cell by cell: every action × every role × own, other, published × own and other school."""

from __future__ import annotations

from itertools import product

import pytest

from chasqui.catalog.permissions import ACTIONS, ROLES, Actor, Reach, Thing, allows, reach
from chasqui.catalog.tables import ROLES as KNOWN

#: The reach of each role, written down a second time by hand, grouped the other way round. A cell that is changed in
#: one place only fails here.
EXPECTED: dict[str, dict[Reach, str]] = {
    "student": {
        Reach.PUBLISHED: "lessons.read units.read channels.read feedback.write",
        Reach.OWN: "classes.read classes.leave account.write",
        Reach.SCHOOL: "school.read",
    },
    "teacher": {
        Reach.PUBLISHED: "feedback.write",
        Reach.OWN: "lessons.write lessons.publish uploads.write jobs.read jobs.write units.write channels.write "
        "feedback.read classes.write tokens.write account.write",
        Reach.SCHOOL: "lessons.read units.read channels.read classes.read school.read",
    },
    "creator": {
        Reach.PUBLISHED: "feedback.write",
        Reach.OWN: "lessons.write lessons.publish uploads.write jobs.read jobs.write units.write channels.write "
        "feedback.read tokens.write webhooks.write account.write",
        Reach.SCHOOL: "lessons.read units.read channels.read school.read",
    },
    "administrator": {
        Reach.PUBLISHED: "feedback.write",
        Reach.OWN: "uploads.write tokens.write account.write",
        Reach.SCHOOL: "lessons.read lessons.write lessons.publish jobs.read jobs.write units.read units.write "
        "channels.read channels.write feedback.read classes.read classes.write people.read people.write school.read "
        "school.write webhooks.write",
    },
    "operator": {
        Reach.OWN: "tokens.write account.write",
        Reach.EVERYTHING: "jobs.read jobs.write people.read people.write school.read school.write schools.write "
        "service.read service.write",
    },
    "data": {
        Reach.OWN: "uploads.write jobs.read jobs.write tokens.write webhooks.write account.write",
        Reach.SCHOOL: "lessons.read units.read channels.read feedback.read school.read",
    },
}
CELLS = list(product(ROLES, ACTIONS))


def expected(role: str, action: str) -> Reach:
    return next((far for far, actions in EXPECTED[role].items() if action in actions.split()), Reach.NOTHING)


def test_the_columns_are_the_roles_that_people_can_have() -> None:
    assert ROLES == KNOWN


@pytest.mark.parametrize(("role", "action"), CELLS)
def test_each_role_reaches_as_far_as_is_written_here(role: str, action: str) -> None:
    school = None if role == "operator" else "ours"
    me = Actor("me", role, school)
    far = expected(role, action)
    assert reach(me, action) == far
    mine = Thing(school, "me")
    for thing, least in (
        (mine, Reach.OWN),
        (Thing(school, "me", published=True), Reach.OWN),
        (Thing("ours", "somebody"), Reach.SCHOOL),
        (Thing("ours", "somebody", published=True), Reach.PUBLISHED),
        (Thing("theirs", "somebody", published=True), Reach.EVERYTHING),
        (Thing("theirs", "me"), Reach.EVERYTHING),  # left behind in a former school
    ):
        should = far >= least
        if least == Reach.PUBLISHED:
            should = far == Reach.PUBLISHED or far >= Reach.SCHOOL
        elif far == Reach.PUBLISHED:
            should = thing.published and thing.school_id == "ours"
        if role == "operator" and thing.school_id != school:
            should = far == Reach.EVERYTHING
        assert allows(me, action, thing) == should, (role, action, thing)


@pytest.mark.parametrize(("role", "action"), CELLS)
def test_a_token_only_takes_away(role: str, action: str) -> None:
    school = None if role == "operator" else "ours"
    thing = Thing(school, "me", published=True)
    free, bound, none = (Actor("me", role, school, scopes) for scopes in (None, frozenset({action}), frozenset[str]()))
    assert allows(bound, action, thing) == allows(free, action, thing)
    assert not allows(none, action, thing)
    assert not any(allows(bound, other, thing) for other in ACTIONS if other != action)


def test_an_unknown_role_or_action_is_a_defect() -> None:
    with pytest.raises(KeyError):
        reach(Actor("me", "headmaster", "ours"), "lessons.read")
    with pytest.raises(KeyError):
        reach(Actor("me", "teacher", "ours"), "lessons.fly")
