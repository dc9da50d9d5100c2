"""Bytes behind links, from servers that are as bad as they like."""

from __future__ import annotations

import gzip
import io
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest
from foreign import Foreign, answer, foreign, slowly

from chasqui.errors import BadLink, ForbiddenAddress, LinkAway, TooLarge
from chasqui.ingest import link
from chasqui.ingest.address import read_networks
from chasqui.ingest.link import Limits, Rules, fetch

LIMITS = Limits(most_bytes=10_000, silent_s=1.0, whole_s=3.0)
HERE = Rules(allowed=read_networks("127.0.0.1"))


@pytest.fixture
def there() -> Iterator[Foreign]:
    with foreign() as server:
        yield server


def got(url: str, limits: Limits = LIMITS, rules: Rules = HERE) -> bytes:
    into = io.BytesIO()
    fetch(url, limits, rules, into)
    return into.getvalue()


def test_what_lies_there_arrives_with_its_name_and_size(there: Foreign) -> None:
    said = 'attachment; filename="../clase 1.mp3"'
    there.says["/a%20b.mp3"] = answer(b"sound")
    there.says["/named"] = answer(b"sound", Content_Disposition=said)
    with link.opened(there.url("/a%20b.mp3"), LIMITS, HERE) as found:
        assert (found.name, found.size, b"".join(found.read())) == ("a b.mp3", 5, b"sound")
    assert fetch(there.url("/named"), LIMITS, HERE, io.BytesIO()).name == "clase 1.mp3"
    asked = there.asked[0].lower()
    assert "accept-encoding: identity" in asked
    assert f"host: 127.0.0.1:{there.port}" in asked
    assert "cookie" not in asked
    assert "authorization" not in asked


def test_pieces_and_bodies_without_a_length_are_taken(there: Foreign) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    there.says["/pieces"] = head + b"3\r\nsou\r\n2\r\nnd\r\n0\r\n\r\n"
    there.says["/open"] = answer(b"sound", length=-1)
    assert got(there.url("/pieces")) == got(there.url("/open")) == b"sound"


def test_redirects_are_followed_and_each_is_checked(there: Foreign) -> None:
    there.says["/a"] = answer(b"", "302 Found", Location="b/c?d=1")
    there.says["/b/c?d=1"] = answer(b"", "308 Moved", Location=there.url("/end"))
    there.says["/end"] = answer(b"sound")
    assert got(there.url("/a")) == b"sound"
    there.says["/round"] = answer(b"", "301 Moved", Location="/round")
    with pytest.raises(BadLink, match="too often"):
        got(there.url("/round"))


@pytest.mark.parametrize(
    "to",
    [
        *("http://169.254.169.254/latest/meta-data/", "http://127.0.0.2/", "http://[::1]/", "file:///etc/passwd"),
        *("//10.0.0.1/x", "http://user:pw@127.0.0.1/", "gopher://127.0.0.1/", "http://0177.0.0.2/"),
    ],
)
def test_a_redirect_to_a_forbidden_address_ends_there(there: Foreign, to: str) -> None:
    there.says["/a"] = answer(b"", "302 Found", Location=to)
    with pytest.raises(ForbiddenAddress):
        got(there.url("/a"))


def test_without_being_allowed_this_machine_is_not_asked_at_all(there: Foreign) -> None:
    for host in ("127.0.0.1", "localhost", "2130706433", "0177.0.0.1", "[::ffff:127.0.0.1]"):
        with pytest.raises((ForbiddenAddress, LinkAway)):
            got(there.url("/a", host), rules=Rules())
    assert there.asked == []


def test_a_name_is_looked_up_once_and_what_was_checked_is_connected_to(there: Foreign) -> None:
    answers = iter([["127.0.0.1"], ["169.254.169.254"], ["10.0.0.1"]])
    looked: list[str] = []

    def resolve(host: str, _port: int) -> Sequence[str]:
        looked.append(host)
        return next(answers)

    there.says["/a"] = answer(b"sound")
    rules = Rules(HERE.allowed, resolve=resolve)
    assert got(there.url("/a", "rebinding.example"), rules=rules) == b"sound"
    assert looked == ["rebinding.example"]
    assert f"Host: rebinding.example:{there.port}" in there.asked[0]
    with pytest.raises(ForbiddenAddress):  # the next fetch is checked anew
        got(there.url("/a", "rebinding.example"), rules=rules)


def test_more_than_is_allowed_is_not_taken(there: Foreign) -> None:
    there.says["/said"] = answer(b"", length=10_001)
    there.says["/unsaid"] = answer(b"x" * 20_000, length=-1)
    there.says["/endless"] = _endless()
    for path in ("/said", "/unsaid", "/endless"):
        with pytest.raises(TooLarge):
            got(there.url(path))


def _endless() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    yield from repeat(b"400\r\n" + b"x" * 1024 + b"\r\n")


def test_lengths_that_are_not_true_are_noticed(there: Foreign) -> None:
    there.says["/short"] = answer(b"sou", length=5)
    there.says["/cut"] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nsou"
    there.says["/two"] = answer(b"sound", Content_Length="7")
    there.says["/minus"] = answer(b"sound", length=-5)
    with pytest.raises(LinkAway, match="3 of 5"):
        got(there.url("/short"))
    with pytest.raises(LinkAway):
        got(there.url("/cut"))
    for path in ("/two", "/minus"):
        with pytest.raises(BadLink, match="how long"):
            got(there.url(path))
    there.says["/long"] = answer(b"sound and more", length=5)
    assert got(there.url("/long")) == b"sound"


def test_what_is_packed_is_not_unpacked(there: Foreign) -> None:
    there.says["/bomb"] = answer(gzip.compress(b"\0" * 1_000_000), Content_Encoding="gzip")
    with pytest.raises(BadLink, match="packed"):
        got(there.url("/bomb"))


@pytest.mark.parametrize(
    ("first", "letter"),
    [
        (b"", b""),  # says nothing at all
        (b"HTTP/1.1 200 OK\r\nX-A: ", b"a"),  # headers without end
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),  # always about to begin
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n", b"a"),  # a body, drop by drop
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X-A: a\r\n"),  # trailers without end
    ],
)
def test_a_server_that_drips_does_not_hold_us(there: Foreign, first: bytes, letter: bytes) -> None:
    there.says["/slow"] = slowly(first, letter, 0.1)
    with pytest.raises(LinkAway):
        got(there.url("/slow"), Limits(most_bytes=10_000, silent_s=0.6, whole_s=1.0))


def test_less_than_a_voice_is_too_slow(there: Foreign) -> None:
    there.says["/slow"] = slowly(answer(b"", length=9000), b"abc", 0.05)
    with pytest.raises(LinkAway, match="too slow"):
        got(there.url("/slow"), Limits(most_bytes=10_000, patience_s=0.2, silent_s=5.0))


@pytest.mark.parametrize(
    ("status", "kind"),
    [("404 Not Found", BadLink), ("503 Busy", LinkAway), ("204 None", BadLink), ("206 Part", BadLink)],
)
def test_other_answers_are_told(there: Foreign, status: str, kind: type[Exception]) -> None:
    there.says["/a"] = answer(b"", status)
    with pytest.raises(kind, match=status[:3]):
        got(there.url("/a"))


@pytest.mark.parametrize("said", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n"])
def test_what_is_no_answer_is_told(there: Foreign, said: bytes) -> None:
    there.says["/a"] = said
    with pytest.raises(LinkAway):
        got(there.url("/a"))


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(LinkAway):
        got(f"http://127.0.0.1:{port}/")


def test_a_full_disk_is_no_fault_of_the_server(there: Foreign) -> None:
    there.says["/a"] = answer(b"sound")

    class Full(io.BytesIO):
        def write(self, _data: Any) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        fetch(there.url("/a"), LIMITS, HERE, Full())


def test_a_certificate_of_nobody_is_not_believed(tmp_path: Path, tool: Callable[[str], str]) -> None:
    made = [
        tool("openssl"),
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
        "-subj",
        "/CN=x",
        "-out",
        "c",
        "-keyout",
        "k",
    ]
    subprocess.run(made, cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "c", tmp_path / "k")
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def shake() -> None:
            plain, _ = listening.accept()
            try:
                context.wrap_socket(plain, server_side=True).close()
            except OSError:
                plain.close()

        thread = threading.Thread(target=shake, daemon=True)
        thread.start()
        with pytest.raises(LinkAway, match="certificate"):
            got(f"https://127.0.0.1:{listening.getsockname()[1]}/")
        thread.join()
