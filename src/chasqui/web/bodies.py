"""What routes take: bodies, names in paths, and what each of their fields may hold."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

SIGNED_IN: list[dict[str, list[str]]] = [{"token": []}]
#: Numbers that every database and every reader of JSON holds exactly (RFC 8259 §6).
MOST = 2**53 - 1
ID = "^[0-9a-f]{1,40}$"
Name = Field(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f]+$")
OtherName = Field(None, min_length=1, max_length=120, pattern=r"^[^\x00-\x1f]+$")
SLUG = "^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$"
Language = Field(None, pattern="^[a-z]{2,3}$", examples=["qu"])
Password = Field(max_length=300, examples=["la llama come ichu"])


class Body(BaseModel):
    """Bodies hold what they say and nothing else; a 1 is no true."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, strict=True)

    @field_validator("*", mode="before")
    @classmethod
    def _text(cls, said: Any) -> Any:
        """PostgreSQL keeps no NUL."""
        if isinstance(said, str) and "\0" in said:
            raise ValueError("NUL is no text")
        return said

    def said(self) -> dict[str, Any]:
        """What was said, and is not null."""
        return self.model_dump(exclude_unset=True, exclude_none=True)


class ById(BaseModel):
    id: str = Field(pattern=ID)
