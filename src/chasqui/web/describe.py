"""The description of the service (OpenAPI 3.1): what flask-openapi3 reads off the routes, and what it cannot know: what
they answer, what goes wrong, the headers of tus, a form, examples.

A test runs schemathesis against it: what is answered and not described here fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from flask_openapi3 import OpenAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from chasqui.web.auth import SECRET
from chasqui.web.bodies import Body
from chasqui.web.incoming import METADATA
from chasqui.web.problems import MEDIA_TYPE, Problem
from chasqui.web.shapes import Shape

#: What any route may answer instead, as a problem.
PROBLEMS = {
    400: "It cannot be read.",
    401: "Nobody is signed in, or a password or code is wrong.",
    403: "Not with this account or token.",
    404: "It is not there, for this account.",
    409: "Not now, or not like this.",
    410: "It was, and is not any more.",
    412: "Another version of tus, or not the state that was expected.",
    413: "Larger than it may be.",
    415: "A content type that nothing can be done with here.",
    422: "Read, and not as it has to be.",
    423: "Somebody else is at it.",
    429: "Too often; Retry-After says when again.",
    460: "A piece that does not have its checksum.",
    503: "Something that is needed does not answer; Retry-After says when again.",
    507: "No room.",
}
#: Examples of bodies by endpoint, where the fields do not carry them.
EXAMPLES: dict[str, dict[str, Any]] = {
    "accounts.sign_in": {"email": "rosa@example.pe", "password": "la llama come ichu"},
    "accounts.enter_class": {"code": "KPT34MN", "nickname": "Wayra"},
    "accounts.accept": {
        "link": "chq_l_…",
        "name": "Rosa",
        "email": "rosa@example.pe",
        "password": "la llama come ichu",
    },
    "accounts.invite": {"role": "teacher"},
    "accounts.begin_second_factor": {},
    "accounts.confirm_second_factor": {"code": "123456"},
    "accounts.make_token": {"name": "laptop", "scopes": ["uploads.write", "lessons.read", "jobs.read"], "days": 90},
    "accounts.make_class": {"name": "4.º B"},
    "accounts.renew_password": {"link": "chq_l_…", "password": "el cóndor no avisa"},
    "accounts.change_password": {"old": "la llama come ichu", "new": "el cóndor no avisa"},
    "accounts.change_person": {"role": "administrator"},
    "accounts.change_own_school": {"name": "I. E. 40 Quispicanchi", "language": "qu", "target": "comfortable"},
    "accounts.change_school": {"quota_bytes": 80_000_000_000},
    "accounts.make_school": {"slug": "ie-40-quispicanchi", "name": "I. E. 40", "quota_bytes": 50_000_000_000},
    "imports.ask": {"url": "https://radio.example/feed.xml", "newest": 5, "licence": "CC BY 4.0"},
    "lessons.change": {"title": "Las fracciones", "language": "es"},
    "lessons.make_again": {"target": "comfortable"},
    "units.make": {"title": "Unidad 3", "budget_bytes": 10_000_000},
    "units.order": {"lessons": []},
    "channels.make": {"slug": "cuarto-b", "title": "4.º B", "open": True},
    "feedback.say": {"understood": 4, "at_s": 73.5, "text": "Aquí habla muy bajo."},
    "service.retry": {"error": "GaveUp"},
    "webhooks.make": {"url": "https://example.pe/chasqui", "events": ["lesson.published"]},
    "webhooks.change": {"stopped": False},
}


def _header(name: str, about: str, pattern: str, example: str, required: bool = True) -> dict[str, Any]:
    schema = {"type": "string", "pattern": pattern}
    return {
        "name": name, "in": "header", "required": required, "description": about, "schema": schema, "example": example
    }  # fmt: skip


VERSION = _header("Tus-Resumable", "the version of tus", r"^1\.0\.0$", "1.0.0")
NUMBER = r"^[0-9]{1,9}$"
TUS: dict[str, list[dict[str, Any]]] = {
    "uploads.begin": [
        VERSION,
        _header("Upload-Length", "bytes of the whole file", NUMBER, "1048576"),
        _header("Upload-Metadata", "name BASE64, …", f"^({METADATA})$", "title TGFzIGZyYWNjaW9uZXM=", required=False),
    ],
    "uploads.piece": [
        VERSION,
        _header("Upload-Offset", "where this piece begins", NUMBER, "0"),
        _header(
            "Upload-Checksum", "algorithm BASE64", "^sha256 [A-Za-z0-9+/]{43}=$", f"sha256 {'A' * 43}=", required=False
        ),
    ],
}
KEY = _header("Idempotency-Key", "the same again is answered as the first time", "^[!-~]{1,200}$", "clase-7", False)
#: Where a key means nothing: to those who are nobody yet, and to answers that hold secrets.
UNKEYED = (None, *SECRET)
BINARY = {"type": "string", "format": "binary"}
#: Bodies that are no JSON.
BODIES: dict[str, dict[str, Any]] = {
    "uploads.piece": {"required": True, "content": {"application/offset+octet-stream": {"schema": BINARY}}},
    "uploads.form": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": BINARY, "title": {"type": "string"}, "target": {"type": "string"}},
                }
            }
        },
    },
}
#: Answers that are no JSON. Of a stream of events, the shape of each.
ONE_EVENT = {
    "type": "object",
    "required": ["event", "data"],
    "properties": {"event": {"const": "progress"}, "data": {"type": "string", "contentMediaType": "application/json"}},
}
EVENT = {
    "event": "progress",
    "data": '{"id": "019ab3f0c2d4e1a27b60f3", "state": "running", "stage": "choose", "done": 0.4}',
}
MEASURED = '# TYPE chasqui_jobs gauge\nchasqui_jobs{queue="voice",state="waiting"} 3.0\n'
STREAMS = {"media.file": (200, 206), "jobs.events": (200,), "service.measured": (200,)}
STREAM_TYPES: dict[str, tuple[str, dict[str, Any]]] = {
    "media.file": ("*/*", {"schema": BINARY}),
    "jobs.events": ("text/event-stream", {"schema": ONE_EVENT, "example": EVENT}),
    "service.measured": ("text/plain", {"schema": {"type": "string"}, "example": MEASURED}),
}


class Described(OpenAPI):  # type: ignore[misc]
    """An application whose description is whole."""

    def generate_spec_json(self) -> None:
        """Complete what was read off the routes."""
        super().generate_spec_json()
        spec = self.spec_json
        schemas = self._schemas(spec)
        for rule in self.url_map.iter_rules():
            path = spec["paths"].get(rule.rule.replace("<", "{").replace(">", "}"), {})
            for method in (rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"}:
                if (operation := path.get(method.lower())) is not None:
                    _complete(operation, rule.endpoint, method, schemas)
                    if method == "POST" and getattr(self.view_functions[rule.endpoint], "action", None) not in UNKEYED:
                        operation["parameters"].append(KEY)
        self._head(spec)

    def _schemas(self, spec: dict[str, Any]) -> dict[str, Any]:
        """All shapes by name, that of problems too; as pydantic writes them, since flask-openapi3 drops examples."""
        schemas: dict[str, Any] = spec.setdefault("components", {}).setdefault("schemas", {})
        schemas[Problem.__name__] = {}
        for base, mode in ((Body, "validation"), (Shape, "serialization")):
            wanted: list[tuple[Any, Any]] = [(kind, mode) for kind in _kinds(base) if kind.__name__ in schemas]
            _, whole = models_json_schema(wanted, ref_template="#/components/schemas/{model}")
            schemas.update(whole.get("$defs", {}))
        return schemas

    def _head(self, spec: dict[str, Any]) -> None:
        """tus asks with HEAD where an upload is, which Flask answers together with GET."""
        path = spec["paths"].get("/api/v1/uploads/{id}")
        if path and "get" in path:
            path["head"] = {**path["get"], "operationId": "uploads_where_head"}


def _kinds(base: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _kinds(kind)


def _complete(operation: dict[str, Any], endpoint: str, method: str, schemas: dict[str, Any]) -> None:
    responses = operation.setdefault("responses", {})
    for answer in responses.values():
        if (content := answer.get("content", {}).get("application/json")) is not None:
            answer["description"] = _named(content["schema"], schemas).get("description", answer["description"])
            with suppress(LookupError):  # a test finds it; the description must not be missing for it
                content["example"] = example_of(content["schema"], schemas)
    for status in STREAMS.get(endpoint, ()):
        kind, content = STREAM_TYPES[endpoint]
        responses[str(status)] = {"description": "As it lies there.", "content": {kind: content}}
    if method == "GET":
        responses["304"] = {"description": "As it was at the last time (If-None-Match)."}
    problem = {"content": {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{Problem.__name__}"}}}}
    for number, about in PROBLEMS.items():
        if number == 503 and endpoint == "health.ready":
            continue  # there it is an answer
        responses[str(number)] = {"description": about, **problem}
    if endpoint == "media.file":
        responses["416"] = {"description": "A range behind the end.", **problem}
    parameters = operation.setdefault("parameters", [])
    parameters += TUS.get(endpoint, [])
    if endpoint in BODIES:
        operation["requestBody"] = BODIES[endpoint]
    if endpoint in EXAMPLES:
        operation["requestBody"]["content"]["application/json"]["example"] = EXAMPLES[endpoint]


def example_of(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """An example of a shape, made of those of its fields.

    Raises:
        LookupError: a field has none; a slip of ours.
    """
    whole = _named(schema, schemas)
    if whole.get("examples"):
        return whole["examples"][0]
    if kinds := whole.get("anyOf"):
        return example_of(kinds[0], schemas)
    if whole.get("type") == "array":
        return [example_of(whole["items"], schemas)]
    if "properties" in whole:
        return {name: example_of(field, schemas) for name, field in whole["properties"].items()}
    if isinstance(shape := whole.get("additionalProperties"), dict) and "$ref" in shape:
        return {"voice.opus": example_of(shape, schemas)}
    raise LookupError(f"no example in {whole}")


def _named(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    where = schema.get("$ref")
    return schema if where is None else schemas[where.rpartition("/")[2]]
