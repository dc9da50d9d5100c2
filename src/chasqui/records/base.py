"""What all records are, and the two small ones that many carry: Blob and Failure."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from chasqui import errors

Kind = Literal["speech", "music", "silence"]
TargetName = Literal["understood", "comfortable", "clear"]


class Record(BaseModel):
    """Base of everything that travels."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    #: Fields that no stage makes bytes out of: they stay out of the keys of the stages that need this record.
    unkeyed: ClassVar[frozenset[str]] = frozenset()

    @property
    def settled(self) -> bool:
        """False: made in spite of a failure; the same work is worth another try."""
        return True


class Blob(Record):
    """Bytes in the store. `path` is the store's business; everybody else passes the Blob back to the store."""

    path: str
    bytes: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    media_type: str = "application/octet-stream"

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1]


class Failure(Record):
    """What a step met that could not do its part, as it can be told in any language."""

    error: str  # a class of `errors`
    evidence: dict[str, str | int | float] = {}

    @classmethod
    def of(cls, error: errors.ChasquiError) -> Failure:
        """An error as it can be kept and told."""
        facts = {name: fact if isinstance(fact, int | float) else str(fact) for name, fact in error.evidence.items()}
        return cls(error=error.code, evidence=facts)

    def as_error(self) -> errors.ChasquiError:
        """The error as it was raised, for whoever tells it."""
        kind: type[errors.ChasquiError] = getattr(errors, self.error, errors.ChasquiError)
        return kind(**self.evidence)
