"""What was seen before: which recording the bytes at a place were when they had this size and this version.

A second run over the same bucket or folder asks here instead of reading everything again.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from chasqui.store.cache import Cache
from chasqui.store.guard import disk


class Known:
    """One SQLite file, shared by any number of processes. What is lost of it costs time and nothing else."""

    def __init__(self, path: Path) -> None:
        with disk(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._opened = (os.getpid(), Cache(path))

    def recall(self, place: str, size: int, version: str) -> str | None:
        """The id of the recording at `place`, if `size` (bytes) and `version` (ETag, time of change) are the same."""
        value = self._cache.recall(place)
        known = json.loads(value) if value else []
        return str(known[2]) if known[:2] == [size, version] else None

    def remember(self, place: str, size: int, version: str, recording_id: str) -> None:
        """Keep that, in place of what was known of this place before."""
        self._cache.remember(place, json.dumps([size, version, recording_id]).encode())

    def close(self) -> None:
        """Close the file; the next question opens it again."""
        self._cache.close()

    @property
    def _cache(self) -> Cache:
        """Opened by this very process: SQLite does not survive a fork."""
        if self._opened[0] != os.getpid():
            self._opened = (os.getpid(), Cache(self.path))
        return self._opened[1]
