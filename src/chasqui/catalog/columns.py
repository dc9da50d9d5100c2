"""What all tables have in common: names of constraints, ids, kinds of columns."""

from __future__ import annotations

import secrets
import time
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, CheckConstraint, MetaData
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

#: Names of constraints, so that migrations can find them again on every database.
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


def new_id() -> str:
    """22 hexadecimal digits: milliseconds, then chance. Later ids sort behind earlier ones."""
    return f"{int(time.time() * 1000):012x}{secrets.token_hex(5)}"


def new_version() -> str:
    """Another one each time."""
    return secrets.token_hex(8)


def one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


class Table(DeclarativeBase):
    """Base of all tables."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {dict[str, Any]: JSON, list[str]: JSON, int: BigInteger}


class Made:
    """What has an id and a birthday."""

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    created_s: Mapped[float] = mapped_column(default=time.time)
