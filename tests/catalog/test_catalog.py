"""Transactions: whole or not at all, and many writers at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from chasqui import catalog as rooms
from chasqui.catalog import Catalog, open_catalog
from chasqui.catalog.tables import School, new_id
from chasqui.errors import CatalogAway


def test_an_exception_undoes_the_change(catalog: Catalog) -> None:
    with pytest.raises(ZeroDivisionError), catalog.writing() as db:
        db.add(School(slug="a", name="A"))
        db.flush()
        raise ZeroDivisionError
    with catalog.reading() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(School)) == 0


def test_nothing_can_be_changed_while_reading(catalog: Catalog) -> None:
    with catalog.reading() as db:
        db.add(School(slug="a", name="A"))
        db.flush()
    with catalog.reading() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(School)) == 0


def test_writers_wait_for_each_other_and_none_is_lost(catalog: Catalog) -> None:
    with catalog.writing() as db:
        db.add(School(id="s", slug="s", name="S", used_bytes=0))

    def add(_: int) -> None:
        with catalog.writing() as db:  # reads, then writes: the pattern that deadlocks where transactions begin lazily
            school = db.get_one(School, "s", with_for_update=True)
            school.used_bytes += 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(100)))
    with catalog.reading() as db:
        assert db.get_one(School, "s").used_bytes == 100


def test_ids_sort_by_the_time_they_were_made() -> None:
    ids = [new_id() for _ in range(50)]
    assert len(set(ids)) == 50
    assert [i[:12] for i in ids] == sorted(i[:12] for i in ids)


def test_whoever_waits_hears_that_somebody_has_written(catalog: Catalog) -> None:
    stirred = catalog.stirred()
    assert stirred()
    if catalog.engine.dialect.name == "sqlite":
        assert not stirred()
    with catalog.writing() as db:
        db.add(School(slug="a", name="A"))
    assert stirred()


def test_a_pool_without_a_free_connection_is_a_database_that_does_not_answer(catalog: Catalog) -> None:
    with pytest.raises(CatalogAway), catalog.reading():
        raise sa.exc.TimeoutError("QueuePool limit")


def test_nobody_waits_for_ever_for_a_machine_that_lost_its_power_in_the_middle(
    catalog: Catalog, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL would keep what it had locked for hours: nothing tells it that nobody is there any more."""
    monkeypatch.setattr(rooms, "BUSY_S", 0.5)
    with catalog.writing() as db:
        db.add(school := School(slug="a", name="A"))
    here, mine = open_catalog(url), sa.select(School).where(School.id == school.id).with_for_update()
    with pytest.raises(CatalogAway), catalog.writing() as gone:
        gone.scalar(mine)
        with pytest.raises(CatalogAway), here.writing() as db:
            db.scalar(mine)
        raise CatalogAway(why="power")
    here.close()
