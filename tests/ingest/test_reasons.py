"""Every reason that ingest gives is known in every language."""

from __future__ import annotations

import pytest

from chasqui.errors import IsReference, NotMedia
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
