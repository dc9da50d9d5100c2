"""Without Celery there is nothing to test here."""

from __future__ import annotations

import importlib.util
import os

collect_ignore = (
    ["test_transport.py"] if not importlib.util.find_spec("celery") and os.environ.get("CI") != "true" else []
)
