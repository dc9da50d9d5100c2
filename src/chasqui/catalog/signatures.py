"""How webhooks prove who sent them: the scheme of standardwebhooks.com, for which libraries exist in most languages.

    webhook-id: 0193…                   the same when a letter comes again
    webhook-timestamp: 1767225600       when it was sent
    webhook-signature: v1,BASE64        HMAC-SHA256 of `ID.TIMESTAMP.BODY`; there may be several

Without dependencies, because receivers use it as well.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import time
from collections.abc import Mapping

PREFIX = "whsec_"
#: Older ones may have been overheard and sent again by somebody else.
TOLERANCE_S = 300


def new_secret() -> str:
    """256 random bits, as the libraries for receivers read them."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def sign(secret: str, name: str, at_s: int, body: bytes) -> dict[str, str]:
    """The headers that prove a body. `name`: the letter's id."""
    signed = b".".join((name.encode(), str(at_s).encode(), body))
    signature = base64.b64encode(hmac.digest(_key(secret), signed, "sha256")).decode()
    return {"webhook-id": name, "webhook-timestamp": str(at_s), "webhook-signature": f"v1,{signature}"}


def verify(secret: str, headers: Mapping[str, str], body: bytes, now_s: float | None = None) -> bool:
    """Whether this body was sent by whoever knows the secret, in the last minutes.

    `headers`: in any spelling. `body`: the bytes as they arrived, before anything reads them as JSON.
    """
    named = {name.lower(): value for name, value in headers.items()}
    stamp = named.get("webhook-timestamp", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 16):
        return False
    if abs((time.time() if now_s is None else now_s) - int(stamp)) > TOLERANCE_S:
        return False
    expected = sign(secret, named.get("webhook-id", ""), int(stamp), body)["webhook-signature"]
    given = named.get("webhook-signature", "").split()
    return any(hmac.compare_digest(one.encode(), expected.encode()) for one in given)


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("a webhook's secret begins with whsec_ and is BASE64 behind it") from error
