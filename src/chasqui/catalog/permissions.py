"""Who may do what: one table. Whatever is not in it is forbidden.

An action is `things.verb`; the same names are the scopes of API tokens, which can only take away from what the role of
their owner allows. How far a role reaches with an action:

| reach | means |
|---|---|
| `published` | what is published in the own school |
| `own` | what the person made |
| `school` | everything of the own school |
| `everything` | of every school |
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Reach(IntEnum):
    """From nothing to everything."""

    NOTHING = 0
    PUBLISHED = 1
    OWN = 2
    SCHOOL = 3
    EVERYTHING = 4


_, P, O, S, E = Reach  # noqa: E741 - the table below is read as a picture

#: Columns of the table.
ROLES = ("student", "teacher", "creator", "administrator", "operator", "data")

# fmt: off
_TABLE: dict[str, tuple[Reach, Reach, Reach, Reach, Reach, Reach]] = {
    #                      student teacher creator admin operator data
    "lessons.read":         (P,     S,      S,      S,    _,       S),
    "lessons.write":        (_,     O,      O,      S,    _,       _),
    "lessons.publish":      (_,     O,      O,      S,    _,       _),
    "uploads.write":        (_,     O,      O,      O,    _,       O),
    "jobs.read":            (_,     O,      O,      S,    E,       O),
    "jobs.write":           (_,     O,      O,      S,    E,       O),  # ask for, cancel, try again
    "units.read":           (P,     S,      S,      S,    _,       S),
    "units.write":          (_,     O,      O,      S,    _,       _),
    "channels.read":        (P,     S,      S,      S,    _,       S),
    "channels.write":       (_,     O,      O,      S,    _,       _),
    "feedback.read":        (_,     O,      O,      S,    _,       S),  # on lessons within reach
    "feedback.write":       (P,     P,      P,      P,    _,       _),
    "classes.read":         (O,     S,      _,      S,    _,       _),
    "classes.write":        (_,     O,      _,      S,    _,       _),  # also who is in it
    "classes.leave":        (O,     _,      _,      _,    _,       _),
    "people.read":          (_,     _,      _,      S,    E,       _),
    "people.write":         (_,     _,      _,      S,    E,       _),  # invite, change the role, remove
    "school.read":          (S,     S,      S,      S,    E,       S),
    "school.write":         (_,     _,      _,      S,    E,       _),  # its name, what new lessons begin with
    "schools.write":        (_,     _,      _,      _,    E,       _),  # open and close tenants, quotas
    "account.write":        (O,     O,      O,      O,    O,       O),  # the own password
    "tokens.write":         (_,     O,      O,      O,    O,       O),
    "webhooks.write":       (_,     _,      O,      S,    _,       O),
    "service.read":         (_,     _,      _,      _,    E,       _),  # metrics, queues, health in detail
    "service.write":        (_,     _,      _,      _,    E,       _),
}
# fmt: on

ACTIONS = tuple(_TABLE)


@dataclass(frozen=True)
class Actor:
    """Who asks: a person, perhaps through a token that allows less."""

    person_id: str
    role: str
    school_id: str | None
    scopes: frozenset[str] | None = None  # None: not through a token


@dataclass(frozen=True)
class Thing:
    """What is asked for, as far as permission goes."""

    school_id: str | None
    owner_id: str | None = None
    published: bool = False


def reach(actor: Actor, action: str) -> Reach:
    """How far this actor reaches with an action.

    Raises:
        KeyError: no such action or role; a defect of the caller.
    """
    allowed = _TABLE[action][ROLES.index(actor.role)] if actor.role in ROLES else _unknown(actor.role)
    return Reach.NOTHING if actor.scopes is not None and action not in actor.scopes else allowed


def allows(actor: Actor, action: str, thing: Thing) -> bool:
    """May this actor do this to that?"""
    far = reach(actor, action)
    if far == Reach.EVERYTHING:
        return True
    if far == Reach.NOTHING or actor.school_id is None or thing.school_id != actor.school_id:
        # An operator's own things (tokens) belong to no school.
        return far == Reach.OWN and thing.school_id == actor.school_id and thing.owner_id == actor.person_id
    if far == Reach.SCHOOL:
        return True
    if far == Reach.OWN:
        return thing.owner_id == actor.person_id
    return thing.published


def less(before: str, after: str) -> frozenset[str]:
    """Actions with which one role reaches less far than another did."""
    old, new = ROLES.index(before), ROLES.index(after)
    return frozenset(action for action, row in _TABLE.items() if row[new] < row[old])


def _unknown(role: str) -> Reach:
    raise KeyError(role)
