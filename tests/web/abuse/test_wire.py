"""Over real sockets: lengths that lie, requests within requests, links that never end."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from attacks import TUS, kept, piece, request, told, upload
from sqlalchemy import select

from chasqui.catalog.tables import Lesson, School, Upload
from chasqui.run.service import Service
from chasqui.web.incoming import READ_BYTES


def test_a_piece_that_is_longer_than_it_said_is_cut_at_its_length(house: Any, link: Any) -> None:
    one = upload(house, 10)
    with link() as to:
        to.sendall(piece(house, one, "Content-Length: 5") + b"12345" + b"x" * 5000)
        assert b" 204 " in told(to).split(b"\r\n")[0]
    assert kept(house, one) == 5


def test_a_piece_that_says_more_than_was_begun_is_refused_unread(house: Any, link: Any) -> None:
    one = upload(house, 10)
    with link() as to:
        to.sendall(piece(house, one, "Content-Length: 900000000000"))
        assert b" 413 " in told(to).split(b"\r\n")[0]
    assert kept(house, one) == 0


def test_a_body_that_never_ends_is_ended(house: Any, link: Any) -> None:
    one = upload(house, 1000)
    with link() as to:
        to.sendall(piece(house, one, "Transfer-Encoding: chunked"))
        try:
            for _ in range(2000):
                to.sendall(b"400\r\n" + b"x" * 1024 + b"\r\n")
        except OSError:
            pass  # the other side has had enough
        said = told(to)
    assert said == b"" or b" 204 " not in said.split(b"\r\n")[0]
    assert kept(house, one) <= 1000


def test_a_body_that_stops_coming_is_not_waited_for_and_what_came_is_kept(house: Any, link: Any) -> None:
    one = upload(house, 100_000)
    with link() as to:
        to.sendall(piece(house, one, "Content-Length: 100000") + b"x" * 50_000)
        told(to)  # ends by itself: nobody waits for ever
    assert 50_000 - READ_BYTES < kept(house, one) <= 50_000


@pytest.mark.parametrize(
    "lengths",
    [
        ("Content-Length: 5", "Content-Length: 50"),
        ("Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Content-Length: -5",),
        ("Content-Length: 5, 6",),
        ("Content-Length: +5",),
        ("Transfer-Encoding: chunked, chunked",),
    ],
)
def test_two_requests_are_not_smuggled_as_one(house: Any, link: Any, lengths: tuple[str, ...]) -> None:
    one = upload(house, 10)
    hidden = request(house, "DELETE", f"uploads/{one}", "Tus-Resumable: 1.0.0")
    with link() as to:
        to.sendall(piece(house, one, *lengths) + b"0\r\n\r\n" + hidden)
        said = told(to)
    assert said.count(b"HTTP/1.1 ") <= 1
    with house.catalog.reading() as db:
        assert db.get_one(Upload, one).state == "open"  # the second one was not heard


@pytest.mark.parametrize(
    "head",
    [
        b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 2_000_000 + b"\r\n\r\n",
        b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 200_000 + b"\r\n",
        b"GET /" + b"a" * 2_000_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\nX-A",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_heads_that_are_too_long_or_never_end_are_ended(link: Any, head: bytes) -> None:
    with link() as to:
        with suppress(OSError):  # the other side may have had enough
            to.sendall(head)
        said = told(to)
    assert b" 200 " not in said.split(b"\r\n")[0]
    assert b"Traceback" not in said


def test_who_lies_takes_no_room_of_the_school(house: Any, link: Any) -> None:
    one = upload(house, 10)
    with link() as to:
        to.sendall(piece(house, one, "Content-Length: 5") + b"123")
        told(to)
    house.client()("DELETE", f"uploads/{one}", headers=TUS)
    with house.catalog.reading() as db:
        assert db.scalar(select(School.used_bytes).where(School.slug == "ours")) == 0
        assert db.scalars(select(Lesson)).all() == []


def test_settings_that_open_doors_are_closed_unless_said(tmp_path: Path) -> None:
    service = Service(data=tmp_path)
    assert (service.private_networks, service.proxies, service.second_factor) == ("", 0, "auto")
