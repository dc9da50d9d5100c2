"""What receivers need comes along with the client, and with nothing else installed."""

from __future__ import annotations

import subprocess
import sys


def test_a_base_installation_verifies_webhooks() -> None:
    code = """
import sys
for name in ("sqlalchemy", "flask", "celery", "paho", "redis"):
    sys.modules[name] = None
import time
from chasqui.catalog.signatures import sign
from chasqui.client import verify_webhook
headers = sign("whsec_AAAA", "1", int(time.time()), b"{}")
assert verify_webhook("whsec_AAAA", headers, b"{}")
assert not verify_webhook("whsec_AAAB", headers, b"{}")
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
