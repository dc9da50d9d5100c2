"""Links: only to public addresses, never back to us, whatever they are written like."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chasqui.errors import BadConfig, ForbiddenAddress, LinkAway
from chasqui.ingest import address
from chasqui.ingest.address import NOT_PUBLIC_4, check, is_public, read_networks, shown, syntax

PUBLIC = "93.184.216.34"


def told(*addresses: str) -> address.Resolve:
    def resolve(_host: str, _port: int) -> Sequence[str]:
        return addresses

    return resolve


@pytest.mark.parametrize(
    "where",
    [
        *("127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.31.255.255", "192.168.1.1", "100.64.0.1"),
        *("169.254.169.254", "192.0.0.192", "198.18.0.1", "224.0.0.251", "240.0.0.1", "255.255.255.255"),
        *("::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "fec0::1", "2001:db8::1", "3fff::1"),
        *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1"),
        *("2002:7f00:1::", "2001:0:7f00:1::1", "100::1", "::ffff:0:7f00:1", "5f00::1"),
    ],
)
def test_what_is_not_public_is_not_fetched(where: str) -> None:
    assert not is_public(ip_address(where))
    with pytest.raises(ForbiddenAddress):
        check("http://x.example/a.mp3", resolve=told(where))
    with pytest.raises(ForbiddenAddress):  # one good address among bad ones helps nothing
        check("http://x.example/a.mp3", resolve=told(PUBLIC, where))
    literal = f"[{where}]" if ":" in where else where
    with pytest.raises(ForbiddenAddress):
        check(f"http://{literal}/a.mp3")


@pytest.mark.parametrize("where", [PUBLIC, "8.8.8.8", "1.1.1.1", "2606:4700::1111", "2a00:1450:4009::200e"])
def test_what_is_public_is(where: str) -> None:
    assert is_public(ip_address(where))
    assert check("http://x.example/a.mp3", resolve=told(where)).addresses == (where,)


@pytest.mark.parametrize(
    "url",
    [
        *("http://0177.0.0.1/", "http://2130706433/", "http://0x7f000001/", "http://0x7f.1/", "http://127.1/"),
        *("http://localhost/", "http://localhost./", "http://LOCALHOST/", "http://[::ffff:7f00:1]/", "http://[::]/"),
        *("http://0/", "http://①②⑦.0.0.1/", "http://[::1%25lo]/", "http://127.0.0.1:8000/", "http://169.254.169.254/"),
    ],
)
def test_other_ways_to_write_this_machine_lead_nowhere(url: str) -> None:
    with pytest.raises((ForbiddenAddress, LinkAway)):
        check(url)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "file:///etc/passwd",
            "ftp://x.example/a",
            "gopher://x.example/",
            "data:,a",
            "//x.example/a",
            "x.example/a",
            "",
        ),
        *("http://", "http:///a", "http://user:secret@x.example/", "http://x.example@127.0.0.1/", "http://@x.example/"),
        *("http://x.example:25/", "http://x.example:22/a", "http://x.example:99999/", "http://x.example:a/"),
        *("http://x.example/\r\nHost: y", "http://x.exa\tmple/", "http://x.example\\@y.example/", "http://[::1/"),
        *("http://%31%32%37.0.0.1/", "http://x y.example/", "http://x.example/" + "a" * 3000, "http://" + "a." * 200),
    ],
)
def test_links_that_are_none_are_refused_before_anything_is_looked_up(url: str) -> None:
    def never(_host: str, _port: int) -> Sequence[str]:
        raise AssertionError("it was looked up")

    with pytest.raises(ForbiddenAddress) as caught:
        check(url, resolve=never)
    assert "secret" not in str(caught.value)


def test_letters_beyond_ascii_become_what_browsers_send() -> None:
    target = syntax("https://niño.example:8443/año 1/clase%20a.mp3?q=ñ&r=a b")
    assert (target.host, target.port) == ("xn--nio-8ma.example", 8443)
    assert target.path == "/a%C3%B1o%201/clase%20a.mp3?q=%C3%B1&r=a%20b"
    assert target.host_header == "xn--nio-8ma.example:8443"
    assert syntax("http://x.example").path == "/"
    assert syntax("http://[2606:4700::1111]/").host_header == "[2606:4700::1111]"


def test_we_are_not_fetched_from_by_name_nor_by_the_address_behind_it() -> None:
    names = {"chasqui.example": [PUBLIC], "innocent.example": [PUBLIC], "other.example": ["8.8.8.8"]}

    def resolve(host: str, _port: int) -> Sequence[str]:
        return names[host]

    for host in ("chasqui.example", "CHASQUI.example.", "innocent.example"):
        with pytest.raises(ForbiddenAddress):
            check(f"http://{host}/", own_hosts=["Chasqui.example"], resolve=resolve)
    assert check("http://other.example/", own_hosts=["chasqui.example"], resolve=resolve).host == "other.example"


def test_an_address_of_this_machine_is_ours_even_where_it_is_public(monkeypatch: pytest.MonkeyPatch) -> None:
    assert address.is_own(ip_address("127.0.0.1"))
    assert not address.is_own(ip_address("192.0.2.1"))
    monkeypatch.setattr(address, "is_public", lambda _: True)
    with pytest.raises(ForbiddenAddress):
        check("http://x.example/", resolve=told("127.0.0.1"))


def test_an_operator_may_let_some_networks_in() -> None:
    allowed = read_networks(" 127.0.0.1, 192.168.7.0/24 ")
    assert check("http://x.example:8000/", allowed, resolve=told("192.168.7.9", "127.0.0.1")).port == 8000
    with pytest.raises(ForbiddenAddress):
        check("http://x.example/", allowed, resolve=told("192.168.8.1"))
    assert read_networks("") == ()
    with pytest.raises(BadConfig):
        read_networks("192.168.7.1/24")


def test_a_name_that_nobody_knows_is_said() -> None:
    with pytest.raises(LinkAway):
        check("http://x.example/", resolve=told())

    def broken(_host: str, _port: int) -> Sequence[str]:
        raise OSError

    with pytest.raises(LinkAway):
        check("http://x.example/", resolve=broken)


@given(st.ip_addresses(v=4))
def test_an_address_in_another_coat_is_judged_like_itself(plain: IPv4Address) -> None:
    mapped = IPv6Address(b"\0" * 10 + b"\xff\xff" + plain.packed)
    assert is_public(plain) == is_public(mapped) == (not any(plain in network for network in NOT_PUBLIC_4))
    for prefix in (b"\0" * 12, bytes.fromhex("0064ff9b") + b"\0" * 8):  # compatible, NAT64: we never go that way
        assert not is_public(IPv6Address(prefix + plain.packed))
    assert not is_public(IPv6Address(b"\x20\x02" + plain.packed + b"\0" * 10))


@given(st.ip_addresses())
def test_nothing_that_python_calls_private_is_public(any_address: IPv4Address | IPv6Address) -> None:
    if any_address.is_private or any_address.is_multicast or any_address.is_loopback or any_address.is_link_local:
        assert not is_public(any_address)


@given(st.text(max_size=60) | st.text(max_size=30).map(lambda text: f"http://{text}"))
def test_any_text_is_a_link_or_is_refused(text: str) -> None:
    try:
        target = syntax(text)
    except ForbiddenAddress:
        return
    assert target.scheme in ("http", "https")
    assert target.host.isascii()
    assert target.path.isascii()
    assert target.path.isprintable()
    assert " " not in target.path


def test_messages_show_no_passwords() -> None:
    assert shown("http://a:b@x.example/c?d@e\n") == "http://x.example/c?d@e?"
