"""The tables. Times are seconds since 1970 (UTC); ids sort by the time they were made; secrets are kept as hashes only.

What belongs to a school carries its id, so that one question ("of which school?") decides who may see it.
"""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chasqui.catalog.columns import Made, new_version, one_of
from chasqui.catalog.columns import Table as Table
from chasqui.catalog.columns import new_id as new_id
from chasqui.catalog.letters import Letter as Letter
from chasqui.catalog.letters import Webhook as Webhook

ROLES = ("student", "teacher", "creator", "administrator", "operator", "data")
JOB_STATES = ("waiting", "running", "done", "failed", "cancelled")
UPLOAD_STATES = ("open", "complete", "ended")
IMPORT_STATES = ("waiting", "running", "done", "failed", "cancelled")
LESSON_STATES = ("made", "published", "withdrawn")


class School(Made, Table):
    """A tenant. Nobody sees anything of another one, operators excepted."""

    __tablename__ = "schools"
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    quota_bytes: Mapped[int | None]
    used_bytes: Mapped[int] = mapped_column(default=0)  # of uploads kept, and of room reserved for running ones
    closed_s: Mapped[float | None]
    language: Mapped[str | None]  # this and the next two: of new lessons, where nobody says otherwise
    licence: Mapped[str | None]
    target: Mapped[str | None]


class Person(Made, Table):
    """Somebody with an account. Students have a nickname and a class, no address and no password."""

    __tablename__ = "people"
    __table_args__ = (one_of("role", ROLES),)
    school_id: Mapped[str | None] = mapped_column(ForeignKey("schools.id"), index=True)  # None: an operator
    role: Mapped[str]
    name: Mapped[str]
    email: Mapped[str | None] = mapped_column(unique=True)  # lower case
    password_hash: Mapped[str | None]
    totp_secret: Mapped[str | None]  # set before it is confirmed
    totp_since_s: Mapped[float | None]  # None: no second factor yet
    totp_last: Mapped[int | None]  # the last code's number: none is good twice
    failures: Mapped[int] = mapped_column(default=0)
    locked_until_s: Mapped[float | None]
    removed_s: Mapped[float | None]


class Invitation(Table):
    """A link that makes an account, once."""

    __tablename__ = "invitations"
    __table_args__ = (one_of("role", ROLES),)
    secret_hash: Mapped[str] = mapped_column(primary_key=True)
    school_id: Mapped[str | None] = mapped_column(ForeignKey("schools.id"))
    role: Mapped[str]
    created_s: Mapped[float] = mapped_column(default=time.time)
    expires_s: Mapped[float]
    used_s: Mapped[float | None]


class Reset(Table):
    """A link that sets a new password, once. A person has one at most: a newer one takes its place."""

    __tablename__ = "resets"
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True)
    secret_hash: Mapped[str] = mapped_column(unique=True)
    expires_s: Mapped[float]


class Class(Made, Table):
    """A class of a school: its code lets students in."""

    __tablename__ = "classes"
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"), index=True)
    teacher_id: Mapped[str | None] = mapped_column(ForeignKey("people.id"))
    name: Mapped[str]
    code: Mapped[str] = mapped_column(unique=True)
    closed_s: Mapped[float | None]


class Pupil(Table):
    """A student in a class. Nicknames are unique there."""

    __tablename__ = "pupils"
    __table_args__ = (UniqueConstraint("class_id", "nickname"),)
    class_id: Mapped[str] = mapped_column(ForeignKey("classes.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"), primary_key=True)
    nickname: Mapped[str]  # case folded


class Session(Table):
    """Somebody who is signed in on one device."""

    __tablename__ = "sessions"
    secret_hash: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    created_s: Mapped[float] = mapped_column(default=time.time)
    seen_s: Mapped[float] = mapped_column(default=time.time)
    expires_s: Mapped[float]
    second_factor: Mapped[bool] = mapped_column(default=False)


class Token(Made, Table):
    """A key for programs, with less power than its owner."""

    __tablename__ = "tokens"
    secret_hash: Mapped[str] = mapped_column(unique=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    scopes: Mapped[list[str]]
    expires_s: Mapped[float | None]
    used_s: Mapped[float | None]
    revoked_s: Mapped[float | None]


class Upload(Made, Table):
    """A file on its way in."""

    __tablename__ = "uploads"
    __table_args__ = (
        one_of("state", UPLOAD_STATES),
        CheckConstraint("received_bytes >= 0", name="received"),
        Index("ix_uploads_state", "state"),
    )
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"), index=True)
    owner_id: Mapped[str] = mapped_column(ForeignKey("people.id"), index=True)
    name: Mapped[str]
    bytes: Mapped[int]
    received_bytes: Mapped[int] = mapped_column(default=0)
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)  # title, language, licence … as they were sent
    state: Mapped[str] = mapped_column(default="open")
    recording_id: Mapped[str | None]
    expires_s: Mapped[float]


class Import(Made, Table):
    """A link that somebody wants fetched: to sound, or to a feed whose newest episodes are fetched then."""

    __tablename__ = "imports"
    __table_args__ = (one_of("state", IMPORT_STATES), Index("ix_imports_state_due", "state", "due_s"))
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"), index=True)
    owner_id: Mapped[str] = mapped_column(ForeignKey("people.id"), index=True)
    feed_id: Mapped[str | None] = mapped_column(index=True)  # the import of the feed that it is an episode of
    url: Mapped[str]
    newest: Mapped[int | None]  # of a feed: so many episodes
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)  # as of an upload
    state: Mapped[str] = mapped_column(default="waiting")
    size_bytes: Mapped[int | None]  # as the server there says
    received_bytes: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    due_s: Mapped[float] = mapped_column(default=time.time)  # of a running one: when it is taken for left alone
    upload_id: Mapped[str | None]
    lesson_id: Mapped[str | None]
    job_id: Mapped[str | None]
    error: Mapped[str | None]  # class of `errors`
    evidence: Mapped[dict[str, Any]] = mapped_column(default=dict)
    ended_s: Mapped[float | None]


class Lesson(Made, Table):
    """A recording that somebody of a school makes a lesson of. Two schools may have the same recording."""

    __tablename__ = "lessons"
    __table_args__ = (UniqueConstraint("school_id", "recording_id"), one_of("state", LESSON_STATES))
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"), index=True)
    owner_id: Mapped[str] = mapped_column(ForeignKey("people.id"), index=True)
    recording_id: Mapped[str] = mapped_column(index=True)
    title: Mapped[str]
    language: Mapped[str | None]
    licence: Mapped[str | None]
    consent: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(default="made")
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)  # sizes, hashes, promise: what lists show
    published_s: Mapped[float | None]
    withdrawn_s: Mapped[float | None]  # of one that the closing of its school withdrew: exactly when that was
    #: Another one after each change, whoever makes it: what was made of this lesson before is not taken for it again.
    #: By chance and not counted: a database that was put back from a copy would count the same numbers once more.
    version: Mapped[str] = mapped_column(default=new_version, onupdate=new_version, server_default="")


class Unit(Made, Table):
    """An ordered list of lessons with a byte budget."""

    __tablename__ = "units"
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"), index=True)
    owner_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    title: Mapped[str]
    budget_bytes: Mapped[int | None]


class UnitLesson(Table):
    """The place of a lesson in a unit."""

    __tablename__ = "unit_lessons"
    unit_id: Mapped[str] = mapped_column(ForeignKey("units.id", ondelete="CASCADE"), primary_key=True)
    lesson_id: Mapped[str] = mapped_column(ForeignKey("lessons.id", ondelete="CASCADE"), primary_key=True)
    place: Mapped[int]


class Channel(Made, Table):
    """What listeners subscribe to: a feed."""

    __tablename__ = "channels"
    __table_args__ = (UniqueConstraint("school_id", "slug"),)
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"), index=True)
    owner_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    slug: Mapped[str]
    title: Mapped[str]
    about: Mapped[str] = mapped_column(default="")
    open: Mapped[bool] = mapped_column(default=False)  # to everybody, not only to the school


class ChannelLesson(Table):
    """A lesson in a channel."""

    __tablename__ = "channel_lessons"
    channel_id: Mapped[str] = mapped_column(ForeignKey("channels.id", ondelete="CASCADE"), primary_key=True)
    lesson_id: Mapped[str] = mapped_column(ForeignKey("lessons.id", ondelete="CASCADE"), primary_key=True)
    added_s: Mapped[float] = mapped_column(default=time.time)


class Job(Made, Table):
    """Work that was asked for. This row is the truth; what lies in a broker is only a reminder."""

    __tablename__ = "jobs"
    __table_args__ = (
        one_of("state", JOB_STATES),
        Index("ix_jobs_state_beat", "state", "beat_s"),
        Index("ix_jobs_state_ended", "state", "ended_s"),
        Index("ix_jobs_recording", "recording_id"),
    )
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"), index=True)
    owner_id: Mapped[str] = mapped_column(ForeignKey("people.id"), index=True)
    lesson_id: Mapped[str | None] = mapped_column(ForeignKey("lessons.id"))
    recording_id: Mapped[str]
    goal: Mapped[str]  # the last stage wanted
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)  # options as `stage__option`
    state: Mapped[str] = mapped_column(default="waiting")
    stage: Mapped[str | None]  # the one that runs or comes next
    done: Mapped[float] = mapped_column(default=0.0)  # of the stage, 0–1
    attempts: Mapped[int] = mapped_column(default=0)  # of the stage
    worker: Mapped[str | None]
    beat_s: Mapped[float | None]  # last sign of life of the worker
    cancel_s: Mapped[float | None]  # somebody asked for an end
    error: Mapped[str | None]  # class of `errors`
    evidence: Mapped[dict[str, Any]] = mapped_column(default=dict)
    started_s: Mapped[float | None]
    ended_s: Mapped[float | None]


class Answered(Table):
    """What was answered to a request with an idempotency key: the same again to the same request."""

    __tablename__ = "answered"
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    status: Mapped[int | None]  # None: it is being answered now
    body: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    created_s: Mapped[float] = mapped_column(default=time.time)


class Feedback(Made, Table):
    """What a listener says about a lesson."""

    __tablename__ = "feedback"
    __table_args__ = (CheckConstraint("understood BETWEEN 1 AND 5", name="understood"),)
    lesson_id: Mapped[str] = mapped_column(ForeignKey("lessons.id", ondelete="CASCADE"), index=True)
    person_id: Mapped[str | None] = mapped_column(ForeignKey("people.id"))
    understood: Mapped[int]
    at_s: Mapped[float | None]  # where in the lesson
    text: Mapped[str] = mapped_column(default="")
