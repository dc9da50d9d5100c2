"""Feeds: episodes with sound, newest first; bombs and damage are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chasqui.errors import BadFeed
from chasqui.ingest.feed import read_feed

URL = "https://radio.example/show/feed.xml"
RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"><channel><title>Quechua</title>
<image><title>no</title></image>
<item><title>Uno</title><pubDate>Mon, 02 Mar 2026 08:00:00 -0500</pubDate>
  <enclosure url="uno.mp3" type="audio/mpeg" length="1"/></item>
<item><title>Dos &amp; <![CDATA[medio]]></title><itunes:title>other</itunes:title>
  <pubDate>Tue, 03 Mar 2026 08:00:00 -0500</pubDate>
  <enclosure url="https://cdn.example/dos.mp3?x=1&amp;y=2" type="audio/mpeg"/></item>
<item><title>Only text</title></item>
<item><title>Picture</title><enclosure url="a.jpg" type="image/jpeg"/></item>
<item><title>Uno again</title><pubDate>Sun, 01 Mar 2026 08:00:00 -0500</pubDate><enclosure url="uno.mp3"/></item>
</channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>Uno</title><updated>2026-03-02T08:00:00Z</updated>
<link href="page.html"/><link rel="enclosure" type="audio/ogg" href="/a.ogg"/></entry></feed>"""


def test_episodes_come_newest_first_with_whole_links() -> None:
    found = read_feed(RSS.encode(), URL, 10)
    assert [(one.title, one.url) for one in found] == [
        ("Dos & medio", "https://cdn.example/dos.mp3?x=1&y=2"),
        ("Uno", "https://radio.example/show/uno.mp3"),
    ]
    assert [one.title for one in read_feed(RSS.encode(), URL, 1)] == ["Dos & medio"]


def test_atom_is_read_too() -> None:
    (one,) = read_feed(ATOM.encode(), URL, 10)
    assert (one.title, one.url, one.made_s) == ("Uno", "https://radio.example/a.ogg", 1772438400.0)


def test_without_all_dates_the_order_is_the_feeds_own() -> None:
    plain = RSS.replace("<pubDate>Tue, 03 Mar 2026 08:00:00 -0500</pubDate>", "<pubDate>yesterday</pubDate>")
    assert [one.title for one in read_feed(plain.encode(), URL, 10)] == ["Uno", "Dos & medio"]


def test_older_feeds_name_a_definition_that_is_not_fetched() -> None:
    named = RSS.replace("<rss", '<!DOCTYPE rss SYSTEM "http://127.0.0.1:1/rss.dtd"><rss', 1)
    assert len(read_feed(named.encode(), URL, 10)) == 2


@pytest.mark.parametrize(
    "declared",
    [
        "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol"}">' for n in range(10)),  # a billion laughs
        f'<!ENTITY l "{"a" * 50_000}">',  # quadratic blow-up
        '<!ENTITY l SYSTEM "file:///etc/passwd">',
        '<!ENTITY % p SYSTEM "http://169.254.169.254/"> %p;',
    ],
)
def test_entities_are_refused(declared: str) -> None:
    bomb = RSS.replace("<rss", f"<!DOCTYPE rss [{declared}]><rss", 1).replace("Uno", "&l;&l9;", 1)
    with pytest.raises(BadFeed, match="entities"):
        read_feed(bomb.encode(), URL, 10)


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"\0\xff", b"<html><p>no</html>", b"<rss><channel/></rss>", RSS.encode()[:400], b"<a>" * 60),
        b'<?xml version="1.0" encoding="klingon"?><rss/>',
        RSS.replace("audio/mpeg", "text/plain").replace("uno.mp3", "").encode(),
    ],
)
def test_what_is_no_feed_is_said(data: bytes) -> None:
    with pytest.raises(BadFeed):
        read_feed(data, URL, 10)


@given(st.binary(max_size=300) | st.text(max_size=100).map(lambda text: RSS.replace("Uno", text, 1).encode()))
def test_any_bytes_are_a_feed_or_are_refused(data: bytes) -> None:
    try:
        found = read_feed(data, URL, 3)
    except BadFeed:
        return
    assert 0 < len(found) <= 3
    assert all(one.url and one.title.isprintable() for one in found)
