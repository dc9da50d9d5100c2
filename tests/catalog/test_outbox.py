"""Letters: none before its truth, none lost, whatever the broker does."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from chasqui.catalog import Catalog, outbox
from chasqui.catalog.tables import Letter

TROUBLE = (ConnectionError,)


class Broker:
    def __init__(self) -> None:
        self.got: list[tuple[str, int]] = []
        self.up = True

    def __call__(self, address: str, body: Mapping[str, Any]) -> None:
        if not self.up:
            raise ConnectionError("nobody listens")
        self.got.append((address, body["n"]))


def write(catalog: Catalog, count: int, kind: str = "task") -> None:
    with catalog.writing() as db:
        for n in range(count):
            outbox.write(db, kind, "voice", {"n": n})


def due_now(catalog: Catalog) -> None:
    with catalog.writing() as db:
        db.execute(sa.update(Letter).where(Letter.sent_s.is_(None)).values(due_s=time.time() - 1))


def test_letters_go_out_in_order_and_once(catalog: Catalog) -> None:
    broker = Broker()
    write(catalog, 5)
    assert outbox.post(catalog, {"task": broker}, TROUBLE) == 5
    assert broker.got == [("voice", n) for n in range(5)]
    assert outbox.post(catalog, {"task": broker}, TROUBLE) == 0


def test_a_change_that_was_undone_tells_nobody(catalog: Catalog) -> None:
    with pytest.raises(ZeroDivisionError), catalog.writing() as db:
        outbox.write(db, "task", "voice", {"n": 1})
        raise ZeroDivisionError
    assert outbox.post(catalog, {"task": Broker()}, TROUBLE) == 0


def test_notices_of_one_thing_never_overtake_each_other(catalog: Catalog) -> None:
    broker = Broker()
    broker.up = False
    write(catalog, 1, "notice")
    outbox.post(catalog, {"notice": broker}, TROUBLE)  # it waits now
    with catalog.writing() as db:
        outbox.write(db, "notice", "voice", {"n": 1})
        outbox.write(db, "notice", "another", {"n": 2})
    broker.up = True
    outbox.post(catalog, {"notice": broker}, TROUBLE)
    assert broker.got == [("another", 2)]
    outbox.hurry(catalog, "notice")
    outbox.post(catalog, {"notice": broker}, TROUBLE)
    assert broker.got == [("another", 2), ("voice", 0), ("voice", 1)]


def test_tasks_may_overtake_each_other(catalog: Catalog) -> None:
    broker = Broker()
    with catalog.writing() as db:
        outbox.write(db, "task", "voice", {"n": 0}, after_s=60)
        outbox.write(db, "task", "voice", {"n": 1})
    outbox.post(catalog, {"task": broker, "notice": broker}, TROUBLE)
    assert broker.got == [("voice", 1)]


def test_a_webhook_that_is_stopped_gets_nothing_more(catalog: Catalog) -> None:
    write(catalog, 3, "webhook")
    with catalog.writing() as db:
        outbox.stop(db, "voice")
    broker = Broker()
    assert outbox.post(catalog, {"webhook": broker}, TROUBLE) == 0
    write(catalog, 1, "webhook")
    assert outbox.post(catalog, {"webhook": broker}, TROUBLE) == 1


def test_what_may_be_forgotten_is_sent_again_unless_something_newer_says_it(catalog: Catalog) -> None:
    broker = Broker()
    with catalog.writing() as db:
        for n, place in enumerate(("a", "a", "b", "c", "other")):
            outbox.write(db, "notice", place, {"n": n})
    outbox.post(catalog, {"notice": broker}, TROUBLE)
    with catalog.writing() as db:
        outbox.write(db, "notice", "b", {"n": 9})
        old = sa.update(Letter).where(Letter.address == "c").values(sent_s=time.time() - 100)
        db.execute(old)
    broker.got.clear()
    on_its_way: list[int] = []

    def slow(address: str, body: Mapping[str, Any]) -> None:
        if body["n"] == 9 and not on_its_way:  # the broker is lost and found in this moment
            on_its_way.append(9)
            outbox.again(catalog, "notice", "_", time.time() - 50)
        broker(address, body)

    outbox.post(catalog, {"notice": slow}, TROUBLE)
    assert broker.got == [("b", 9), ("a", 1)]


def test_letters_of_a_kind_that_goes_nowhere_are_dropped(catalog: Catalog) -> None:
    write(catalog, 2, "notice")
    write(catalog, 1)
    assert outbox.drop(catalog, "notice") == 2
    assert outbox.post(catalog, {"task": (broker := Broker()), "notice": broker}, TROUBLE) == 1


def test_a_broker_that_is_away_gets_everything_when_it_is_back(catalog: Catalog) -> None:
    broker, other = Broker(), Broker()
    broker.up = False
    write(catalog, 3)
    write(catalog, 2, "notice")
    assert outbox.post(catalog, {"task": broker, "notice": other}, TROUBLE) == 2  # the others do not wait for it
    broker.up = True
    due_now(catalog)
    assert outbox.post(catalog, {"task": broker}, TROUBLE) == 3
    assert Counter(broker.got) == Counter(("voice", n) for n in range(3))


def test_waiting_grows_and_a_webhook_is_given_up_in_the_end(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "WEBHOOK_TRIES", 3)
    dead = Broker()
    dead.up = False
    write(catalog, 1, "webhook")
    waits = []
    for _ in range(3):
        outbox.post(catalog, {"webhook": dead}, TROUBLE)
        with catalog.reading() as db:
            waits.append(db.scalar(sa.select(Letter.due_s)) - time.time())
        due_now(catalog)
    assert waits[0] < waits[1] < waits[2]
    with catalog.reading() as db:
        letter = db.scalars(sa.select(Letter)).one()
    assert letter.given_up_s
    assert letter.trouble == "nobody listens"
    assert outbox.post(catalog, {"webhook": Broker()}, TROUBLE) == 0


def test_two_postmen_do_not_send_twice(catalog: Catalog) -> None:
    broker = Broker()
    write(catalog, 40)
    with ThreadPoolExecutor(4) as pool:
        sent = list(pool.map(lambda _: outbox.post(catalog, {"task": broker}, TROUBLE), range(4)))
    assert sum(sent) == 40
    assert sorted(n for _, n in broker.got) == list(range(40))


@pytest.mark.parametrize("kind", outbox.IN_ORDER)
def test_what_is_on_its_way_to_somebody_slow_is_not_sent_again(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Ten seconds without an answer; meanwhile others look, and the broker is said to be back."""
    broker, later = Broker(), [0.0]
    monkeypatch.setattr(outbox, "time", type("Clock", (), {"time": staticmethod(lambda: time.time() + later[0])}))

    def slow(address: str, body: Mapping[str, Any]) -> None:
        later[0] += 10.0
        assert outbox.post(catalog, {kind: broker}, TROUBLE) == 0
        outbox.hurry(catalog, kind)
        assert outbox.post(catalog, {kind: broker}, TROUBLE) == 0
        raise ConnectionError("no answer")

    write(catalog, 2, kind)
    for _ in range(2):  # the second time it has met trouble before
        outbox.post(catalog, {kind: slow}, TROUBLE)
        due_now(catalog)
    assert broker.got == []
    assert outbox.post(catalog, {kind: broker}, TROUBLE) == 2
    assert broker.got == [("voice", 0), ("voice", 1)]


def test_a_letter_thrown_away_on_its_way_takes_no_other_along(catalog: Catalog) -> None:
    """SQLite gives the highest number that was thrown away to the next letter."""

    def send(address: str, body: Mapping[str, Any]) -> None:
        outbox.drop(catalog, "notice")
        write(catalog, 1)

    write(catalog, 1, "notice")
    outbox.post(catalog, {"notice": send}, TROUBLE)
    broker = Broker()
    assert outbox.post(catalog, {"task": broker}, TROUBLE) == 1


@pytest.mark.parametrize("kind", ["task", "notice", "webhook"])
def test_letters_written_while_the_clock_was_ahead_go_out_once_it_is_right(catalog: Catalog, kind: str) -> None:
    write(catalog, 1, kind)
    with catalog.writing() as db:
        db.execute(sa.update(Letter).values(due_s=time.time() + 4 * 365 * 86_400.0))
    broker = Broker()
    assert outbox.post(catalog, {kind: broker}, TROUBLE) == 1
    assert outbox.post(catalog, {kind: broker}, TROUBLE) == 0


def test_an_unexpected_exception_is_a_defect_and_the_letter_stays(catalog: Catalog) -> None:
    def broken(address: str, body: Mapping[str, Any]) -> None:
        raise TypeError("a defect")

    write(catalog, 1)
    with pytest.raises(TypeError):
        outbox.post(catalog, {"task": broken}, TROUBLE)
    due_now(catalog)
    assert outbox.post(catalog, {"task": Broker()}, TROUBLE) == 1


def test_old_letters_are_thrown_away(catalog: Catalog) -> None:
    write(catalog, 2)
    outbox.post(catalog, {"task": Broker()}, TROUBLE)
    assert outbox.clear(catalog) == 0
    with catalog.writing() as db:
        db.execute(sa.update(Letter).values(sent_s=time.time() - outbox.KEPT_S - 1))
    assert outbox.clear(catalog) == 2
