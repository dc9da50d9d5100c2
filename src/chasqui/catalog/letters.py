"""The tables of what others are told: letters, and webhooks that want them. `tables.py` has all others."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from chasqui.catalog.columns import Made, Table


class Letter(Table):
    """Something that others have to be told, written in the transaction that made it true."""

    __tablename__ = "letters"
    __table_args__ = (Index("ix_letters_due", "sent_s", "due_s"),)
    number: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True
    )
    kind: Mapped[str]  # task, notice, webhook
    address: Mapped[str]  # queue, topic, or webhook id
    body: Mapped[dict[str, Any]]
    created_s: Mapped[float] = mapped_column(default=time.time)
    due_s: Mapped[float] = mapped_column(default=time.time)
    attempts: Mapped[int] = mapped_column(default=0)
    sent_s: Mapped[float | None]
    given_up_s: Mapped[float | None]
    trouble: Mapped[str | None]


class Webhook(Made, Table):
    """An address of a school that wants to be told."""

    __tablename__ = "webhooks"
    school_id: Mapped[str] = mapped_column(ForeignKey("schools.id"), index=True)
    owner_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    url: Mapped[str]
    secret: Mapped[str]  # signs; so it cannot be a hash
    events: Mapped[list[str]]
    stopped_s: Mapped[float | None]
