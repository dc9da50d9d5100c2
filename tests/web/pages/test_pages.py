"""The pages as bytes: what they weigh, who may keep them, in which language, who gets a page and who a problem."""

from __future__ import annotations

import gzip
import re
from importlib.resources import files
from itertools import product
from typing import Any

import pytest

from chasqui.web.app import make_app
from chasqui.words import LANGUAGES, catalogue

PAGES = ("/", "/invitation", "/password", "/enter", "/me")
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Encoding": "gzip, deflate"}
#: What a page takes with all that it loads, in bytes, where nothing of it is there yet. `/me` is met after `/enter` or
#: `/invitation`, from which it has the rest.
MOST, MOST_ME, MOST_ME_AFTER = 6000, 8800, 4500
TEMPLATES = files("chasqui.web.pages") / "template"


def ask(house: Any, path: str, **headers: str) -> Any:
    client = house.app.test_client()
    return client.get(path, headers={**BROWSER, **{name.replace("_", "-"): text for name, text in headers.items()}})


def html_of(answer: Any) -> str:
    return gzip.decompress(answer.data).decode()


def parts_of(page: str) -> list[str]:
    return sorted(set(re.findall(r'"(/pages/[^"]+)"', page)))


def test_pages_are_light_and_load_nothing_of_others(house: Any) -> None:
    for path, lang in product(PAGES, LANGUAGES):
        is_light(house, path, lang)


def is_light(house: Any, path: str, lang: str) -> None:
    answer = ask(house, path, Accept_Language=lang)
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    page = html_of(answer)
    assert f'<html lang="{lang}">' in page
    loaded = {part: len(ask(house, part).data) for part in parts_of(page)}
    assert loaded
    assert len(answer.data) + sum(loaded.values()) < (MOST_ME if path == "/me" else MOST)
    assert not re.search(r"<script(?! defer src=\"/pages/)|<style|\sstyle=|\son\w+=|action=", page)
    assert not re.search(r"https?://", page)


def test_who_comes_from_another_page_has_most_of_it(house: Any) -> None:
    met = set(parts_of(html_of(ask(house, "/enter"))))
    answer = ask(house, "/me")
    new = [part for part in parts_of(html_of(answer)) if part not in met]
    assert [part.rpartition("/")[2] for part in new] == ["me.js"]
    assert len(answer.data) + sum(len(ask(house, part).data) for part in new) < MOST_ME_AFTER


def test_pages_are_asked_about_and_not_sent_again(house: Any) -> None:
    for path in PAGES:
        is_asked_about(house, path)


def is_asked_about(house: Any, path: str) -> None:
    first = ask(house, path)
    assert first.headers["Cache-Control"] == "no-cache"
    assert {"Accept-Language", "Accept-Encoding"} <= set(first.headers["Vary"].split(", "))
    again = ask(house, path, If_None_Match=first.headers["ETag"])
    assert (again.status_code, again.data) == (304, b"")
    assert ask(house, path, If_None_Match=first.headers["ETag"], Accept_Language="en").status_code == 200
    policy = first.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert "form-action 'none'" in policy


def test_parts_are_kept_for_good_under_an_address_of_their_own(house: Any) -> None:
    paths = parts_of(html_of(ask(house, "/me")))
    assert sorted(path.rpartition("/")[2] for path in paths) == ["door.css", "door.js", "icon.svg", "me.js"]
    for path in paths:
        is_kept(house, path)


def is_kept(house: Any, path: str) -> None:
    name = path.rpartition("/")[2]
    packed, plain = ask(house, path), ask(house, path, Accept_Encoding="identity")
    assert packed.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert packed.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(packed.data) == plain.data
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["ETag"] != plain.headers["ETag"]
    other = ask(house, f"/pages/{'0' * 16}/{name}")  # of another version: ours, and nobody keeps it
    assert (other.data, other.headers["Cache-Control"]) == (packed.data, "no-cache")
    assert ask(house, path, If_None_Match=packed.headers["ETag"]).status_code == 304


def test_nothing_else_of_the_package_is_served(house: Any) -> None:
    for path in ("/pages/x/door.html", "/pages/x/..%2F__init__.py", "/pages/x/form.html", "/pages/x/"):
        assert ask(house, path).status_code == 404


def test_the_language_is_the_one_that_was_chosen_and_goes_on(house: Any) -> None:
    chosen = html_of(ask(house, "/?lang=en", Accept_Language="es"))
    assert '<html lang="en">' in chosen
    assert 'href="/enter?lang=en"' in chosen
    unchosen = html_of(ask(house, "/", Accept_Language="en"))
    assert 'href="/enter"' in unchosen
    assert '<html lang="es">' in html_of(ask(house, "/?lang=qu", Accept_Language="fr"))


def test_people_who_are_lost_get_a_page_and_programs_a_problem(house: Any) -> None:
    lost = ask(house, "/biblioteca")
    assert (lost.status_code, lost.mimetype) == (404, "text/html")
    assert "Aquí no hay ninguna página" in html_of(lost)
    assert "There is no page here" in html_of(ask(house, "/x", Accept_Language="en"))
    for accept in ("*/*", "application/json", "application/problem+json, text/html;q=0.5", "image/png,*/*;q=0.5"):
        told = ask(house, "/biblioteca", Accept=accept)
        assert (told.status_code, told.mimetype) == (404, "application/problem+json"), accept
    for path in ("/api/v1/nothing", "/openapi/nothing"):
        assert ask(house, path).mimetype == "application/problem+json"


def test_pages_can_be_served_apart_and_left_out(house: Any) -> None:
    alone = make_app(house.service, house.catalog, house.stores, ["pages"]).test_client()
    assert alone.get("/enter").status_code == 200
    assert alone.get("/api/v1/health").status_code == 404
    without = make_app(house.service, house.catalog, house.stores, ["health"]).test_client()
    assert without.get("/enter", headers=BROWSER).mimetype == "application/problem+json"
    described = house.app.test_client().get("/openapi/openapi.json").json["paths"]
    assert [path for path in described if not path.startswith("/api/")] == []


def test_every_word_is_used(house: Any) -> None:
    templates = "".join(file.read_text(encoding="utf-8") for file in TEMPLATES.iterdir())
    unused = [key for key in catalogue("pages", "es") if f'w("{key}"' not in templates and "role." not in key]
    assert unused == []


@pytest.mark.parametrize("name", ["door.js", "me.js"])
def test_scripts_are_for_old_browsers(name: str) -> None:
    code = re.sub(r'/\*.*?\*/|"[^"\n]*"', "", (TEMPLATES / name).read_text(encoding="utf-8"), flags=re.DOTALL)
    newer = r"=>|`|\.\.\.|\?\.|\?\?|\b(?:let|const|class|async|await|fetch|Promise|closest|forEach|includes|of)\b"
    assert re.findall(newer, code) == []
    assert "innerHTML" not in code.replace("document.body.innerHTML = fresh.body.innerHTML", "")
