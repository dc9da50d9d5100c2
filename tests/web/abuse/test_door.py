"""The way in, over real sockets: bodies that nobody wants, heads that two programs read in two ways, links that are
slow on purpose, and one place that wants all of the server.
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from typing import Any

import pytest
from attacks import TUS, kept, piece, request, serving, told, upload

HEALTH = b"GET /api/v1/health/live HTTP/1.1\r\nHost: x\r\n"


def answer(to: socket.socket, wait_s: float = 3.0) -> bytes:
    """What comes of an answer in this time."""
    to.settimeout(wait_s)
    try:
        return to.recv(65536)
    except TimeoutError:
        return b""


# --- bodies -----------------------------------------------------------------------------------------------------------


def test_a_body_that_nobody_wants_is_not_read_into_memory(patient: Any) -> None:
    with patient() as to:
        to.sendall(HEALTH + b"Content-Length: 5000000000\r\n\r\n" + b"x" * 100_000)
        said = answer(to)
        assert b" 200 " in said.split(b"\r\n")[0]
        assert b"Connection: close" in said


def test_what_is_left_of_a_small_body_does_not_become_the_next_request(patient: Any) -> None:
    with patient() as to:
        to.sendall(HEALTH + b"Content-Length: 5\r\n\r\n" + b"12345" + HEALTH + b"Connection: close\r\n\r\n")
        said = told(to)
    assert said.count(b"HTTP/1.1 200") == 2


def test_a_chunk_is_not_held_whole_because_its_sender_says_so(patient: Any) -> None:
    head = b"POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    with patient() as to:
        to.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n7fffffff\r\n" + b" " * 300_000)
        assert answer(to).startswith((b"HTTP/1.1 413", b"HTTP/1.1 422"))


def test_the_length_of_a_chunk_ends(patient: Any) -> None:
    head = b"POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    with patient() as to:
        to.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 50_000)
        assert b" 400 " in answer(to).split(b"\r\n")[0]


def test_chunks_arrive_whole_and_what_was_cut_is_kept(house: Any, patient: Any) -> None:
    one = upload(house, 40_000)
    with patient() as to:
        to.sendall(piece(house, one, "Transfer-Encoding: chunked") + b"4E20;a=b\r\n" + b"x" * 20_000 + b"\r\n0\r\n\r\n")
        assert b"Upload-Offset: 20000" in told(to)
    late = piece(house, one, "Transfer-Encoding: chunked").replace(b"Upload-Offset: 0", b"Upload-Offset: 20000")
    with patient() as to:
        to.sendall(late + b"4e20\r\n" + b"y" * 9_000)
    until = time.monotonic() + 5
    while kept(house, one) < 29_000 and time.monotonic() < until:
        time.sleep(0.05)
    assert kept(house, one) == 29_000


# --- requests within requests -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lengths",
    [
        ("Content-Length: 5", "Content-Length: 70"),
        ("Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Content-Length: 5"),
        ("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
        ("Transfer-Encoding: chunked, chunked",),
        ("Transfer-Encoding: xchunked",),
        ("Transfer-Encoding : chunked",),
        ("Content-Length : 5",),
        ("X-A: b", " Content-Length: 5"),
        ("X-A: b\r\n\tTransfer-Encoding: chunked",),
        *((f"Content-Length: {length}",) for length in ("-1", "-5", "+5", "0x5", "5_0", "5, 6", "5 5", "٥", "9" * 30)),
        ("Content-Length: 5\0",),
        ("(comment): 5",),
    ],
)
def test_lengths_that_can_be_read_in_two_ways_are_refused(house: Any, patient: Any, lengths: tuple[str, ...]) -> None:
    one = upload(house, 10)
    sent = piece(house, one, *lengths).replace(b"Connection: close\r\n", b"")
    hidden = request(house, "DELETE", f"uploads/{one}", "Tus-Resumable: 1.0.0")
    with patient() as to:
        to.sendall(sent + b"0\r\n\r\n" + hidden)
        said = told(to)
    assert b" 400 " in said.split(b"\r\n")[0]
    assert said.count(b"HTTP/1.1 ") == 1  # the second one was not heard
    assert "Upload-Offset" in house.client()("HEAD", f"uploads/{one}", headers=TUS).headers


@pytest.mark.parametrize("end", [b"0\r\n", b"0\r\nX-Trailer: 1\r\n", b"0;\r\n"])
def test_behind_the_end_of_chunks_nothing_is_listened_to(house: Any, patient: Any, end: bytes) -> None:
    """Proxies send trailers on; a server that takes their lines for the next request answers the wrong people."""
    one = upload(house, 10)
    sent = piece(house, one, "Transfer-Encoding: chunked").replace(b"Connection: close\r\n", b"")
    hidden = request(house, "DELETE", f"uploads/{one}", "Tus-Resumable: 1.0.0")
    with patient() as to:
        to.sendall(sent + b"3\r\nabc\r\n" + end + hidden)
        said = told(to)
    assert said.count(b"HTTP/1.1 ") == 1
    assert kept(house, one) == 3
    with patient() as to:  # also where the body is not wanted
        to.sendall(HEALTH + b"Transfer-Encoding: chunked\r\n\r\n" + b"5;X / HTTP/1.1\r\nHost: x\r\n\r\n" + hidden)
        assert told(to).count(b"HTTP/1.1 ") == 1
    assert kept(house, one) == 3


def test_a_name_that_looks_like_the_proxys_word_is_not_taken_for_it(house: Any, links: Any) -> None:
    """HTTP_X_FORWARDED_FOR may come from `X-Forwarded-For` and from `X_Forwarded_For`."""
    with links(serving(house, proxies=1)) as (_server, link):
        codes = []
        for n in range(22):
            body = b'{"email": "a@b", "password": "x"}'
            lines = [
                "POST /api/v1/sessions HTTP/1.1",
                "Host: x",
                "Connection: close",
                "Content-Type: application/json",
                f"Content-Length: {len(body)}",
                "X-Forwarded-For: 203.0.113.9",
                f"X_Forwarded_For: 198.51.100.{n}",
            ]
            with link() as to:
                to.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
                codes.append(told(to).split(b" ")[1])
    assert codes == [b"401"] * 20 + [b"429"] * 2


# --- slow on purpose --------------------------------------------------------------------------------------------------


def test_whoever_says_nothing_or_little_takes_no_thread(house: Any, links: Any) -> None:
    """More of them than there are threads, from one place; somebody else from the same place is answered at once."""
    with links(house.app, threads=4, silent_s=2) as (_server, link):
        mute = [link() for _ in range(6)]
        slow = [link() for _ in range(6)]
        for to in slow:
            to.sendall(b"GET /api/v1/health/live HTTP/1.1\r\nX-A: ")
        time.sleep(0.3)
        with link() as to:
            to.sendall(HEALTH + b"\r\n")
            assert b" 200 " in answer(to, 1.5).split(b"\r\n")[0]
        for _ in range(20):
            for to in slow:
                with suppress(OSError):
                    to.sendall(b"a")  # never silent
            time.sleep(0.2)
        for to in (*mute, *slow):
            assert told(to) == b""  # ended long ago
            to.close()


def test_a_body_that_drips_is_cut(house: Any, links: Any) -> None:
    one = upload(house, 100_000)
    with links(house.app, silent_s=1) as (_server, link), link() as to:
        to.sendall(piece(house, one, "Content-Length: 100000") + b"x" * 600)
        began = time.monotonic()
        with suppress(OSError):  # cut
            while time.monotonic() - began < 12:
                to.sendall(b"x")
                time.sleep(0.1)
        assert 1 < time.monotonic() - began < 8
    assert 600 <= kept(house, one) < 800


def test_one_place_does_not_take_all_threads(house: Any, links: Any) -> None:
    """Bodies that do not come hold a thread each. Others, from elsewhere, still find one."""
    ids = [upload(house, 10) for _ in range(12)]
    with links(house.app, threads=9, silent_s=10) as (_server, link):
        held = []
        for one in ids:
            held.append(to := link())
            to.sendall(piece(house, one, "Content-Length: 10"))
        time.sleep(0.5)
        with link(source_address=("127.0.0.2", 0)) as to:
            to.sendall(HEALTH + b"\r\n")
            assert b" 200 " in answer(to).split(b"\r\n")[0]
        for to, one in zip(held, ids, strict=True):  # and whoever had to wait gets their turn
            to.sendall(b"1234567890")
            assert b" 204 " in told(to).split(b"\r\n")[0], one
            to.close()


def test_a_school_may_take_most_of_the_threads_and_shares_them_when_others_come() -> None:
    from chasqui.web.door import Places

    class One:
        def __init__(self, place: str) -> None:
            self.place = place

    places = Places(threads=300, links=1000, fair=True)
    assert sum(len(places.turn(One("school"))) for _ in range(300)) == 200  # type: ignore[arg-type]
    for place, turns in (("second", 67), ("third", 22), ("fourth", 8)):
        assert sum(len(places.turn(One(place))) for _ in range(300)) == turns  # type: ignore[arg-type]
    assert len(places.turn(One("somebody"))) == 1  # type: ignore[arg-type]
    freed = [[one.place for one in places.over("school")] for _ in range(3)]
    assert freed == [[], [], ["fourth"]]  # some stay free for others; then whoever has least is next
    behind = Places(threads=300, links=1000, fair=False)
    assert sum(len(behind.turn(One("proxy"))) for _ in range(400)) == 400  # type: ignore[arg-type]


def test_links_of_one_place_are_not_all_links() -> None:
    from chasqui.web.door import Places

    places = Places(threads=3, links=10, fair=True)
    assert [places.admit("a") for _ in range(7)] == [True] * 5 + [False] * 2
    assert [places.admit(f"b{n}") for n in range(7)] == [True] * 5 + [False] * 2
    places.leave("a")
    assert places.admit("c")
