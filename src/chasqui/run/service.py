"""Where the parts of a service are: database, broker, store, cache, notices. Environment first, defaults for one
laptop: everything below one data folder, nothing else installed.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from chasqui.catalog.permissions import ROLES
from chasqui.errors import BadConfig, NotWritable
from chasqui.run.queue import SCHEME
from chasqui.run.size import read_size

if TYPE_CHECKING:
    from chasqui.catalog import Catalog
    from chasqui.store import Stores

#: Kinds of work, light to heavy. A worker may take some of them only (`chasqui worker --queues voice`).
QUEUES = ("voice", "words", "video")


class Service(BaseModel):
    """The addresses, and what else an operator decides. `CHASQUI_DATABASE_URL` sets `database_url`, and so on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Path = Path("chasqui-data")
    database_url: str = ""  # sqlite:///DATA/catalog.db, or postgresql://…
    broker_url: str = ""  # chasqui+sqlite:///DATA/queue.db, or amqp://…
    store_url: str = ""  # file:DATA/store, or s3://…; each school has a store of its own below it
    cache_url: str = "memory:"  # or redis://…
    mqtt_url: str = ""  # none, or mqtt://…
    public_url: str = ""  # as listeners reach it, where that differs from host and port
    private_networks: str = ""  # where webhooks and imports may lead, public or not: 192.168.7.0/24
    proxies: int = Field(default=0, ge=0, le=5)  # between listeners and us, whose word on addresses and HTTPS counts
    second_factor: Literal["auto", "yes", "no"] = "auto"  # for who changes others' accounts; auto: with a public_url
    upload_bytes: int = Field(default=2 << 30, gt=0)  # most of one file: a lecture of two hours has 1 GB
    role_bytes: str = ""  # less for some roles: teacher=600MB,data=50MB
    stuck_s: float = Field(default=3600.0, gt=1)  # a stage that has told nothing for so long comes no further
    slice_s: float = Field(default=1200.0, gt=0)  # of one stage at a time: RabbitMQ takes back after 30 minutes
    silent_s: float = Field(default=15.0, gt=1)  # a worker that says nothing for so long is dead; it beats every second
    lease_s: float = Field(default=15.0, gt=0)  # the same for the embedded queue, where holders speak up three times

    @field_validator("role_bytes")
    @classmethod
    def _of_roles(cls, said: str) -> str:
        _by_role(said)
        return said

    def most_bytes(self, role: str) -> int:
        """Most of one file of somebody in this role."""
        return min(self.upload_bytes, _by_role(self.role_bytes).get(role, self.upload_bytes))

    def catalog(self, migrate: bool = True) -> Catalog:
        """The open catalog.

        Raises:
            CatalogAway, CatalogNewer, BadConfig, NotInstalled
        """
        from chasqui.catalog import open_catalog

        return open_catalog(self.database_url or f"sqlite:///{self.data / 'catalog.db'}", migrate)

    def stores(self) -> Stores:
        """The stores of the schools, by their ids: what one school keeps, no other can replace or remove."""
        from chasqui.store import Stores, open_store

        return Stores(open_store(self.store_url or f"file:{self.data / 'store'}"))

    @property
    def broker(self) -> str:
        """URL of the broker."""
        return self.broker_url or f"{SCHEME}+sqlite:///{self.data.absolute() / 'queue.db'}"

    @property
    def embedded(self) -> bool:
        """Whether the queue is our own file."""
        return self.broker.startswith(SCHEME)

    @property
    def incoming(self) -> Path:
        """Where files lie while they come in."""
        return self.data / "incoming"

    def secret(self) -> str:
        """What signs cookies and links; made once, readable by its owner only.

        Raises:
            NotWritable: the data folder refuses us.
        """
        path = self.data / "secret"
        try:
            self.data.mkdir(parents=True, exist_ok=True)
            if not path.exists() or not path.stat().st_size:  # an empty one: power went in the middle
                _write_whole(path, secrets.token_hex(32))
        except OSError as error:
            raise NotWritable(path=self.data, why=error.strerror or str(error)) from error
        return path.read_text().strip()


@cache
def _by_role(said: str) -> dict[str, int]:
    """Raises ValueError: a role that there is not, or no size."""
    sizes = {}
    for part in filter(None, (part.strip() for part in said.split(","))):
        role, _, size = (word.strip() for word in part.partition("="))
        if role not in ROLES:
            raise ValueError(f"there is no role {role!r}; known: {', '.join(ROLES)}")
        try:
            sizes[role] = read_size(size)
        except BadConfig as error:
            raise ValueError(str(error)) from error
    return sizes


def _write_whole(path: Path, text: str) -> None:
    """All of it or nothing; of two who do this at once, the first one counts."""
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if path.exists() and not path.stat().st_size:
            path.unlink()
        with suppress(FileExistsError):
            os.link(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def read_service(env: Mapping[str, str] = os.environ, **flags: Any) -> Service:
    """The Service from the environment and the flags that are not None.

    Raises:
        BadConfig: a value of the wrong kind.
    """
    named = {name: env[key] for name in Service.model_fields if (key := f"CHASQUI_{name.upper()}") in env}
    try:
        return Service.model_validate(named | {name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        problem = error.errors()[0]
        raise BadConfig(why=f"{problem['loc'][0]}: {problem['msg']} (got {problem.get('input')!r})") from error
