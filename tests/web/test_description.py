"""The description of the service: valid, whole, and true. schemathesis asks whatever may be asked, and some that may
not; nothing may fail inside, and nothing may be answered that is not described.

`CHASQUI_TEST_API_S` seconds of it; 8 unless said.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from absent import missing
from pydantic import BaseModel
from things import SENT, Things, actor_of, routes

from chasqui.catalog import accounts

SECONDS = os.environ.get("CHASQUI_TEST_API_S", "8")
#: Routes that need more than a body to go well; each has a test of its own, which says what they answer.
NOT_HERE = {
    "accounts.change_password": "an account with a password",
    "accounts.confirm_second_factor": "a code of now",
    "jobs.retry": "a job that failed",
    "uploads.form": "a file",
    "uploads.outcome": "an upload that is whole",
    "uploads.piece": "a piece as large as was said",
    "webhooks.make": "a name that can be looked up",
}
#: What takes away the account that asks; tried by itself, last.
OWN = ("/api/v1/people/{id}", "/api/v1/tokens/{id}")
#: Whether a link leads anywhere or a code is right, no description can say: what is valid may be refused. tus says 412
#: to versions that it does not know. Whoever sends an Idempotency-Key again gets the answer of the first time, although
#: what was made then may have been removed since.
CONFIG = """
[checks]
positive_data_acceptance.enabled = false
ensure_resource_availability.enabled = false
negative_data_rejection.expected-statuses = ["400", "401", "403", "404", "405", "409", "412", "415", "422", "429"]
missing_required_header.expected-statuses = ["400", "401", "403", "406", "409", "412", "415", "422"]
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
                assert status == "204" or "content" in said or "tus" in one["summary"], where
                for kind, shown in said.get("content", {}).items():
                    assert shown.get("schema"), where
                    assert kind == "*/*" or "example" in shown, where
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


def judge(house: Any) -> Callable[[dict[str, Any], Any], None]:
    """What holds an answer to its schema in the description."""
    if not importlib.util.find_spec("jsonschema"):
        missing("jsonschema (extra judges)")
    from jsonschema import Draft202012Validator
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT202012

    whole = Resource.from_contents(description(house), default_specification=DRAFT202012)
    registry: Any = Registry().with_resource("urn:description", whole)

    def hold(schema: dict[str, Any], answer: Any) -> None:
        known = json.loads(json.dumps(schema).replace('"#/', '"urn:description#/'))
        Draft202012Validator(known, registry=registry).validate(answer)

    return hold


def test_examples_of_answers_are_as_their_schemas_say(house: Any) -> None:
    hold, held = judge(house), 0
    for methods in description(house)["paths"].values():
        for one in methods.values():
            for said in one["responses"].values():
                for shown in said.get("content", {}).values():
                    if "example" in shown:
                        hold(shown["schema"], shown["example"])
                        held += 1
    assert held > 50


def test_no_schema_of_an_answer_allows_anything(house: Any) -> None:
    schemas = description(house)["components"]["schemas"]

    def closed(where: str, schema: Any) -> None:
        assert isinstance(schema, dict), where
        if "$ref" in schema:
            return
        if kinds := schema.get("anyOf"):
            for kind in kinds:
                closed(where, kind)
            return
        assert "type" in schema or "const" in schema, where
        if schema.get("type") == "array":
            closed(where, schema.get("items"))
        if schema.get("type") == "object" and "properties" not in schema:
            closed(where, schema.get("additionalProperties"))

    for name, schema in schemas.items():
        for field, said in schema.get("properties", {}).items():
            closed(f"{name}.{field}", said)


def test_answers_are_as_the_description_says(house: Any) -> None:
    """Every route is asked by whoever may; what it answers is held to the schema of that status."""
    hold, said, tried = judge(house), description(house)["paths"], set()
    things = Things(house, actor_of(house, "teacher", "ours"))
    for method, rule, endpoint, view in routes(house):
        operation = said.get(rule.replace("<", "{").replace(">", "}"), {}).get(method.lower())
        if operation is None or view.action is None:
            continue
        for role in ("teacher", "administrator", "operator", "student"):
            answer = house.client(role)(method, things.path(rule), **SENT.get(endpoint, {}))
            status = operation["responses"][str(answer.status_code)]
            if answer.is_json and method != "HEAD":
                (shown,) = (one for kind, one in status["content"].items() if kind == answer.mimetype)
                hold(shown["schema"], answer.json)
            if answer.status_code < 300:
                tried.add(endpoint)
                if role != "teacher":
                    break
    assert {endpoint for _, _, endpoint, view in routes(house) if view.action} - tried <= NOT_HERE.keys()


def test_answers_to_who_comes_in_are_as_the_description_says(house: Any) -> None:
    hold, said = judge(house), description(house)["paths"]
    link = accounts.invite(house.catalog, house.schools["ours"], "teacher")
    room = accounts.make_class(house.catalog, house.schools["ours"], None, "4.º B")
    rosa = {"email": "rosa@example.pe", "password": "la llama come ichu"}
    for path, body in (
        ("people", {"link": link, "name": "Rosa", **rosa}),
        ("sessions", rosa),
        ("sessions/class", {"code": room.code, "nickname": "Wayra"}),
    ):
        answer = house.client(None)("POST", path, body)
        schema = said[f"/api/v1/{path}"]["post"]["responses"]["201"]["content"]["application/json"]["schema"]
        hold(schema, answer.json)
    for path in ("health", "health/live"):
        schema = said[f"/api/v1/{path}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        hold(schema, house.client(None)("GET", path).json)


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
