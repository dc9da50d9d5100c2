"""What a summary says is what the rows say, whatever their order."""

from __future__ import annotations

import json
import random
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from chasqui.collect.folder import open_dataset
from chasqui.collect.page import both, chart, clock, number, write_summary
from chasqui.collect.passing import SHOWN, Histogram
from chasqui.collect.summary import ODD, Summary, Tally
from chasqui.errors import ChasquiError, EmptyFile, buckets, settings, sound, words, world
from chasqui.words import catalogue
from collect.written import TOKEN, full, line


def tally(lines: list[bytes]) -> Summary:
    counted = Tally()
    for one in lines:
        counted.add(json.loads(one))
    return counted.summary("digest", "title", "0")


def bar(summary: Summary, column: str) -> Histogram:
    return next(histogram for histogram in summary.histograms if histogram.column == column)


def test_numbers_are_those_of_the_rows() -> None:
    summary = tally([full("1"), full("2", duration_s=40.0, snr_db=3.0), line("3", status="failed", error="EmptyFile")])
    assert summary.totals["rows"] == 3 and summary.totals["failed"] == 1
    assert summary.totals["duration_s"] == 42.0
    duration = bar(summary, "duration_s")
    assert sum(duration.counts) == 2 and (duration.mean, duration.least, duration.most) == (21.0, 2.0, 40.0)
    assert [cases.key for cases in summary.odd] == ["noisy"]
    assert summary.odd[0].worst[0].path == "2.wav"
    assert [(cases.key, cases.count) for cases in summary.failures] == [("EmptyFile", 1)]


def test_stop_words_and_punctuation_are_not_counted() -> None:
    tokens = [TOKEN, TOKEN | {"norm": "de", "stop": True}, TOKEN | {"norm": "!", "word": False}]
    assert tally([full("1", tokens=tokens)]).tokens == (("hola", 1),)


def test_the_order_of_rows_says_nothing() -> None:
    chance = random.Random(1)
    lines = [full(str(n), snr_db=n / 10, duration_s=float(n + 1), speaking_rate_wpm=100.0 + n) for n in range(80)]
    first = tally(lines)
    chance.shuffle(lines)
    assert tally(lines) == first
    noisy = next(cases for cases in first.odd if cases.key == "noisy")
    assert noisy.count == 80 and len(noisy.worst) == SHOWN and noisy.worst[0].value == 0.0


def test_a_rate_far_from_its_language_is_worth_a_look() -> None:
    lines = [full(str(n), speaking_rate_wpm=150.0 + n % 5) for n in range(60)]
    summary = tally([*lines, full("99", speaking_rate_wpm=600.0)])
    assert [case.path for case in next(c for c in summary.odd if c.key == "rate").worst] == ["99.wav"]


def test_every_oddity_and_column_has_words() -> None:
    texts = catalogue("summary", "es")
    for key in [*(odd.key for odd in ODD), "rate"]:
        assert {f"odd.{key}", f"odd_why.{key}"} <= texts.keys()
    for histogram in tally([]).histograms:
        assert f"column.{histogram.column}" in texts


def test_bars_are_of_what_lies_between_first_and_last() -> None:
    drawn = chart(
        Histogram(column="x", unit="s", edges=(1, 2, 3), counts=(0, 4, 2, 0), missing=1, mean=2, least=1, most=3)
    )
    assert [(b.height, b.says) for b in drawn.bars] == [(100.0, "1 – 2 s: 4"), (50.0, "2 – 3 s: 2")]
    assert (drawn.marks, drawn.missing) == (["1", "3"], "1")


def test_numbers_are_written_as_in_peru() -> None:
    assert [number(n) for n in (12345, 3.25, -19.0, 0.5)] == ["12,345", "3.25", "−19", "0.5"]
    assert [clock(s) for s in (0, 40, 125, 7260)] == ["0 s", "40 s", "2 min 5 s", "2 h 1 min"]


def dataset(folder: Path, **columns: Any) -> Path:
    with open_dataset(folder, "jsonl", title="<Voces>") as data:
        data.add_line(full("1", path='<script>alert("x")</script>.wav', snr_db=1.0, **columns), None)
        data.fail("vacío.mp3", EmptyFile(name="vacío.mp3"))
    return folder


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "link", "input", "path", "rect", "br"):
            self.open.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "style", "onclick")]

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()


def test_the_page_is_whole_safe_and_in_both_languages(tmp_path: Path) -> None:
    folder = dataset(tmp_path / "d")
    write_summary(folder)
    text = (folder / "summary.html").read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    assert page.open == []
    assert set(page.loads) <= {"data:,"}
    assert "<script" not in text and "&lt;Voces&gt;" in text
    assert "Archivo vacío" in text and "Empty file" in text
    assert str(both("look")) in text
    assert re.search(r"default-src 'none'; style-src 'sha256-[^']+'", unescape(text))


def test_a_summary_is_made_once(tmp_path: Path) -> None:
    folder = dataset(tmp_path / "d")
    first = write_summary(folder)
    (folder / "summary.html").write_text("mine")
    assert write_summary(folder) == first
    assert (folder / "summary.html").read_text() == "mine"
    with open_dataset(folder, "jsonl") as data:
        data.add_line(full("2"), None)
    assert write_summary(folder).totals["rows"] == 3
    assert (folder / "summary.html").read_text() != "mine"


#: Met before there is any row, or by commands that make none.
NO_ROW = {"BadTraining", "NoSpeech", "OneSpeaker", "UnknownLesson", "Ambiguous"}


def test_every_reason_that_a_row_may_have_is_named_in_both_languages() -> None:
    kinds = {
        name
        for module in (buckets, settings, sound, words, world)
        for name, kind in vars(module).items()
        if isinstance(kind, type) and issubclass(kind, ChasquiError) and name not in NO_ROW
    }
    assert {"ServiceDown", "NotMedia", "NoDiarizer"} <= kinds
    for lang in ("es", "en"):
        named = catalogue("summary", lang)
        assert {name for name in kinds | {"WorkerLost", "Defect"} if f"error.{name}" not in named} == set()
