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

from collections.abc import Callable, Iterator
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

    def stirred(self) -> Callable[[], bool]:
        """What to ask again and again: whether anybody has written since the last time. That looks into shared memory
        and costs next to nothing; where the database is not a file of this machine, the answer is always yes.
        """
        path = self.engine.url.database
        if self.engine.dialect.name != "sqlite" or path in (None, "", ":memory:"):
            return lambda: True
        import sqlite3

        look, last = sqlite3.connect(path, check_same_thread=False, isolation_level=None), [-1]

        def stirred() -> bool:
            try:
                (version,) = look.execute("PRAGMA data_version").fetchone()
            except sqlite3.Error:  # whoever looks for real will say what it is
                return True
            before, last[0] = last[0], version
            return bool(before != version)

        return stirred

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
        from sqlalchemy.exc import ArgumentError, NoSuchModuleError
    except ImportError as error:
        raise NotInstalled(what="the catalog", extra="serve", missing=error.name) from error
    scheme = url.partition(":")[0]
    if scheme not in ("sqlite", "postgresql"):
        raise BadConfig(why=f"there is no catalog for {scheme!r}; use sqlite:///FILE or postgresql://…")
    try:
        if scheme == "sqlite":
            return _sqlite(url)
        return _postgres(url.replace("postgresql:", "postgresql+psycopg:", 1))
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise BadConfig(why=f"the catalog's address cannot be understood: {error}") from error


def _postgres(url: str) -> Engine:
    import sqlalchemy as sa

    engine = sa.create_engine(url, pool_pre_ping=True)

    @sa.event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        """A machine that loses its power in the middle of a transaction must not keep what it had locked."""
        connection.execute(f"SET lock_timeout = {BUSY_S * 1000:.0f}")
        connection.execute(f"SET idle_in_transaction_session_timeout = {BUSY_S * 1000:.0f}")
        connection.commit()

    return engine


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

    from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError, TimeoutError

    try:
        yield
    except (OperationalError, InterfaceError, TimeoutError, sqlite3.DatabaseError) as error:
        # TimeoutError: no connection was free. sqlite3's own: raised while connecting.
        raise CatalogAway(why=_first_line(error)) from error
    except DBAPIError as error:
        if error.connection_invalidated or type(error) is DatabaseError:  # the bare class: no database at all
            raise CatalogAway(why=_first_line(error)) from error
        raise


def _first_line(error: Exception) -> str:
    lines = str(getattr(error, "orig", None) or error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
