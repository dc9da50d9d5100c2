"""Whoever looks after machines asks whether we are well, often, and learns nothing that others should not know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chasqui.errors import CatalogAway, ServiceDown, WrongKeys
from chasqui.run.parts import Part, Parts


def away() -> None:
    raise ServiceDown(url="amqp://mq.internal:5672", why="mq.internal refuses")


def no_catalog() -> None:
    raise CatalogAway(why="db.internal refuses")


def no_store() -> None:
    raise WrongKeys(url="s3://clases.internal", why="mq.internal refuses")


def well() -> None:
    pass


@pytest.fixture
def seen(house: Any) -> Callable[..., Any]:
    """The answer where parts look like this."""

    def ask(**looks: Callable[[], None]) -> Any:
        known = dict.fromkeys(("catalog", "store", "broker", "cache", "notices"), well) | looks
        parts = [
            Part(name, "x", f"x://{name}.internal", name in ("catalog", "store"), look) for name, look in known.items()
        ]
        house.app.extensions["parts"] = Parts(parts, kept_s=0.0)
        return house.client(None)("GET", "health")

    return ask


def test_all_is_well(house: Any) -> None:
    answer = house.client(None)("GET", "health")
    assert answer.status_code == 200
    assert answer.json["status"] == "ok"
    assert answer.json["parts"] == {"catalog": "ok", "store": "ok", "broker": "ok", "cache": "ok"}


@pytest.mark.parametrize("part", ["broker", "cache", "notices"])
def test_without_these_we_go_on_and_stay_in_the_load_balancer(seen: Any, part: str) -> None:
    answer = seen(**{part: away})
    assert (answer.status_code, answer.json["status"]) == (200, "degraded")
    assert {name for name, said in answer.json["parts"].items() if said != "ok"} == {part}
    assert answer.json["parts"][part] == "ServiceDown"


@pytest.mark.parametrize(("part", "look"), [("catalog", no_catalog), ("store", no_store)])
def test_without_these_nothing_goes(seen: Any, part: str, look: Callable[[], None]) -> None:
    answer = seen(**{part: look, "cache": away})
    assert (answer.status_code, answer.json["status"]) == (503, "down")
    assert answer.json["parts"][part] in ("CatalogAway", "WrongKeys")


def test_no_machine_is_named_and_no_reason(seen: Any) -> None:
    answer = seen(catalog=no_catalog, store=no_store, broker=away, cache=away, notices=away)
    assert "internal" not in answer.text
    assert "refuses" not in answer.text
    assert set(answer.json) == {"status", "version", "parts"}


def test_a_defect_in_a_look_shows_nothing_of_its_insides(seen: Any) -> None:
    def broken() -> None:
        raise RuntimeError("the password is hunter2")

    answer = seen(broker=broken)
    assert (answer.status_code, answer.json["parts"]["broker"]) == (200, "Defect")
    assert "hunter2" not in answer.text


def test_the_process_answers_whatever_else_does(seen: Any, house: Any) -> None:
    seen(catalog=no_catalog, store=no_store)
    assert house.client(None)("GET", "health/live").status_code == 200
