"""How schemathesis writes the bodies of tus (loaded by name: `SCHEMATHESIS_HOOKS=tus_body`)."""

from __future__ import annotations

from typing import Any

import schemathesis


@schemathesis.serializer("application/offset+octet-stream")
def piece(_ctx: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
