"""The description of the service: valid, whole, and true. schemathesis asks whatever may be asked, and some that may
not; nothing may fail inside, and nothing may be answered that is not described.

`CHASQUI_TEST_API_S` seconds of it; 8 unless said.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from absent import missing
from pydantic import BaseModel

SECONDS = os.environ.get("CHASQUI_TEST_API_S", "8")
#: What takes away the account that asks; tried by itself, last.
OWN = ("/api/v1/people/{id}", "/api/v1/tokens/{id}")
#: Whether a link leads anywhere or a code is right, no description can say: what is valid may be refused. tus says 412
#: to versions that it does not know. Whoever sends an Idempotency-Key again gets the answer of the first time, although
#: what was made then may have been removed since. An
#: import that was cancelled by DELETE stays to be asked about.
CONFIG = """
[checks]
positive_data_acceptance.enabled = false
ensure_resource_availability.enabled = false
negative_data_rejection.expected-statuses = ["400", "401", "403", "404", "405", "409", "412", "415", "422", "429"]
missing_required_header.expected-statuses = ["400", "401", "403", "406", "409", "412", "415", "422"]

[[operations]]
include-path = "/api/v1/imports/{id}"
checks.use_after_free.enabled = false
"""


@pytest.fixture
def address(house: Any) -> Iterator[str]:
    from cheroot.wsgi import Server

    server = Server(("127.0.0.1", 0), house.app, numthreads=4, timeout=5)
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.bind_addr[1]}"
    server.stop()
    thread.join()


def description(house: Any) -> dict[str, Any]:
    said: dict[str, Any] = house.app.test_client().get("/openapi/openapi.json").json
    return said


def test_it_is_openapi(house: Any) -> None:
    if not importlib.util.find_spec("openapi_spec_validator"):
        missing("openapi-spec-validator (extra judges)")
    from openapi_spec_validator import validate

    said = description(house)
    assert said["openapi"].startswith("3.1")
    validate(said)


def test_every_route_says_what_it_wants_and_answers(house: Any) -> None:
    for path, methods in description(house)["paths"].items():
        for method, one in methods.items():
            where = f"{method} {path}"
            assert one.get("summary"), where
            good = {status: said for status, said in one["responses"].items() if status[0] == "2"}
            assert good, where
            for status, said in good.items():
                assert status in ("204", "201") or "content" in said or "tus" in one["summary"], where
            assert "application/problem+json" in one["responses"]["422"]["content"], where
            for kind, body in one.get("requestBody", {}).get("content", {}).items():
                assert kind != "application/json" or "example" in body, where


def test_examples_are_what_the_routes_take(house: Any) -> None:
    from chasqui.web.describe import EXAMPLES

    paths = {rule.endpoint: rule for rule in house.app.url_map.iter_rules()}
    assert set(EXAMPLES) <= set(paths)
    for endpoint, body in EXAMPLES.items():
        rule = paths[endpoint]
        method = next(iter((rule.methods or set()) & {"POST", "PUT", "PATCH"}))
        path = rule.rule.replace("<id>", "0" * 22)
        answer = house.client("administrator")(method, path, body)
        assert (answer.json or {}).get("code") != "BadRequest", (endpoint, answer.text)


def test_shapes_of_different_things_have_different_names(house: Any) -> None:
    """flask-openapi3 knows them by name only: the second of a name would describe both."""
    used = defaultdict(set)
    for name, module in list(sys.modules.items()):
        if name.startswith("chasqui.web"):
            for shape in vars(module).values():
                if (
                    isinstance(shape, type)
                    and issubclass(shape, BaseModel)
                    and shape.__module__.startswith("chasqui.web")
                ):
                    used[shape.__name__].add(f"{shape.__module__}.{shape.__qualname__}")
    del used["ById"]  # of paths; written where it is used
    assert {name: where for name, where in used.items() if len(where) > 1} == {}


@pytest.mark.timeout(600)
def test_nothing_fails_inside_and_nothing_is_answered_that_is_not_described(
    house: Any, address: str, tmp_path: Path
) -> None:
    if not importlib.util.find_spec("schemathesis"):
        missing("schemathesis (extra judges)")
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    token = house.tokens["ours", "administrator"]
    others = [flag for path in OWN for flag in ("--exclude-path", path)]
    own = [flag for path in OWN for flag in ("--include-path", path)]
    for flags, seconds in ((others, SECONDS), (own, "2")):
        ran = subprocess.run(
            [
                *(
                    sys.executable,
                    "-W",
                    "ignore",
                    "-m",
                    "schemathesis.cli",
                    "--config-file",
                    "schemathesis.toml",
                    "run",
                ),
                *(
                    f"{address}/openapi/openapi.json",
                    "--seed",
                    "1",
                    "--max-time",
                    seconds,
                    "--header",
                    f"Authorization: Bearer {token}",
                ),
                *flags,
            ],
            cwd=tmp_path,
            env={**os.environ, "SCHEMATHESIS_HOOKS": "tus_body", "PYTHONPATH": str(Path(__file__).parent)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-2000:]
        assert " generated" in ran.stdout
