"""Every route of the service, and one of each kind of thing to ask it for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from chasqui.catalog import accounts, imports, jobs, uploads
from chasqui.catalog.permissions import Actor
from chasqui.catalog.tables import Channel, Lesson, Person, Pupil, School, Token, Unit, Webhook, new_id

#: The description of the service says nothing about anybody.
DESCRIPTION = ("openapi.", "swagger.", "redoc.", "scalar.", "rapidoc.", "rapipdf.", "elements.")
TUS = {"Tus-Resumable": "1.0.0", "Upload-Length": "10"}
PIECE = {**TUS, "Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
#: What to send, so that whoever may do it gets it done.
SENT: dict[str, dict[str, Any]] = {
    "accounts.invite": {"json": {"role": "teacher"}},
    "accounts.begin_second_factor": {"json": {}},
    "accounts.confirm_second_factor": {"json": {"code": "000000"}},
    "accounts.make_token": {"json": {"name": "a", "scopes": []}},
    "accounts.make_class": {"json": {"name": "4.º B"}},
    "accounts.renew_password": {"json": {"link": "x", "password": "el cóndor no avisa"}},
    "accounts.change_password": {"json": {"old": "x", "new": "el cóndor no avisa"}},
    "accounts.change_person": {"json": {"role": "teacher"}},
    "accounts.change_own_school": {"json": {"name": "La nuestra"}},
    "accounts.change_school": {"json": {"name": "Otra"}},
    "accounts.make_school": {"json": {"slug": "nueva", "name": "Nueva"}},
    "channels.make": {"json": {"slug": "nuevo", "title": "Nuevo"}},
    "units.make": {"json": {"title": "Nueva"}},
    "units.order": {"json": {"lessons": []}},
    "lessons.change": {"json": {"title": "Otra"}},
    "lessons.make_again": {"json": {}},
    "feedback.say": {"json": {"understood": 5}},
    "imports.ask": {"json": {"url": "https://x.example/a.mp3"}},
    "service.retry": {"json": {}},
    "webhooks.make": {"json": {"url": "https://x.example/hook"}},
    "webhooks.change": {"json": {"events": []}},
    "uploads.begin": {"headers": TUS},
    "uploads.piece": {"headers": PIECE, "data": b"x"},
    "uploads.where": {"headers": TUS},
    "uploads.give_up": {"headers": TUS},
    "uploads.form": {"data": {}},
}


@dataclass
class Things:
    """One of each kind, of one teacher of our school, and new ones where they were used up."""

    house: Any
    teacher: Actor

    def make(self, kind: str) -> str:
        made: str = getattr(self, kind)()
        return made

    def path(self, rule: str) -> str:
        """Where a route leads with a new thing of its kind, and whatever else its path names."""
        kind = kind_of(rule)
        name = self.make(kind) if kind else ""
        if "<lesson_id>" in rule:
            rule = rule.replace("<lesson_id>", self.lesson())
        if "<person_id>" in rule:
            rule = rule.replace("<person_id>", self.pupil(name))
        return rule.replace("<id>", name)

    def lesson(self) -> str:
        facts = {
            "recording_id": f"{id(object()):016x}",
            "title": "La papa",
            "state": "published",
            "facts": {"bytes": 5},
        }
        with self.house.catalog.reading() as db:
            for old in db.scalars(select(Lesson.recording_id)):
                facts["recording_id"] = f"{int(old, 16) + 1:016x}"
        return self._row(Lesson, **facts)

    def unit(self) -> str:
        return self._row(Unit, title="Unidad")

    def channel(self) -> str:
        with self.house.catalog.reading() as db:
            number = len(db.scalars(select(Channel.id)).all())
        return self._row(Channel, slug=f"canal-{number}", title="Canal")

    def webhook(self) -> str:
        return self._row(Webhook, url="https://x.example/", secret="s", events=[])

    def job(self) -> str:
        with self.house.catalog.writing() as db:
            asked = jobs.ask(
                db,
                school_id=str(self.teacher.school_id),
                owner_id=self.teacher.person_id,
                recording_id="0" * 16,
                goal="publish",
                first="ingest",
                queue="voice",
            )
            asked.state = "done"  # or following it would never end
            return asked.id

    def upload(self) -> str:
        return uploads.begin(self.house.catalog, self.teacher, "a.mp3", 10, 100, {}).id

    def import_(self) -> str:
        return imports.ask(self.house.catalog, self.teacher, "https://x.example/a", {}).id

    def school(self) -> str:
        with self.house.catalog.reading() as db:
            number = len(db.scalars(select(School.id)).all())
        return accounts.make_school(self.house.catalog, f"escuela-{number}", "Otra escuela").id

    def attended(self) -> str:
        """A class that the student of our school is in, who has a password and so outlives leaving it."""
        student, room = actor_of(self.house, "student", "ours").person_id, self.class_()
        with self.house.catalog.writing() as db:
            db.get_one(Person, student).password_hash = "x"
            db.add(Pupil(class_id=room, person_id=student, nickname="wayra"))
        return room

    def pupil(self, room: str) -> str:
        """Somebody in a class."""
        with self.house.catalog.writing() as db:
            db.add(person := Person(school_id=self.teacher.school_id, role="student", name="Wayra"))
            db.flush()
            db.add(Pupil(class_id=room, person_id=person.id, nickname="wayra"))
            return person.id

    def class_(self) -> str:
        return accounts.make_class(self.house.catalog, str(self.teacher.school_id), self.teacher.person_id, "4.º B").id

    def token(self) -> str:
        accounts.make_token(self.house.catalog, self.teacher, "a", [])
        with self.house.catalog.reading() as db:
            wanted = select(Token.id).where(Token.person_id == self.teacher.person_id).order_by(Token.id.desc())
            return str(db.scalar(wanted.limit(1)))

    def person(self) -> str:
        with self.house.catalog.writing() as db:
            address = f"otra-{new_id()}@example.pe"
            db.add(person := Person(school_id=self.teacher.school_id, role="creator", name="Otra", email=address))
            db.flush()
            return person.id

    def _row(self, table: Any, **facts: Any) -> str:
        with self.house.catalog.writing() as db:
            db.add(row := table(school_id=self.teacher.school_id, owner_id=self.teacher.person_id, **facts))
            db.flush()
            return str(row.id)


KINDS = {
    **{f"/api/v1/{kind}s/<id>": kind for kind in ("lesson", "unit", "channel", "webhook", "job", "upload", "token")},
    "/api/v1/imports/<id>": "import_",
    "/api/v1/classes/<id>": "class_",
    "/api/v1/people/<id>": "person",
    "/api/v1/schools/<id>": "school",
    "/api/v1/me/classes/<id>": "attended",
}


def kind_of(rule: str) -> str | None:
    return next((kind for start, kind in KINDS.items() if rule.startswith(start)), None)


def actor_of(house: Any, role: str, school: str) -> Actor:
    return accounts.who_by_token(house.catalog, house.tokens[school, role])


def routes(house: Any) -> list[tuple[str, str, str, Any]]:
    """(method, rule, endpoint, view) of everything that can be asked for."""
    return [
        (method, rule.rule, rule.endpoint, house.app.view_functions[rule.endpoint])
        for rule in house.app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"OPTIONS"})
        if not rule.endpoint.startswith(DESCRIPTION)
    ]
