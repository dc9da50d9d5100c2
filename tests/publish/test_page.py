"""The page: complete, safe, in two languages, of a reasonable size. What a browser makes of it: test_browser.py."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from chasqui.publish.page import _asset
from chasqui.publish.speech import clock, short, spoken
from chasqui.records import Damage, Treatment
from chasqui.words import catalogue

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7*7 }}{title}"
VOID = {"meta", "link", "input", "br", "source", "img"}


class Reader(HTMLParser):
    """Text by language, and every element with its attributes."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.text, self.open = [], {"es": "", "en": "", None: ""}, []
        self.feed(page.decode())

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.elements.append((tag, attrs))
        if tag not in VOID:
            outer = self.open[-1][1] if self.open else None
            self.open.append((tag, attrs.get("lang") if tag == "span" else outer))

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag, f"{tag} closes something else"

    def handle_data(self, data):
        if self.open and self.open[-1][0] not in ("script", "style"):
            self.text[self.open[-1][1]] += data

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


@pytest.fixture
def page(publish):
    def read(**change):
        return Reader(publish(**change).files["report.html"])

    return read


def test_it_is_well_formed_and_tells_the_same_in_both_languages(page):
    read = page()
    assert read.open == []
    assert "veces más pequeña" in read.text["es"]
    assert "times smaller" in read.text["en"]
    assert "Comprobado en 3 de 3 partes" in read.text["es"]
    assert "Checked in 3 of 3 parts" in read.text["en"]


def test_nothing_in_it_points_outside(page):
    read = page()
    wanted = [a[k] for _, a in read.elements for k in ("src", "href", "action", "data", "poster", "srcset") if k in a]
    assert wanted
    assert all(url.startswith(("data:", "#")) or url in ("voice.opus", "voice.mp3") for url in wanted)
    assert "url(" not in _asset("page.css").replace('url("#', "")
    assert "@import" not in _asset("page.css")


def test_its_policy_allows_only_its_own_script_and_style(page):
    policy = next(a["content"] for a in page().all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")
    assert policy.count("sha256-") == 2
    assert "unsafe" not in policy


def test_hostile_names_tags_and_titles_stay_text(page):
    made = page(
        request={"title": HOSTILE, "name": HOSTILE + ".mp3"},
        recording={"tags": {HOSTILE: HOSTILE}, "codec": "<b>", "container": "<i>"},
        master={"treatments": (Treatment(name="<u>", applied=True, why="<script>alert(3)</script>"),)},
    )
    assert len(made.all("script")) == 1
    assert not made.all("img")
    assert not made.all("u")
    assert not any(name.startswith("on") for _, attrs in made.elements for name in attrs)
    assert "{{ 7*7 }}{title}" in made.text[None]


@pytest.mark.parametrize("lang", ["es", "en"])
def test_it_opens_in_the_language_asked_for(page, lang):
    picks = {a["id"]: "checked" in a for a in page(options={"lang": lang}).all("input") if a.get("name") == "lang"}
    assert picks == {"es": lang == "es", "en": lang == "en"}


def test_a_large_voice_is_linked_instead_of_embedded(page):
    sources = [a["src"] for a in page(options={"embed_limit_bytes": 100}).all("source")]
    assert sources == ["voice.opus", "voice.mp3"]
    assert page().all("source")[0]["src"].startswith("data:audio/ogg;base64,")


def test_the_price_is_called_an_estimate(page):
    read = page(options={"pen_per_mb": 0.03, "pack_mb": 250.0})
    assert "estimación, a S/ 0.03 por MB" in read.text["es"]
    assert "estimate, at S/ 0.03 per MB" in read.text["en"]
    assert "paquete de 250 MB" in read.text["es"]


def test_a_recording_that_could_not_shrink_is_not_praised(page):
    read = page(source_bytes=1000)
    assert "ya era pequeña" in read.text["es"]
    assert "veces más pequeña" not in read.text["es"]


def test_damage_is_told(page):
    damage = Damage(kept_s=2400, declared_s=5400, errors=3, first_error_s=2400, why="cut")
    text = page(recording={"damage": damage}).text
    assert "se recuperaron 40 min de 1 h 30 min" in text["es"]
    assert "40 min of 1 h 30 min were recovered" in text["en"]


def test_damage_of_unknown_length_is_told_without_inventing_one(page):
    damage = Damage(kept_s=2400, declared_s=None, errors=3, first_error_s=2400, why="cut")
    assert "se recuperaron 40 min." in page(recording={"damage": damage}).text["es"]


@pytest.mark.parametrize(("count", "words"), [(1, "En una parte"), (3, "En 3 partes")])
def test_parts_that_nothing_can_save_are_told(page, count, words):
    assert words in page(certificate={"unreachable": count}).text["es"]


def test_a_degraded_promise_is_told_with_its_budget(page):
    read = page(
        certificate={"promised": "clear", "kept": "understood", "degraded": "budget"},
        plan={"target": "clear", "budget_bytes": 300_000},
    )
    assert "Se pidió «clara» y se cumple «se entiende».El límite pedido era 0.30 MB." in read.text["es"]
    assert "promise weak" in [attrs.get("class", "").strip() for attrs in read.all("section")]


def test_no_promise_at_all_is_said_plainly(page):
    read = page(certificate={"promised": "understood", "kept": None, "degraded": "budget"})
    assert "No se puede prometer que todo se entienda" in read.text["es"]


def test_a_lesson_without_speech_or_music_claims_nothing(page, maker):
    parts = [m.model_copy(update={"kind": "silence", "kept": None}) for m in maker.parts()]
    read = page(parts=parts)
    assert "no se encontró voz ni música" in read.text["es"]
    assert "Comprobado" not in read.text["es"]


def test_treatments_are_told_in_words_with_their_numbers(page):
    text = page().text
    assert "Ruido de fondo reducido" in text["es"]
    assert "en 61.5 s" in text["es"]
    assert "tocarla la habría empeorado" not in text["es"]
    left = (Treatment(name="denoise", applied=False, why="clean"),)
    assert "tocarla la habría empeorado" in page(master={"treatments": left}).text["es"]


def test_a_shortened_lesson_is_not_compared_with_its_source(page):
    cut = (Treatment(name="silence", applied=True, effect={"removed_s": 40.0}, why="long pauses"),)
    takes = [a["id"] for a in page(master={"treatments": cut}).all("div") if a.get("id", "").startswith("take-")]
    assert takes == ["take-master", "take-voice"]


def test_ten_hours_make_a_page_of_a_bounded_size(publish, maker):
    one = maker.parts()[1]
    parts = [one.model_copy(update={"segment": n, "start_s": n * 10.0, "end_s": n * 10.0 + 10}) for n in range(3600)]
    sources = maker.lesson()
    measured = maker.lines("long.jsonl", parts)
    renditions = {"renditions": sources["renditions"].renditions, "measured": measured}
    # The sound itself stays short: only the list of parts is that of ten hours.
    page = publish(renditions=renditions, options={"excerpt_s": 2.0, "embed_limit_bytes": 0}).files["report.html"]
    assert len(page) < 400_000


def test_the_languages_have_the_same_words_with_the_same_facts():
    es, en = catalogue("report", "es"), catalogue("report", "en")
    assert es.keys() == en.keys()
    for key in es:
        assert set(re.findall(r"{\w+}", es[key])) == set(re.findall(r"{\w+}", en[key])), key


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (40, "40 s"), (120, "2 min"), (125, "2 min 5 s"), (2400, "40 min"), (36_000, "10 h 0 min")],
)
def test_durations_are_spoken(seconds, text):
    assert spoken(seconds) == text


def test_moments_and_numbers():
    assert [clock(59.99), clock(65), clock(3661)] == ["0:59", "1:05", "1:01:01"]
    assert [short(-19.0), short(9.46), short(1234.5), short(-0.01)] == ["−19", "9.5", "1,234", "0"]
