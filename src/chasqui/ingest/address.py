"""Where a link leads, decided before anything is sent there: only to public addresses, and never back to us.

A name is looked up once and the connection goes to an address that was checked: whoever asks a second time may be told
another one. Checked is what the operating system makes of the name, so `0177.0.0.1`, `2130706433` and
`::ffff:127.0.0.1` are what they are. Each redirect is a new link and is checked as one.

What is public: the special-purpose address registries of IANA (RFC 6890 and its updates), written out, because what
`ipaddress` calls global differs between versions of Python and holds multicast and the bridges from IPv6 to IPv4.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import quote, urlsplit

from chasqui.errors import BadConfig, ForbiddenAddress, LinkAway

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
#: The addresses of a name, as the operating system knows them.
Resolve = Callable[[str, int], Sequence[str]]

NOT_PUBLIC_4 = [
    IPv4Network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
        *("192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
        "224.0.0.0/3",  # many at once, reserved, everybody
    )
]
#: All that is given out lies in here; behind the rest are local, multicast, mapped and translated addresses.
GIVEN_OUT_6 = IPv6Network("2000::/3")
#: Protocols (with Teredo), documentation, 6to4: the last two and the first carry IPv4 addresses inside.
NOT_PUBLIC_6 = [IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")]
PORTS = {"http": 80, "https": 443}
#: Below this live mail, shells and name servers, which can be made to understand parts of a request.
FREE_PORTS = 1024
LONGEST, LONGEST_HOST = 2000, 253
#: Of one name. Who puts a thousand behind it, of which none answers, would have us try for hours.
MOST_ADDRESSES = 4
HOST_LETTERS = set("abcdefghijklmnopqrstuvwxyz0123456789.-_:")
#: What a path or query may hold as it is; percent signs are the writer's own.
KEPT = "/?:@!$&'()*+,;=-._~%"


@dataclass(frozen=True)
class Target:
    """A link that may be followed: connect to one of `addresses`, ask for `path` of `host`."""

    url: str
    scheme: str
    host: str
    port: int
    path: str  # with its query
    addresses: tuple[str, ...]

    @property
    def host_header(self) -> str:
        """As HTTP wants it: with the port where it is not the usual one, IPv6 in brackets."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == PORTS[self.scheme] else f"{name}:{self.port}"


def read_networks(text: str) -> tuple[Network, ...]:
    """Networks that an operator lets links lead to although they are private: `192.168.7.0/24, 127.0.0.1`.

    Raises:
        BadConfig
    """
    try:
        return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise BadConfig(why=f"private_networks: {error}") from error


def is_public(address: Address) -> bool:
    """Whether anybody on the internet may be reached there."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        return address in GIVEN_OUT_6 and not any(address in network for network in NOT_PUBLIC_6)
    return not any(address in network for network in NOT_PUBLIC_4)


def is_own(address: Address) -> bool:
    """Whether this machine itself answers there: what is sent to oneself leaves from the same address."""
    kind = socket.AF_INET6 if isinstance(address, IPv6Address) else socket.AF_INET
    with socket.socket(kind, socket.SOCK_DGRAM) as link:  # nothing is sent: it only says which way it would go
        try:
            link.connect((str(address), 9))
            return ip_address(link.getsockname()[0].partition("%")[0]) == address
        except OSError:
            return False


def system(host: str, port: int) -> Sequence[str]:
    """What the operating system knows.

    Raises:
        OSError, UnicodeError: it knows nothing.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def syntax(url: str) -> Target:
    """The link taken apart, with no address yet; nothing is looked up. Letters beyond ASCII become what browsers send.

    Raises:
        ForbiddenAddress: not http(s), with a name and password in it, no host, a port where no web server is.
    """
    try:
        if not url.isprintable() or "\\" in url or len(url) > LONGEST:
            raise ValueError("link")
        parts = urlsplit(url.strip())
        port, host = parts.port, (parts.hostname or "").rstrip(".")
        if not host.isascii():
            host = host.encode("idna").decode()
    except ValueError as error:
        raise ForbiddenAddress(url=shown(url), why="link") from error
    if parts.scheme not in PORTS or "@" in parts.netloc:
        raise ForbiddenAddress(url=shown(url), why="link")
    if not host or len(host) > LONGEST_HOST or set(host) - HOST_LETTERS:
        raise ForbiddenAddress(url=shown(url), why="host")
    port = PORTS[parts.scheme] if port is None else port
    if port not in PORTS.values() and port < FREE_PORTS:
        raise ForbiddenAddress(url=shown(url), why="port")
    path = quote(parts.path or "/", safe=KEPT) + (f"?{quote(parts.query, safe=KEPT)}" if parts.query else "")
    return Target(url.strip(), parts.scheme, host, port, path, ())


def check(
    url: str, allowed: Sequence[Network] = (), own_hosts: Sequence[str] = (), resolve: Resolve = system
) -> Target:
    """The link with the addresses that it may be fetched from. `own_hosts`: names under which we are known.

    Raises:
        ForbiddenAddress: it does not lead to a public address, or not only, or to ourselves.
        LinkAway: the name is not known.
    """
    target = syntax(url)
    ours = {host.lower().rstrip(".") for host in own_hosts if host}
    if target.host in ours:
        raise ForbiddenAddress(url=shown(url), why="own")
    found = _found(target.host, target.port, resolve)
    if not found:
        raise LinkAway(url=shown(url), why="its name is not known")
    known = {address for host in ours for address in _found(host, target.port, resolve)}
    for address in found:
        if any(address in network for network in allowed):
            continue
        if not is_public(address) or is_own(address) or address in known:
            raise ForbiddenAddress(url=shown(url), why="address")
    return replace(target, addresses=tuple(str(address) for address in found[:MOST_ADDRESSES]))


def _found(host: str, port: int, resolve: Resolve) -> list[Address]:
    try:
        found = [ip_address(text.partition("%")[0]) for text in resolve(host, port)]
    except (OSError, UnicodeError, ValueError):  # unknown, too long for a name, no address at all
        return []
    return [getattr(address, "ipv4_mapped", None) or address for address in found]


def shown(url: str) -> str:
    """A link as messages show it: no name and password, nothing that is no text, not too long."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in url)
    scheme, mark, rest = plain.partition("://")
    host, slash, path = rest.partition("/")
    return (scheme + mark + host.rpartition("@")[2] + slash + path)[:200]
