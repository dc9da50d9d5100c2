"""Imports: a link or a feed becomes lessons; what cannot be fetched is told to whoever asked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from clips import SPEECH
from foreign import Foreign, answer, foreign
from sqlalchemy import select, update

from chasqui.catalog.tables import Import, Job, Lesson, School, Upload
from chasqui.ingest.address import read_networks
from chasqui.ingest.link import Rules
from chasqui.records import Recording
from chasqui.web.fetcher import Fetcher

HERE = Rules(allowed=read_networks("127.0.0.1"))


@pytest.fixture
def there() -> Iterator[Foreign]:
    with foreign() as server:
        yield server


@pytest.fixture
def fetch(house: Any) -> Callable[[], int]:
    """Fetch all that waits; how many."""
    fetcher = Fetcher(house.app, HERE)

    def all_of_it() -> int:
        fetched = 0
        while fetcher.step():
            fetched += 1
        return fetched

    return all_of_it


def rows(house: Any, table: Any) -> list[Any]:
    with house.catalog.reading() as db:
        return list(db.scalars(select(table).order_by(table.id)))


def used(house: Any) -> int:
    with house.catalog.reading() as db:
        return int(db.scalar(select(School.used_bytes).where(School.slug == "ours")) or 0)


def quota(house: Any, size: int) -> None:
    with house.catalog.writing() as db:
        db.execute(update(School).where(School.slug == "ours").values(quota_bytes=size))


def test_a_link_becomes_a_lesson_and_its_job(house: Any, there: Foreign, fetch: Any, media: Path) -> None:
    sound = (media / SPEECH[0]).read_bytes()
    there.says["/clase%201.wav"] = answer(sound)
    ask = house.client("creator")
    body = {"url": there.url("/clase 1.wav"), "title": "La papa", "target": "clear", "consent": True}
    asked = ask("POST", "imports", body)
    assert (asked.status_code, asked.json["state"]) == (202, "waiting")
    assert fetch() == 1
    told = ask("GET", f"imports/{asked.json['id']}").json
    assert (told["state"], told["size_bytes"], told["received_bytes"]) == ("done", len(sound), len(sound))
    (lesson,), (job,), (upload,) = rows(house, Lesson), rows(house, Job), rows(house, Upload)
    assert (lesson.id, job.id) == (told["lesson_id"], told["job_id"])
    assert (lesson.title, lesson.consent, lesson.recording_id) == (
        "La papa",
        True,
        hashlib.sha256(sound).hexdigest()[:16],
    )
    assert (upload.state, upload.name, job.settings) == ("complete", "clase 1.wav", {"choose__target": "clear"})
    assert used(house) == len(sound)
    from chasqui.config import load
    from chasqui.run import run_stage

    assert isinstance(run_stage("ingest", lesson.recording_id, house.store, load()), Recording)


def test_a_length_that_is_not_said_takes_only_the_room_that_it_needs(house: Any, there: Foreign, fetch: Any) -> None:
    quota(house, 100)
    there.says["/a"] = answer(b"x" * 60, length=-1)
    there.says["/b"] = answer(b"y" * 60, length=-1)
    ask = house.client()
    first, second = (ask("POST", "imports", {"url": there.url(path)}).json["id"] for path in ("/a", "/b"))
    assert fetch() == 2
    assert ask("GET", f"imports/{first}").json["state"] == "done"
    failed = ask("GET", f"imports/{second}").json
    assert (failed["state"], failed["error"]) == ("failed", "NoRoom")
    assert used(house) == 60


def test_the_newest_of_a_feed_become_lessons_once(house: Any, there: Foreign, fetch: Any) -> None:
    items = "".join(
        f"<item><title>Clase {n}</title><pubDate>Mon, 0{n} Mar 2026 08:00:00 GMT</pubDate>"
        f'<enclosure url="{n}.mp3" type="audio/mpeg"/></item>'
        for n in range(1, 5)
    )
    there.says["/show/feed"] = answer(f"<rss><channel>{items}</channel></rss>".encode())
    there.says |= {f"/show/{n}.mp3": answer(f"sound {n}".encode()) for n in range(1, 5)}
    ask = house.client("creator")
    body = {"url": there.url("/show/feed"), "newest": 2, "licence": "CC BY 4.0"}
    for _ in range(2):  # the second time brings nothing new
        assert ask("POST", "imports", body).status_code == 202
        fetch()
    lessons = {lesson.title: lesson.licence for lesson in rows(house, Lesson)}
    assert lessons == {"Clase 4": "CC BY 4.0", "Clase 3": "CC BY 4.0"}
    items = ask("GET", "imports").json["items"]
    assert [one["state"] for one in items] == ["done"] * 4
    feed = next(one["id"] for one in reversed(items) if one["newest"])
    assert [one["feed_id"] for one in items if not one["newest"]] == [feed, feed]


@pytest.mark.parametrize(
    "url",
    [
        *("http://169.254.169.254/latest/meta-data/", "http://127.0.0.1/", "http://localhost:8000/api/v1/health"),
        *("http://[::1]/", "http://2130706433/", "http://0x7f.1/", "http://10.0.0.7/"),
    ],
)
def test_addresses_that_are_not_public_are_told_and_never_asked(house: Any, url: str) -> None:
    ask = house.client()
    asked = ask("POST", "imports", {"url": url}).json
    assert Fetcher(house.app).step()
    told = ask("GET", f"imports/{asked['id']}", headers={"Accept-Language": "es"}).json
    assert (told["state"], told["error"]) == ("failed", "ForbiddenAddress")
    assert "no es una dirección pública" in told["message"]
    assert rows(house, Upload) == []


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "http://a:b@x.example/", "http://x.example:25/", "x", "http://x\r\n/"]
)
def test_links_that_are_none_are_refused_at_once(house: Any, url: str) -> None:
    refused = house.client()("POST", "imports", {"url": url})
    assert (refused.status_code, refused.json["code"]) == (422, "ForbiddenAddress")
    assert rows(house, Import) == []


def test_what_lies_or_is_too_large_leaves_nothing_behind(house: Any, there: Foreign, fetch: Any) -> None:
    there.says["/large"] = answer(b"", length=house.service.upload_bytes + 1)
    there.says["/empty"] = answer(b"")
    there.says["/gone"] = answer(b"", "410 Gone")
    ask = house.client()
    for path, error in (("/large", "TooLarge"), ("/empty", "EmptyFile"), ("/gone", "BadLink")):
        asked = ask("POST", "imports", {"url": there.url(path)}).json
        fetch()
        assert ask("GET", f"imports/{asked['id']}").json["error"] == error
    assert used(house) == 0
    assert rows(house, Lesson) == []
    assert list(house.service.incoming.glob("*")) == []


def test_a_server_that_is_away_is_tried_again_later_and_then_given_up(house: Any, there: Foreign, fetch: Any) -> None:
    there.says["/short"] = answer(b"sou", length=5)
    ask = house.client()
    asked = ask("POST", "imports", {"url": there.url("/short")}).json
    states = []
    for _ in range(3):
        assert fetch() == 1
        states.append(ask("GET", f"imports/{asked['id']}").json["state"])
        with house.catalog.writing() as db:
            db.execute(update(Import).values(due_s=0.0))
    assert states == ["waiting", "waiting", "failed"]
    assert fetch() == 0
    assert used(house) == 0


def test_one_that_was_left_by_a_server_that_was_ended_is_begun_anew(house: Any, there: Foreign, fetch: Any) -> None:
    from chasqui.catalog import imports, uploads
    from chasqui.catalog.permissions import Actor

    there.says["/a"] = answer(b"sound")
    asked = house.client()("POST", "imports", {"url": there.url("/a")}).json
    left = imports.take(house.catalog)
    assert left is not None
    actor: Actor = imports.owner(house.catalog, left)
    half = uploads.begin(house.catalog, actor, "a", 5, 100, {})
    assert imports.beat(house.catalog, left, 2, upload_id=half.id)
    assert fetch() == 0  # its server may still be there
    with house.catalog.writing() as db:
        db.execute(update(Import).values(due_s=0.0))
    assert fetch() == 1
    assert not imports.beat(house.catalog, left, 3)  # whoever comes back changes nothing
    assert house.client()("GET", f"imports/{asked['id']}").json["state"] == "done"
    assert [upload.state for upload in rows(house, Upload)] == ["ended", "complete"]
    assert used(house) == 5


def test_cancelling_ends_what_waits_and_what_runs(house: Any, there: Foreign, fetch: Any) -> None:
    ask = house.client()
    waits = ask("POST", "imports", {"url": there.url("/a")}).json["id"]
    assert ask("PUT", f"imports/{waits}/cancellation").json["state"] == "cancelled"
    assert fetch() == 0
    runs = ask("POST", "imports", {"url": there.url("/b")}).json["id"]

    def cancelled() -> Iterator[bytes]:
        ask("PUT", f"imports/{runs}/cancellation")
        yield answer(b"sound")

    there.says["/b"] = cancelled()
    assert fetch() == 1
    assert ask("GET", f"imports/{runs}").json["state"] == "cancelled"
    assert (rows(house, Lesson), used(house)) == ([], 0)


def test_nobody_sees_or_cancels_the_imports_of_another(house: Any) -> None:
    mine = house.client()("POST", "imports", {"url": "https://x.example/a"}).json["id"]
    for role, school in (("creator", "ours"), ("administrator", "ours"), ("teacher", "theirs"), ("student", "ours")):
        ask = house.client(role, school)
        assert ask("GET", f"imports/{mine}").status_code in (403, 404)
        assert ask("PUT", f"imports/{mine}/cancellation").status_code in (403, 404)
    assert house.client("creator")("GET", "imports").json["items"] == []


def test_each_person_waits_for_the_own_imports_only(house: Any) -> None:
    from chasqui.catalog import imports

    for role in ("teacher", "teacher", "creator"):
        house.client(role)("POST", "imports", {"url": "https://x.example/a"})
    taken = [imports.take(house.catalog) for _ in range(3)]
    assert taken[2] is None
    assert len({one.owner_id for one in taken[:2] if one}) == 2


def test_nobody_has_a_thousand_links_fetched(house: Any) -> None:
    ask = house.client()
    said = [ask("POST", "imports", {"url": "https://x.example/a"}).status_code for _ in range(101)]
    assert (said[:100], said[100]) == ([202] * 100, 403)


def test_the_account_must_still_be_there(house: Any, there: Foreign, fetch: Any) -> None:
    ask = house.client()
    asked = ask("POST", "imports", {"url": there.url("/a")}).json
    me = ask("GET", "me").json["person_id"]
    house.client("administrator")("DELETE", f"people/{me}")
    assert fetch() == 1
    (failed,) = rows(house, Import)
    assert (failed.id, failed.state, failed.error) == (asked["id"], "failed", "NotAllowed")
    assert there.asked == []
