"""What those who attack the service have in common: an account, a connection, a request written by hand."""

from __future__ import annotations

import socket
from typing import Any

from chasqui.catalog import accounts

PASSWORD = "la llama come ichu"
TUS = {"Tus-Resumable": "1.0.0"}
PIECE = {**TUS, "Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}


def member(house: Any, email: str = "rosa@example.pe", role: str = "teacher") -> str:
    """Somebody with a password; their id."""
    link = accounts.invite(house.catalog, house.schools["ours"], role)
    return accounts.accept(house.catalog, link, "Rosa", email, PASSWORD).person_id


def sign_in(client: Any, password: str = PASSWORD, email: str = "rosa@example.pe", **rest: Any) -> Any:
    return client.post("/api/v1/sessions", json={"email": email, "password": password}, **rest)


def serving(house: Any, **settings: Any) -> Any:
    """The same house under other settings."""
    from chasqui.web.app import make_app

    return make_app(house.service.model_copy(update=settings), house.catalog, house.stores)


def told(link: socket.socket) -> bytes:
    """All that is answered, until the other side ends it."""
    said = b""
    try:
        while more := link.recv(65536):
            said += more
    except OSError:
        return said
    return said


def request(house: Any, method: str, path: str, *headers: str) -> bytes:
    token = house.tokens["ours", "teacher"]
    lines = [
        f"{method} /api/v1/{path} HTTP/1.1",
        "Host: x",
        "Connection: close",
        f"Authorization: Bearer {token}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def upload(house: Any, size: int) -> str:
    begun = house.client()("POST", "uploads", headers={**TUS, "Upload-Length": str(size)})
    return str(begun.headers["Location"].rpartition("/")[2])


def piece(house: Any, upload_id: str, *lengths: str) -> bytes:
    kind = "Content-Type: application/offset+octet-stream"
    return request(house, "PATCH", f"uploads/{upload_id}", kind, "Tus-Resumable: 1.0.0", "Upload-Offset: 0", *lengths)


def kept(house: Any, upload_id: str) -> int:
    path = house.service.incoming / f"{upload_id}.part"
    return path.stat().st_size if path.exists() else 0
