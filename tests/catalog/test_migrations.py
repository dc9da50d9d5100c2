"""The tables come up, go down, and are those that the code knows, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from chasqui.catalog import Catalog, migrations, open_catalog
from chasqui.catalog.tables import School, Table
from chasqui.errors import BadConfig, CatalogAway, CatalogNewer


def test_the_steps_lead_to_the_tables_that_the_code_knows(catalog: Catalog) -> None:
    with catalog.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "render_as_batch": True})
        assert compare_metadata(context, Table.metadata) == []


def test_every_step_has_a_way_back(catalog: Catalog) -> None:
    steps = [step.revision for step in reversed(list(migrations.scripts().walk_revisions()))]
    migrations.downgrade(catalog.engine, "base")
    assert set(sa.inspect(catalog.engine).get_table_names()) <= {"alembic_version"}
    for step in steps:
        migrations.upgrade(catalog.engine, step)
        assert migrations.current(catalog.engine) == step
    assert set(Table.metadata.tables) <= set(sa.inspect(catalog.engine).get_table_names())


def test_opening_again_changes_nothing(catalog: Catalog, url: str) -> None:
    with catalog.writing() as db:
        db.add(School(slug="ie-40", name="I. E. 40"))
    again = open_catalog(url)
    with again.reading() as db:
        assert db.scalar(sa.select(School.name)) == "I. E. 40"
    again.close()


def test_tables_of_a_newer_program_are_left_alone(catalog: Catalog, url: str) -> None:
    newest = migrations.current(catalog.engine)
    with catalog.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(CatalogNewer, match="9999"):
        open_catalog(url)
    with catalog.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :newest"), {"newest": newest})


@pytest.mark.parametrize("url", ["mysql://localhost/x", "nothing", "postgresql://host:port/x"])
def test_an_address_that_makes_no_sense_is_said(url: str) -> None:
    with pytest.raises(BadConfig):
        open_catalog(url)


def test_a_database_that_is_away_is_said() -> None:
    with pytest.raises(CatalogAway):
        open_catalog("postgresql://nobody@127.0.0.1:1/nothing")


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"this is not a database, it is a text " * 100)
    with pytest.raises(CatalogAway, match="not a database"):
        open_catalog(f"sqlite:///{tmp_path / 'x.db'}")
