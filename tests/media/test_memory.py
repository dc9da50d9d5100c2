"""Memory given back: it can be called anywhere, any number of times."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import pytest

from chasqui.media.memory import give_back


def resident_kb() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() // 1024


def test_can_be_called_at_any_time() -> None:
    give_back()
    give_back()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only glibc has it")
def test_what_was_freed_is_no_longer_resident() -> None:
    pieces = [bytes(60_000) for _ in range(2000)]  # too small to be mapped apart: they come from the heap
    keep = pieces[::50]
    full = resident_kb()
    del pieces
    give_back()
    assert full - resident_kb() > 60_000
    assert len(keep) == 40
