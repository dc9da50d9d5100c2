"""Which words are still heard: on the page, in the manifest, and nothing of it where nobody listened."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chasqui.records import Failure, LostWord, Reheard, Relistened


@pytest.fixture
def heard(maker: Any) -> Any:
    """A certificate whose 240 sure words lost some, the first of them for another word."""

    def make(lost: int = 4, **more: Any) -> dict[str, Any]:
        words = tuple(
            LostWord(text=f"agua{n}", start_s=12 + n, end_s=12.4 + n, heard=None if n else "<yegua>")
            for n in range(lost)
        )
        told = [
            Reheard(
                segment=1,
                drawn=True,
                words=250,
                errors=lost,
                sure=240,
                lost=words,
                first_errors=25,
                first_lost=9,
                raised=2,
            )
        ]
        facts = {"why": "all speech was listened to again", "recogniser": "sphinx-1", "segments": 1, **more}
        return {"words": Relistened.of(told, lines=maker.lines("reheard.jsonl", told), **facts)}

    return make


def test_the_page_counts_and_lists_them(publish: Any, heard: Any) -> None:
    page = publish(certificate=heard()).files["report.html"].decode()
    assert "De 240 palabras, 236 se siguen oyendo." in page
    assert "Of 240 words, 236 are still heard." in page
    assert "Una parte recibió más bytes porque había perdido palabras." in page
    assert "<b>0:12</b> «agua0»" in page and "→ oyó «&lt;yegua&gt;»" in page
    assert "<b>0:13</b> «agua1»" in page and "→ no oyó nada" in page
    assert "sphinx-1" in page
    assert "El tiempo para escuchar terminó" not in page


def test_a_long_list_ends_with_how_many_more(publish: Any, heard: Any) -> None:
    page = publish(certificate=heard(lost=40)).files["report.html"].decode()
    assert page.count("→ no oyó nada") == 23
    assert "Y 16 más, todas en certificate.json." in page


def test_what_was_not_listened_to_is_estimated(publish: Any, heard: Any) -> None:
    page = publish(certificate=heard(segments=7)).files["report.html"].decode()
    assert "en lo demás oye distinto cerca de 10 % de las palabras" in page


def test_the_manifest_has_the_numbers(publish: Any, heard: Any) -> None:
    said = json.loads(publish(certificate=heard()).files["lesson.json"])["words"]
    assert (said["words"], said["kept"], said["raised"], said["listened"]) == (240, 236, 1, 1)
    assert (said["rate"], said["drawn_rate"], said["status"]) == (0.016, 0.1, "done")


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (
            Relistened(
                status="failed",
                why="the recogniser failed (RecogniserLost)",
                failure=Failure(error="RecogniserLost", evidence={"name": "memory", "why": "it closed its end"}),
            ),
            "Se perdió el reconocedor memory: cerró su lado",
        ),
        (Relistened(status="none", why="no recogniser was asked for"), "no se pidió ningún reconocedor"),
        (Relistened(status="none", why="no words were heard in the master"), "no se oyeron palabras"),
        (Relistened(status="none", why="there is no transcript to compare with"), "no hay transcripción"),
        (Relistened(status="done", why="all speech was listened to again"), "no estaba seguro de ninguna palabra"),
    ],
)
def test_words_that_nobody_checked_are_said_with_the_reason(publish: Any, found: Relistened, told: str) -> None:
    page = publish(certificate={"words": found}).files["report.html"].decode()
    assert "No se comprobó si se siguen oyendo las mismas palabras." in page
    assert told in page


def test_where_nobody_could_know_nothing_is_said(publish: Any) -> None:
    files = publish().files
    assert "words" not in json.loads(files["lesson.json"])
    assert "siguen oyendo" not in files["report.html"].decode()
