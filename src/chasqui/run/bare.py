"""Addresses as they may be shown: without names, passwords, and whatever else stands behind a question mark."""

from __future__ import annotations

from urllib.parse import urlsplit

#: What stands before an @ in these belongs to a path.
NO_NAMES = ("s3", "sqlite", "file")


def bare(url: str) -> str:
    """Scheme, server, port and path of a URL, or of each of several; of one that is doubtful, the scheme alone."""
    if ";" in url:  # brokers of a cluster
        return ";".join(bare(one) for one in url.split(";") if one)
    scheme, mark, rest = url.partition("://")
    if not mark:  # `memory:`, `file:/srv/store`, a folder
        return url.partition("?")[0]
    if rest.startswith("/") or scheme in NO_NAMES:
        return f"{scheme}://{rest.partition('?')[0]}"
    if 0 <= rest.find("?") < rest.rfind("@"):  # a password that should have been quoted, or one in the query
        return f"{scheme}://"
    try:
        parts = urlsplit(f"x://{rest.rpartition('@')[2]}")
        server = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return f"{scheme}://"
    return f"{scheme}://{server}{port}{parts.path}"
