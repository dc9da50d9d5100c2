"""What Alembic runs: the steps, on the connection that `migrations` hands over."""

from __future__ import annotations

from alembic import context

from chasqui.catalog.tables import Table

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    render_as_batch=True,  # SQLite cannot change a table; Alembic copies it
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
