"""Every reason that ingest gives is known in every language."""

from __future__ import annotations

import pytest

from chasqui.errors import BadFeed, BadLink, IsReference, LinkAway, NotMedia
from chasqui.ingest import content, inspect
from chasqui.ingest.content import content_of
from chasqui.words import LANGUAGES, catalogue, explain

REASONS = {
    *(name for name, _ in content._OTHER),
    *(name for name, _ in content._REFERENCES),
    *content._REFERENCE_TAGS.values(),
    *inspect._PLAIN.values(),
    *(content_of(head).what for head in (b"\x01\x02", b"Hola", b"{}", b"<a>", b"<html>", b"WEBVTT\n", b"a.mp3\n")),
    inspect.LOCKED,
    inspect.CUT_OFF,
}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_reasons_are_known(lang: str) -> None:
    assert not REASONS - catalogue("reasons", lang).keys()


def test_they_are_said() -> None:
    assert "una imagen PNG" in explain(NotMedia(name="x.mp3", why="a PNG picture"), "es")
    assert "manifiesto DASH" in explain(IsReference(name="x.mp3", kind="DASH manifest"), "es")


def test_what_is_wrong_with_a_link_is_said() -> None:
    url = "https://radio.example/a"
    assert "se cortó después de 3 de 5 bytes" in explain(LinkAway(url=url, why="it stopped after 3 of 5 bytes"), "es")
    assert "estado 404" in explain(BadLink(url=url, why="status 404"), "es")
    assert "declara entidades" in explain(BadFeed(url=url, why="it declares entities"), "es")
