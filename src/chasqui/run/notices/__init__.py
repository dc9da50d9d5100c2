"""What others are told of lessons and jobs: a broker by MQTT, and addresses of schools by webhook.

| file | what |
|---|---|
| `mqtt.py` | the broker: sends, and knows whether it arrived |
| `progress.py` | how far jobs are, looked up while they run |
| `webhook.py` | one signed request to a school's address |
| `messengers.py` | the threads that take letters of these kinds out of the outbox |
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def dressed(body: Mapping[str, Any], public_url: str) -> dict[str, Any]:
    """A letter with the addresses under which its lesson is found. The catalog does not know them; without
    `public_url` they are those on the server itself.
    """
    told = dict(body)
    if isinstance(lesson := told.get("lesson"), Mapping):
        place = f"{public_url.rstrip('/')}/api/v1/lessons/{lesson['id']}"
        files = {
            name: {**facts, "url": f"{place}/files/{name}?v={facts['sha256'][:16]}"}
            for name, facts in lesson.get("files", {}).items()
        }
        told["lesson"] = {**lesson, "url": place} | ({"files": files} if files else {})
    return told


def encoded(body: Mapping[str, Any]) -> bytes:
    """A letter as it travels: JSON in UTF-8, without spaces."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
