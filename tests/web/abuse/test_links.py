"""Links and feeds of those who want to hold up everybody else's."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from foreign import foreign, slowly

from chasqui.catalog import imports
from chasqui.ingest import address, feed
from chasqui.ingest.address import read_networks
from chasqui.ingest.link import Rules
from chasqui.web.fetcher import Fetcher


def test_a_server_that_says_little_holds_one_hand_and_not_all(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Letter by letter it says its headers; nobody else takes the same link for one that was left alone."""
    monkeypatch.setattr(imports, "SILENT_S", 0.6)
    fetcher = Fetcher(house.app, Rules(read_networks("127.0.0.1")))
    with foreign({"/a": slowly(b"HTTP/1.1 200 OK\r\nX: ", b"a", 0.1)}) as there:
        asked = house.client()("POST", "imports", {"url": there.url("/a")}).json["id"]
        threading.Thread(target=fetcher.step, daemon=True).start()
        while not there.asked:
            time.sleep(0.02)
        for _ in range(15):
            time.sleep(0.1)
            assert imports.take(house.catalog) is None
        assert imports.find(house.catalog, asked).attempts == 1


def test_a_name_with_a_thousand_addresses_is_tried_at_a_few() -> None:
    def resolve(_host: str, _port: int) -> list[str]:
        return [f"8.8.{n // 256}.{n % 256}" for n in range(1000)]

    assert len(address.check("http://many.example/", resolve=resolve).addresses) == 4
    with pytest.raises(address.ForbiddenAddress):  # and yet all of them are looked at
        address.check("http://many.example/", resolve=lambda *_: ["8.8.8.8"] * 10 + ["10.0.0.1"])


def test_a_feed_of_a_hundred_thousand_episodes_is_not_all_remembered() -> None:
    items = b"".join(b"<item><enclosure url='a%d' type='audio/x'/></item>" % n for n in range(100_000))
    reader = feed.read_feed(b"<rss><channel>" + items + b"</channel></rss>", "http://x.example/", 10**6)
    assert len(reader) == feed.MOST_ITEMS
    long = b"<rss><item><enclosure url='" + b"a" * 5000 + b"'/></item><item><enclosure url='b'/></item></rss>"
    assert [one.url for one in feed.read_feed(long, "http://x.example/", 9)] == ["http://x.example/b"]


@pytest.mark.parametrize(
    "date", ["", "0 0 0 0 0", "Mon, 99 Foo 99999 99:99 +9999", "1e400", "\u0661", "2026-13-45T99Z"]
)
def test_dates_that_are_none_are_none(date: str) -> None:
    item = f"<rss><item><pubDate>{date}</pubDate><enclosure url='a'/></item></rss>".encode()
    assert len(feed.read_feed(item, "http://x.example/", 9)) == 1
