"""Without the packages there is nothing to test here."""

from __future__ import annotations

import importlib.util
import os

ABSENT = [name for name in ("redis", "cachetools") if not importlib.util.find_spec(name)]
collect_ignore_glob = ["test_*.py"] if ABSENT and os.environ.get("CI") != "true" else []
