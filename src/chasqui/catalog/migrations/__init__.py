"""How the tables came about, step by step. Each step knows its way back, so that an update can be undone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from chasqui.errors import CatalogNewer

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from sqlalchemy import Connection, Engine

HERE = Path(__file__).parent
#: PostgreSQL's advisory lock: of several servers that start at once, one changes the tables and the others wait.
LOCK = 0x6368617371


def upgrade(engine: Engine, to: str = "head") -> None:
    """Bring the tables up to a version, the newest by default; nothing happens where they are.

    Raises:
        CatalogNewer: they are of a version that this program does not know.
    """
    from alembic import command

    with engine.execution_options(chasqui_writes=True).begin() as connection:
        _alone(connection)
        _known(connection)
        command.upgrade(_config(connection), to)


def downgrade(engine: Engine, to: str) -> None:
    """Go back to a version; `base` is no tables at all."""
    from alembic import command

    with engine.execution_options(chasqui_writes=True).begin() as connection:
        _alone(connection)
        command.downgrade(_config(connection), to)


def check(engine: Engine) -> None:
    """Only look.

    Raises:
        CatalogNewer
    """
    with engine.connect() as connection:
        _known(connection)


def current(engine: Engine) -> str | None:
    """The version of the tables; None where there are none."""
    with engine.connect() as connection:
        return _version(connection)


def scripts() -> ScriptDirectory:
    """All steps."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory(HERE.as_posix())


def _known(connection: Connection) -> None:
    found, known = _version(connection), [step.revision for step in scripts().walk_revisions()]
    if found is not None and found not in known:
        raise CatalogNewer(found=found, known=known[0])


def _version(connection: Connection) -> str | None:
    from alembic.migration import MigrationContext

    return MigrationContext.configure(connection).get_current_revision()


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", HERE.as_posix())
    config.attributes["connection"] = connection
    return config


def _alone(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        from sqlalchemy import text

        connection.execute(text("SET LOCAL lock_timeout = 0"))  # changing tables takes as long as it takes
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
