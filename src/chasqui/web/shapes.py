"""What routes answer, for the description: shapes of lessons, people and all else that lists and single routes show.

Each field carries an example; `web/describe.py` makes of them the examples of whole answers.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

Role = Literal["student", "teacher", "creator", "administrator", "operator", "data"]
Target = Literal["understood", "comfortable", "clear"]
Id = Annotated[str, Field(examples=["019ab3f0c2d4e1a27b60f3"])]
Seconds = Annotated[float, Field(description="seconds since 1970", examples=[1795280000.0])]
Bytes = Annotated[int, Field(examples=[131072])]
#: The facts behind an error, by name.
Facts = dict[str, str | int | float | bool | None]


class Shape(BaseModel):
    """Answers hold what is described and nothing else."""

    model_config = ConfigDict(extra="forbid")


class FileFacts(Shape):
    """One file of a lesson."""

    bytes: Bytes
    sha256: str = Field(examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"])
    type: str = Field(examples=["audio/ogg"])


class LessonShape(Shape):
    """A lesson; the second half is there once it is made."""

    id: Id
    school_id: Id
    owner_id: Id
    recording_id: str = Field(examples=["3b1c9e5d7f20a846"])
    title: str = Field(examples=["Las fracciones"])
    language: str | None = Field(examples=["es"])
    licence: str | None = Field(examples=["CC BY 4.0"])
    consent: bool = Field(examples=[True])
    state: Literal["made", "published", "withdrawn"] = Field(examples=["published"])
    created_s: Seconds
    published_s: Seconds | None
    slug: str = Field("", examples=["las-fracciones"])
    bytes: Bytes = 0
    source_bytes: int = Field(0, examples=[4930000])
    files: dict[str, FileFacts] = {}
    duration_s: float | None = Field(None, examples=[287.4])
    promised: str | None = Field(None, description="the target that was asked for", examples=["comfortable"])
    kept: str | None = Field(
        None, description="the best one that every reachable segment keeps", examples=["comfortable"]
    )
    degraded: str | None = Field(None, description="in words, when that is less", examples=[None])


class UnitShape(Shape):
    """An ordered list of lessons."""

    id: Id
    title: str = Field(examples=["Unidad 3"])
    budget_bytes: int | None = Field(examples=[10_000_000])
    owner_id: Id
    created_s: Seconds
    lessons: list[Id] = Field(description="ids, in order; those that the one who asks may hear")
    bytes: Bytes


class ChannelShape(Shape):
    """What listeners subscribe to."""

    id: Id
    slug: str = Field(examples=["cuarto-b"])
    title: str = Field(examples=["4.º B"])
    about: str = Field(examples=["Las clases del cuarto grado."])
    open: bool = Field(description="to everybody, not only to the school", examples=[True])
    owner_id: Id
    created_s: Seconds
    lessons: list[Id] = Field(description="ids, the newest first; those that the one who asks may hear")


class FeedbackShape(Shape):
    """What a listener said of a lesson."""

    id: Id
    lesson_id: Id
    understood: int = Field(examples=[4])
    at_s: float | None = Field(examples=[73.5])
    text: str = Field(examples=["Aquí habla muy bajo."])
    created_s: Seconds


class UploadShape(Shape):
    """An upload that was begun."""

    id: Id


class Uploaded(Shape):
    """What came of an upload."""

    lesson_id: Id
    job_id: Id | None
    recording_id: str = Field(examples=["3b1c9e5d7f20a846"])


class ImportShape(Shape):
    """How far an import is."""

    id: Id
    url: str = Field(examples=["https://radio.example/clase-1.mp3"])
    newest: int | None = Field(description="of a feed: so many episodes", examples=[None])
    feed_id: Id | None = Field(description="the import of the feed that it is an episode of", examples=[None])
    state: Literal["waiting", "running", "done", "failed", "cancelled"] = Field(examples=["running"])
    size_bytes: int | None = Field(description="as the server there says", examples=[4930000])
    received_bytes: Bytes
    lesson_id: Id | None = Field(examples=[None])
    job_id: Id | None = Field(examples=[None])
    error: str | None = Field(description="code; of a waiting one: why it is tried again", examples=[None])
    message: str | None = Field(
        description="in the language of whoever asks: what happened, and what to do", examples=[None]
    )
    created_s: Seconds
    ended_s: Seconds | None = Field(examples=[None])


class Progress(Shape):
    """A job as its owner sees it."""

    id: Id
    recording_id: str = Field(examples=["3b1c9e5d7f20a846"])
    lesson_id: Id | None
    goal: str = Field(examples=["publish"])
    state: Literal["waiting", "running", "done", "failed", "cancelled"] = Field(examples=["running"])
    stage: str | None = Field(examples=["choose"])
    done: float = Field(description="of the stage, 0–1", examples=[0.4])
    error: str | None = Field(description="code", examples=[None])
    evidence: Facts | None = Field(description="the facts behind it", examples=[{}])
    message: str | None = Field(
        description="in the language of whoever asks: what happened, and what to do", examples=[None]
    )
    created_s: Seconds
    started_s: Seconds | None
    ended_s: Seconds | None = Field(examples=[None])


class Hook(Shape):
    """A webhook; its secret is shown once, when it is made."""

    id: Id
    owner_id: Id
    url: str = Field(examples=["https://example.pe/chasqui"])
    events: list[str] = Field(description="none: all of them", examples=[["lesson.published"]])
    created_s: Seconds
    stopped_s: Seconds | None = Field(examples=[None])


class NewHook(Hook):
    """A webhook with its secret."""

    secret: str = Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])


class Delivery(Shape):
    """A letter to a webhook."""

    id: str | None = Field(examples=["4f1c2b9a7d3e8f605142a3b4c5d6e7f8"])
    event: str | None = Field(examples=["lesson.published"])
    attempts: int = Field(examples=[1])
    created_s: Seconds
    sent_s: Seconds | None
    given_up_s: Seconds | None = Field(examples=[None])
    trouble: str | None = Field(examples=[None])


class Deliveries(Shape):
    """The last letters to a webhook."""

    items: list[Delivery]


class Pinged(Shape):
    """The letter that was sent to try."""

    id: str = Field(examples=["4f1c2b9a7d3e8f605142a3b4c5d6e7f8"])


def many(shape: type[BaseModel]) -> type[BaseModel]:
    """A piece of a list of these."""
    name = MANY.get(shape.__name__) or f"{shape.__name__.removesuffix('Shape')}s"
    following = Annotated[str | None, Field(description="for `after`; null: there are no more", examples=[None])]
    about = "A piece of a list, the newest first."
    return create_model(name, __doc__=about, __base__=Shape, items=(list[shape], ...), next=(following, ...))  # type: ignore[valid-type]


#: Lists whose names are no plain plurals.
MANY = {"PersonShape": "People", "ClassShape": "Classes", "FeedbackShape": "FeedbackList", "Progress": "Jobs"}
