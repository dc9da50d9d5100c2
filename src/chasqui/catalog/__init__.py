"""Who there is, what they own, and what is being done for them: one database, SQLite in a file or PostgreSQL by URL.

| file | what |
|---|---|
| `tables.py` | the tables |
| `migrations/` | how they came about, step by step, up and down |
| `permissions.py` | who may do what: one table |
| `secrets.py` | passwords, tokens, links, one-time codes |
| `accounts.py` | schools, people, classes, sessions |
| `jobs.py` | work that was asked for, the truth about it |
| `outbox.py` | what has to be told to others once it is true |

A leaf: it knows nothing of HTTP, of queues or of stages.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chasqui.errors import BadConfig, CatalogAway, NotInstalled

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

#: How long a writer waits for the one before it. Transactions here take milliseconds; a backup may hold on for longer.
BUSY_S = 30.0


class Catalog:
    """The database behind a URL, brought up to the newest tables."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A look at one moment; nothing can be changed through it.

        Raises:
            CatalogAway: the database does not answer.
        """
        with _answering(), self._session() as session:
            yield session  # closing undoes what was not committed, and leaves what was read readable

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """One change, whole or not at all: committed at the end, undone by any exception.

        Raises:
            CatalogAway: the database does not answer, or was busy for longer than `BUSY_S`.
        """
        with _answering(), self._session(writes=True) as session, session.begin():
            yield session

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()

    def _session(self, writes: bool = False) -> Session:
        from sqlalchemy.orm import Session

        engine = self.engine.execution_options(chasqui_writes=writes)
        return Session(engine, expire_on_commit=False)


def open_catalog(url: str, migrate: bool = True) -> Catalog:
    """The catalog behind `sqlite:///FILE`, `sqlite://` (in memory) or `postgresql://…`.

    Raises:
        BadConfig: not such a URL.
        NotInstalled: the extra `serve` is not there.
        CatalogAway: the database does not answer.
        CatalogNewer: it was made by a newer Chasqui.
    """
    from chasqui.catalog import migrations

    engine = _engine(url)
    try:
        with _answering():
            (migrations.upgrade if migrate else migrations.check)(engine)
    except BaseException:
        engine.dispose()
        raise
    return Catalog(engine)


def _engine(url: str) -> Engine:
    try:
        import sqlalchemy as sa
        from sqlalchemy.exc import ArgumentError, NoSuchModuleError
    except ImportError as error:
        raise NotInstalled(what="the catalog", extra="serve", missing=error.name) from error
    scheme = url.partition(":")[0]
    if scheme not in ("sqlite", "postgresql"):
        raise BadConfig(why=f"there is no catalog for {scheme!r}; use sqlite:///FILE or postgresql://…")
    try:
        if scheme == "sqlite":
            return _sqlite(url)
        return sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:", 1), pool_pre_ping=True)
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise BadConfig(why=f"the catalog's address cannot be understood: {error}") from error


def _sqlite(url: str) -> Engine:
    import sqlalchemy as sa
    from sqlalchemy.pool import StaticPool

    path = sa.make_url(url).database
    rest: dict[str, Any] = {}
    if path in (None, "", ":memory:"):
        rest = {"poolclass": StaticPool}  # one connection, or every thread would have a database of its own
    else:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url, connect_args={"check_same_thread": False, "timeout": BUSY_S}, **rest)

    @sa.event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # sqlite3 must not begin transactions behind our back
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _begun(connection: Any) -> None:
        # A writer that begins by reading and finds another writer there when it comes to write can only fail.
        writes = connection.get_execution_options().get("chasqui_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@contextmanager
def _answering() -> Iterator[None]:
    import sqlite3

    from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError

    try:
        yield
    except (OperationalError, InterfaceError, sqlite3.DatabaseError) as error:  # the last: raised while connecting
        raise CatalogAway(why=_first_line(error)) from error
    except DBAPIError as error:
        if error.connection_invalidated or type(error) is DatabaseError:  # the bare class: no database at all
            raise CatalogAway(why=_first_line(error)) from error
        raise


def _first_line(error: Exception) -> str:
    lines = str(getattr(error, "orig", None) or error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
