"""The description of the service (OpenAPI 3.1): what flask-openapi3 reads off the routes, and what it cannot know: what
they answer, what goes wrong, the headers of tus, a form, examples.

A test runs schemathesis against it: what is answered and not described here fails.
"""

from __future__ import annotations

from typing import Any

from flask_openapi3 import OpenAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from chasqui.web import shapes
from chasqui.web.api.imports import Imported
from chasqui.web.api.jobs import Progress
from chasqui.web.auth import SECRET
from chasqui.web.problems import MEDIA_TYPE, Problem
from chasqui.web.shapes import many

#: Answers of routes that do not say so themselves: endpoint → status, shape.
ANSWERS: dict[str, tuple[int, type[BaseModel]]] = {
    "accounts.invite": (201, shapes.InvitationShape),
    "accounts.people": (200, many(shapes.PersonShape)),
    "accounts.begin_second_factor": (201, shapes.FactorShape),
    "accounts.make_token": (201, shapes.NewTokenShape),
    "accounts.tokens": (200, many(shapes.TokenShape)),
    "accounts.make_class": (201, shapes.ClassShape),
    "accounts.classes": (200, many(shapes.ClassShape)),
    "accounts.school": (200, shapes.SchoolShape),
    "accounts.make_school": (201, shapes.NewSchoolShape),
    "lessons.listing": (200, many(shapes.LessonShape)),
    "lessons.one": (200, shapes.LessonShape),
    "lessons.change": (200, shapes.LessonShape),
    "lessons.publish": (200, shapes.LessonShape),
    "lessons.withdraw": (200, shapes.LessonShape),
    "units.listing": (200, many(shapes.UnitShape)),
    "units.make": (201, shapes.UnitShape),
    "units.one": (200, shapes.UnitShape),
    "units.order": (200, shapes.UnitShape),
    "channels.listing": (200, many(shapes.ChannelShape)),
    "channels.make": (201, shapes.ChannelShape),
    "channels.one": (200, shapes.ChannelShape),
    "feedback.say": (201, shapes.FeedbackShape),
    "feedback.listing": (200, many(shapes.FeedbackShape)),
    "jobs.listing": (200, many(Progress)),
    "imports.listing": (200, many(Imported)),
}
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
    "accounts.make_school": {"slug": "ie-40-quispicanchi", "name": "I. E. 40", "quota_bytes": 50_000_000_000},
    "imports.ask": {"url": "https://radio.example/feed.xml", "newest": 5, "licence": "CC BY 4.0"},
    "lessons.change": {"title": "Las fracciones", "language": "es"},
    "lessons.make_again": {"target": "comfortable"},
    "units.make": {"title": "Unidad 3", "budget_bytes": 10_000_000},
    "units.order": {"lessons": []},
    "channels.make": {"slug": "cuarto-b", "title": "4.º B", "open": True},
    "feedback.say": {"understood": 4, "at_s": 73.5, "text": "Aquí habla muy bajo."},
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
        _header("Upload-Metadata", "name BASE64, …", "^$|^title TGE=$", "title TGFzIGZyYWNjaW9uZXM=", required=False),
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
#: Answers that are no JSON.
STREAMS = {"media.file": (200, 206), "jobs.events": (200,)}
STREAM_TYPES = {"media.file": "*/*", "jobs.events": "text/event-stream"}


class Described(OpenAPI):  # type: ignore[misc]
    """An application whose description is whole."""

    def generate_spec_json(self) -> None:
        """Complete what was read off the routes."""
        super().generate_spec_json()
        spec = self.spec_json
        names = self._shapes(spec)
        for rule in self.url_map.iter_rules():
            path = spec["paths"].get(rule.rule.replace("<", "{").replace(">", "}"), {})
            for method in (rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"}:
                if (operation := path.get(method.lower())) is not None:
                    _complete(operation, rule.endpoint, method, names)
                    if method == "POST" and getattr(self.view_functions[rule.endpoint], "action", None) not in UNKEYED:
                        operation["parameters"].append(KEY)
        self._head(spec)

    def _shapes(self, spec: dict[str, Any]) -> dict[type[BaseModel], str]:
        wanted: set[type[BaseModel]] = {Problem, *(shape for _, shape in ANSWERS.values())}
        modes: list[tuple[Any, Any]] = [(shape, "serialization") for shape in wanted]
        found, whole = models_json_schema(modes, ref_template="#/components/schemas/{model}")
        schemas = spec.setdefault("components", {}).setdefault("schemas", {})
        for name, schema in whole.get("$defs", {}).items():
            schemas[name] = schema
        named: dict[Any, Any] = found
        return {shape: named[shape, "serialization"]["$ref"] for shape in wanted}

    def _head(self, spec: dict[str, Any]) -> None:
        """tus asks with HEAD where an upload is, which Flask answers together with GET."""
        path = spec["paths"].get("/api/v1/uploads/{id}")
        if path and "get" in path:
            path["head"] = {**path["get"], "operationId": "uploads_where_head"}


def _complete(operation: dict[str, Any], endpoint: str, method: str, names: dict[type[BaseModel], str]) -> None:
    responses = operation.setdefault("responses", {})
    if endpoint in ANSWERS:
        status, shape = ANSWERS[endpoint]
        responses[str(status)] = {
            "description": shape.__doc__ or "Done.",
            "content": {"application/json": {"schema": {"$ref": names[shape]}}},
        }
    for status in STREAMS.get(endpoint, ()):
        responses[str(status)] = {"description": "As it lies there.", "content": {STREAM_TYPES[endpoint]: {}}}
    if method == "GET":
        responses["304"] = {"description": "As it was at the last time (If-None-Match)."}
    problem = {"content": {MEDIA_TYPE: {"schema": {"$ref": names[Problem]}}}}
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
