"""What is published, and what is not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chasqui.errors import PromiseBroken
from chasqui.publish.lesson import slug


def test_a_lesson_has_its_five_files(publish):
    made = publish()
    assert sorted(made.files) == ["certificate.json", "lesson.json", "report.html", "voice.mp3", "voice.opus"]
    assert made.lesson.bytes == len(made.files["voice.opus"])
    assert made.lesson.source_bytes == made.made["request"].bytes


def test_the_published_voice_is_the_certified_one(publish):
    made = publish()
    voice = next(blob for blob in made.lesson.files if blob.name == "voice.opus")
    assert voice.sha256 == made.made["certificate"].rendition_sha256


def test_files_whose_blobs_bear_other_names_get_their_final_name(publish, maker):
    made = maker.lesson()
    other = maker.keep("report-7.json", b"{}")
    files = publish(certificate={"report": other}, renditions={"renditions": made["renditions"].renditions[:1]}).files
    assert files["certificate.json"] == b"{}"
    assert "report-7.json" not in files


@pytest.mark.parametrize("kept", [None, "understood"])
def test_a_broken_promise_is_not_published(publish, maker, kept):
    with pytest.raises(PromiseBroken) as caught:
        publish(certificate={"promised": "clear", "kept": kept})
    assert caught.value.evidence["target"] == "clear"
    assert caught.value.evidence["missed"] > 0
    assert not (maker.work.folder / "report.html").exists()


def test_a_lower_promise_that_says_so_is_published(publish):
    made = publish(certificate={"promised": "clear", "kept": "understood", "degraded": "budget too small"})
    assert json.loads(made.files["lesson.json"])["promise"]["degraded"] == "budget too small"


def test_keeping_more_than_promised_is_welcome(publish):
    assert publish(certificate={"promised": "understood", "kept": "clear"}).lesson


def test_the_same_records_give_the_same_bytes(publish):
    assert publish().files == publish().files


def test_progress_runs_to_the_end(publish):
    events = [event for event in publish().events if event.kind == "advanced"]
    assert [event.done for event in events] == sorted(event.done for event in events)
    assert events[-1].done == pytest.approx(events[-1].total)


@pytest.mark.parametrize(
    ("said", "tag", "title"),
    [
        ("Lo que dijo la maestra", "Track 01", "Lo que dijo la maestra"),
        ("", "El agua", "El agua"),
        ("", "", "El agua en los Andes"),
        ("", " \n\x00 ", "El agua en los Andes"),
    ],
)
def test_the_title_is_what_the_user_says_then_the_tag_then_the_file(publish, said, tag, title):
    assert publish(request={"title": said}, recording={"tags": {"title": tag}}).lesson.title == title


@given(st.text())
def test_a_slug_is_always_a_safe_folder_name(title):
    name = slug(title)
    assert 0 < len(name) <= 60
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert not name.startswith("-")
    assert not name.endswith("-")


def test_a_slug_keeps_what_can_be_read():
    assert slug("¡Fracción ñandú, 2.ª parte!") == "fraccion-nandu-2-a-parte"
