"""Without the extra `serve` there is little to test here."""

from __future__ import annotations

import importlib.util
import os

NEED = ["test_transport.py", "test_work.py", "test_post.py"]
ABSENT = importlib.util.find_spec("celery") is None
collect_ignore = NEED if ABSENT and os.environ.get("CI") != "true" else []
