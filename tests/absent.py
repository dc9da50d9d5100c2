"""What to do where a part that a test needs is absent."""

from __future__ import annotations

import os

import pytest


def missing(what: str) -> None:
    """Skip on a user's machine, fail in CI: a part that CI lacks is a defect of CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing, and in CI nothing may be skipped")
    pytest.skip(f"{what} is missing here")
