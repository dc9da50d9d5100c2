"""Addresses without secrets, however somebody wrote them."""

from __future__ import annotations

import pytest

from chasqui.run.bare import bare


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("memory:", "memory:"),
        ("file:/srv/store", "file:/srv/store"),
        ("sqlite:////srv/me@school/catalog.db", "sqlite:////srv/me@school/catalog.db"),
        ("chasqui+sqlite:////srv/queue.db", "chasqui+sqlite:////srv/queue.db"),
        ("s3://bucket/clases@2026", "s3://bucket/clases@2026"),
        ("postgresql://db/chasqui", "postgresql://db/chasqui"),
        ("postgresql://rosa:hunter2@db:5432/chasqui?sslpassword=hunter2", "postgresql://db:5432/chasqui"),
        ("postgresql://db/chasqui?user=rosa&password=hunter2", "postgresql://db/chasqui"),
        ("postgresql://db/chasqui?user=rosa&password=hun@ter2", "postgresql://"),
        ("amqp://rosa:hunter2@mq:5672//", "amqp://mq:5672//"),
        ("amqp://rosa:hunter2@a:5672//;amqp://rosa:hunter2@b:5672//", "amqp://a:5672//;amqp://b:5672//"),
        ("redis://:hun/ter#2@cache:6379/0", "redis://cache:6379/0"),
        ("redis://:hun?ter2@cache:6379/0", "redis://"),
        ("rediss://:hunter2@[2001:db8::1]:6379/0", "rediss://[2001:db8::1]:6379/0"),
        ("mqtts://rosa:hunter2@hub", "mqtts://hub"),
        ("mqtt://hub:port", "mqtt://"),
    ],
)
def test_what_is_shown_of_an_address(url: str, shown: str) -> None:
    assert bare(url) == shown
    assert not any(part in bare(url) for part in ("rosa", "hunter2", "ter2", "hun"))
