"""The episodes of a feed (RSS 2.0, Atom): links to sound with their titles, newest first.

Read by expat, event by event: names are never resolved, nothing outside is fetched, and whoever declares entities of
their own is refused, which ends the bombs that are made of them (a billion laughs, quadratic blow-up). expat 2.4 has a
brake of its own; this holds for older ones, too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin
from xml.parsers import expat

from chasqui.errors import BadFeed
from chasqui.ingest.address import LONGEST, shown
from chasqui.ingest.tags import one_line

#: Feeds of shows with a thousand episodes have about three megabytes.
MOST_BYTES = 8 << 20
DEEPEST = 50
#: Episodes that are remembered while reading: eight megabytes may hold a quarter of a million.
MOST_ITEMS = 10_000
LONGEST_TITLE = 200
ATOM = "http://www.w3.org/2005/Atom"
ITEMS = ("item", f"{ATOM} entry")
TITLES = ("title", f"{ATOM} title")
DATES = ("pubDate", f"{ATOM} published", f"{ATOM} updated")


@dataclass
class Episode:
    """One link to sound."""

    title: str = ""
    url: str = ""
    made_s: float | None = None  # seconds since 1970, where the feed says so
    date: str = field(default="", repr=False)


def read_feed(data: bytes, url: str, newest: int) -> list[Episode]:
    """The newest episodes of a feed that came from `url`.

    Raises:
        BadFeed: no XML, with entities of its own, too deep, or without a single link to sound.
    """
    reader = _Reader(url)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler, parser.EntityDeclHandler = reader.text, reader.entity
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise BadFeed(url=shown(url), why=f"line {error.lineno} is no XML") from error
    except LookupError as error:  # an encoding that nobody knows
        raise BadFeed(url=shown(url), why="its encoding is not known") from error
    if not reader.found:
        raise BadFeed(url=shown(url), why="it has no link to sound")
    if all(episode.made_s is not None for episode in reader.found):
        reader.found.sort(key=lambda episode: -(episode.made_s or 0.0))  # as written, where one has no date
    return reader.found[:newest]


class _Reader:
    """Hears the elements go by."""

    def __init__(self, url: str) -> None:
        self.found: list[Episode] = []
        self._url = url
        self._path: list[str] = []
        self._item: Episode | None = None
        self._said: list[str] = []
        self._known: set[str] = set()

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        if len(self._path) > DEEPEST:
            raise BadFeed(url=shown(self._url), why="it is nested too deep")
        self._said = []
        if name in ITEMS:
            self._item = Episode()
        elif self._item is not None and not self._item.url:
            self._link(name, attributes)

    def _link(self, name: str, attributes: dict[str, str]) -> None:
        link = attributes.get("url" if name == "enclosure" else "href", "")
        kind = attributes.get("type", "").partition("/")[0].strip().lower()
        enclosed = name == "enclosure" or (name == f"{ATOM} link" and attributes.get("rel") == "enclosure")
        if self._item is not None and enclosed and link and kind in ("audio", "video", "", "application"):
            url = urljoin(self._url, link.strip())
            self._item.url = url if len(url) <= LONGEST else ""

    def text(self, data: str) -> None:
        self._said.append(data)

    def end(self, name: str) -> None:
        self._path.pop()
        item = self._item
        if item is not None and self._path and self._path[-1] in ITEMS:  # not the title of something inside
            said = "".join(self._said).strip()
            if name in TITLES:
                item.title = one_line(said)[:LONGEST_TITLE]
            elif name in DATES and not item.date:
                item.date, item.made_s = said, _date(said)
        self._said = []
        if name in ITEMS and item is not None:
            if item.url and item.url not in self._known and len(self.found) < MOST_ITEMS:
                self._known.add(item.url)
                self.found.append(item)
            self._item = None

    def entity(self, *_declared: Any) -> None:
        raise BadFeed(url=shown(self._url), why="it declares entities")


def _date(said: str) -> float | None:
    """RFC 2822 of RSS, RFC 3339 of Atom."""
    from datetime import datetime

    for read in (parsedate_to_datetime, lambda text: datetime.fromisoformat(text)):
        try:
            return read(said).timestamp()
        except (ValueError, TypeError, OverflowError, OSError):
            continue
    return None
