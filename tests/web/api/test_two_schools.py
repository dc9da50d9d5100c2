"""Two schools that have the same recording, a ministry's podcast: what one does with it never touches the other's."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import pytest
from sqlalchemy import select, update

from chasqui.catalog import schools
from chasqui.catalog.tables import Job, School
from chasqui.run.queue.work import Worker
from chasqui.web import tidy

PODCAST = b"the same podcast for everybody"


@pytest.fixture(params=["folder", "bucket"])
def house(request: pytest.FixtureRequest, house: Any) -> Any:
    """On a store of each kind."""
    from chasqui.web.app import make_app

    if request.param == "bucket":
        shelf = request.getfixturevalue("shelf")
        house.service = house.service.model_copy(update={"store_url": f"{shelf.url}/clases"})
        house.stores = house.service.stores()
        house.app = make_app(house.service, house.catalog, house.stores)
    return house


def sent(house: Any, school: str, title: str, target: str) -> str:
    """The lesson that a teacher of the school made of the podcast, with its name and wish."""
    form = {"file": (io.BytesIO(PODCAST), f"{title}.mp3"), "title": title, "target": target}
    answer = house.client(school=school)("POST", "files", data=form)
    assert answer.status_code == 201, answer.json
    return str(answer.json["lesson_id"])


def work(house: Any) -> None:
    """All that waits."""
    worker = Worker("w", house.catalog, house.stores)
    while job := _waiting(house):
        worker.perform(job.id, str(job.stage))
    with house.catalog.reading() as db:
        assert set(db.scalars(select(Job.state))) <= {"done", "cancelled"}


def _waiting(house: Any) -> Job | None:
    with house.catalog.reading() as db:
        return db.scalars(select(Job).where(Job.state == "waiting").order_by(Job.id)).first()


def served(house: Any, school: str, lesson: str) -> dict[str, bytes]:
    """The files of a lesson as its people get them: each of the size and hash that the lesson says."""
    ask = house.client(school=school)
    files = {}
    for name, told in ask("GET", f"lessons/{lesson}").json["files"].items():
        with ask("GET", f"lessons/{lesson}/files/{name}") as answer:
            assert answer.status_code == 200, name
            files[name] = answer.data
        assert (len(files[name]), hashlib.sha256(files[name]).hexdigest()) == (told["bytes"], told["sha256"]), name
    assert files
    return files


def close_long_ago(house: Any, school: str) -> None:
    schools.close(house.catalog, house.schools[school])
    with house.catalog.writing() as db:
        late = School.closed_s - schools.KEPT_S - 1
        db.execute(update(School).where(School.id == house.schools[school]).values(closed_s=late))


def test_each_has_what_its_lesson_says(house: Any, fake_rooms: Any) -> None:
    ours, theirs = sent(house, "ours", "Uno", "clear"), sent(house, "theirs", "Dos", "understood")
    work(house)
    assert served(house, "ours", ours)["voice.opus"].startswith(b"opus clear")
    assert served(house, "theirs", theirs)["voice.opus"].startswith(b"opus understood")
    assert b"Uno" in served(house, "ours", ours)["lesson.json"]
    assert b"Dos" in served(house, "theirs", theirs)["lesson.json"]
    slugs = {school: house.client(school=school)("GET", "lessons").json["items"][0]["slug"] for school in house.schools}
    assert slugs == {"ours": "uno", "theirs": "dos"}


def test_made_again_by_one_it_stays_as_it_was_with_the_other(house: Any, fake_rooms: Any) -> None:
    ours, theirs = sent(house, "ours", "Uno", "clear"), sent(house, "theirs", "Dos", "clear")
    work(house)
    before = served(house, "ours", ours)
    house.client(school="theirs")("POST", f"lessons/{theirs}/jobs", {"target": "understood"})
    work(house)
    assert served(house, "theirs", theirs)["voice.opus"].startswith(b"opus understood")
    assert served(house, "ours", ours) == before


def test_one_removes_it_and_the_other_has_it(house: Any, fake_rooms: Any) -> None:
    ours, theirs = sent(house, "ours", "Uno", "clear"), sent(house, "theirs", "Dos", "clear")
    work(house)
    assert house.client(school="theirs")("DELETE", f"lessons/{theirs}").status_code == 204
    assert house.client(school="theirs")("GET", f"lessons/{theirs}/files/voice.opus").status_code == 404
    assert served(house, "ours", ours)


def test_of_a_school_that_is_forgotten_nothing_is_left_and_of_the_other_everything(house: Any, fake_rooms: Any) -> None:
    ours, theirs = sent(house, "ours", "Uno", "clear"), sent(house, "theirs", "Dos", "clear")
    work(house)
    before = everything(house)
    close_long_ago(house, "theirs")
    assert tidy.forget(house.app) == [house.schools["theirs"]]
    assert everything(house) == {name for name in before if house.schools["theirs"] not in name}
    assert 0 < len(everything(house)) < len(before)
    assert served(house, "ours", ours)
    assert house.client(school="ours")("GET", f"lessons/{theirs}").status_code == 404


def everything(house: Any) -> set[str]:
    """Names of all that is kept, without what only workers need."""
    root = house.stores.root
    if root.url.startswith("s3:"):
        here = {str(path.relative_to(root.folder.root)) for path in root.folder.root.rglob("*.json")}
        return here | set(root._names(""))
    return {str(path.relative_to(root.root)) for path in root.root.rglob("*") if path.is_file()}
