"""What routes answer, for the description: shapes of lessons, people and all else that lists and single routes show."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

Role = Literal["student", "teacher", "creator", "administrator", "operator", "data"]


class Shape(BaseModel):
    """Answers hold what is described and nothing else."""

    model_config = ConfigDict(extra="forbid")


class FileFacts(Shape):
    bytes: int
    sha256: str
    type: str


class LessonShape(Shape):
    """A lesson; the second half is there once it is made."""

    id: str
    school_id: str
    owner_id: str
    recording_id: str
    title: str = Field(examples=["Las fracciones"])
    language: str | None
    licence: str | None
    consent: bool
    state: Literal["made", "published", "withdrawn"]
    created_s: float = Field(description="seconds since 1970")
    published_s: float | None
    slug: str = ""
    bytes: int = 0
    source_bytes: int = 0
    files: dict[str, FileFacts] = {}
    duration_s: float | None = None
    promised: str | None = Field(None, description="the target that was asked for")
    kept: str | None = Field(None, description="the best one that every reachable segment keeps")
    degraded: str | None = Field(None, description="in words, when that is less")


class UnitShape(Shape):
    id: str
    title: str
    budget_bytes: int | None
    owner_id: str
    created_s: float
    lessons: list[str] = Field(description="ids, in order; those that the one who asks may hear")
    bytes: int


class ChannelShape(Shape):
    id: str
    slug: str
    title: str
    about: str
    open: bool
    owner_id: str
    created_s: float
    lessons: list[str]


class FeedbackShape(Shape):
    id: str
    lesson_id: str
    understood: int
    at_s: float | None
    text: str
    created_s: float


class PersonShape(Shape):
    id: str
    school_id: str | None
    role: Role
    name: str
    email: str | None
    created_s: float


class TokenShape(Shape):
    id: str
    name: str
    scopes: list[str]
    created_s: float
    expires_s: float | None
    used_s: float | None


class NewTokenShape(Shape):
    token: str = Field(description="shown only now")
    name: str


class ClassShape(Shape):
    id: str
    name: str
    code: str


class SchoolShape(Shape):
    id: str
    slug: str
    name: str
    quota_bytes: int | None
    used_bytes: int


class NewSchoolShape(Shape):
    id: str
    slug: str
    name: str


class InvitationShape(Shape):
    link: str
    url: str
    role: Role


class FactorShape(Shape):
    secret: str
    uri: str = Field(description="for the authenticator's picture")


def many(shape: type[BaseModel]) -> type[BaseModel]:
    """A piece of a list of these."""
    name = f"{shape.__name__.removesuffix('Shape')}s"
    return create_model(name, __base__=Shape, items=(list[shape], ...), next=(str | None, ...))  # type: ignore[valid-type]
