"""What routes of accounts answer."""

from __future__ import annotations

from pydantic import Field

from chasqui.web.shapes import Id, Role, Seconds, Shape, Target


class Me(Shape):
    """Who asks."""

    person_id: Id
    role: Role = Field(examples=["teacher"])
    school_id: Id | None
    scopes: list[str] | None = Field(description="of the token; null: not through one", examples=[None])
    csrf: str | None = Field(
        description="to be sent as X-CSRF-Token with changes, where a cookie signs in",
        examples=["5f2d0e6a4b1c9d8e7f60514233241506f7e8d9cabbac9d8e7f60514233241506"],
    )


class PersonShape(Shape):
    """Somebody with an account."""

    id: Id
    school_id: Id | None
    role: Role = Field(examples=["teacher"])
    name: str = Field(examples=["Rosa Quispe"])
    email: str | None = Field(examples=["rosa@example.pe"])
    created_s: Seconds


class InvitationShape(Shape):
    """A link that makes one account."""

    link: str = Field(examples=["chq_l_6nW0l1yq9mYc3fB0a7Zr2dXk5tPsGvHjQeUoLiNwRbM"])
    url: str = Field(
        examples=["https://chasqui.example.pe/invitation#chq_l_6nW0l1yq9mYc3fB0a7Zr2dXk5tPsGvHjQeUoLiNwRbM"]
    )
    role: Role = Field(examples=["teacher"])


class ResetShape(Shape):
    """A link that sets a new password."""

    link: str = Field(examples=["chq_l_6nW0l1yq9mYc3fB0a7Zr2dXk5tPsGvHjQeUoLiNwRbM"])
    url: str = Field(examples=["https://chasqui.example.pe/password#chq_l_6nW0l1yq9mYc3fB0a7Zr2dXk5tPsGvHjQeUoLiNwRbM"])
    expires_s: Seconds


class FactorShape(Shape):
    """What an authenticator needs."""

    secret: str = Field(examples=["JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"])
    uri: str = Field(
        description="for the authenticator's picture",
        examples=["otpauth://totp/Chasqui:019ab3f0?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Chasqui"],
    )


class TokenShape(Shape):
    """A key for programs, without its secret."""

    id: Id
    name: str = Field(examples=["laptop"])
    scopes: list[str] = Field(examples=[["uploads.write", "lessons.read", "jobs.read"]])
    created_s: Seconds
    expires_s: Seconds | None
    used_s: Seconds | None


class NewTokenShape(Shape):
    """A key for programs."""

    token: str = Field(description="shown only now", examples=["chq_t_6nW0l1yq9mYc3fB0a7Zr2dXk5tPsGvHjQeUoLiNwRbM"])
    name: str = Field(examples=["laptop"])


class ClassShape(Shape):
    """A class, with the code that lets students in."""

    id: Id
    name: str = Field(examples=["4.º B"])
    code: str = Field(examples=["KPT34MN"])


class PupilShape(Shape):
    """Somebody in a class."""

    id: Id
    name: str = Field(examples=["Wayra"])
    created_s: Seconds


class SchoolShape(Shape):
    """A school; what new lessons begin with, where nobody says otherwise."""

    id: Id
    slug: str = Field(examples=["ie-40-quispicanchi"])
    name: str = Field(examples=["I. E. 40 Quispicanchi"])
    quota_bytes: int | None = Field(description="null: as much as it likes", examples=[50_000_000_000])
    used_bytes: int = Field(examples=[1_310_720])
    language: str | None = Field(examples=["qu"])
    licence: str | None = Field(examples=["CC BY 4.0"])
    target: Target | None = Field(examples=["comfortable"])
    created_s: Seconds
    closed_s: Seconds | None = Field(examples=[None])
    kept_until_s: Seconds | None = Field(
        description="of a closed one: until then it can be opened again", examples=[None]
    )
