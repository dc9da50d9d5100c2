"""Freed memory back to the system. glibc keeps it in pieces between threads, and over ten hours the pieces add up."""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any

#: Segments between two calls: about half an hour of sound; a call takes milliseconds.
EVERY = 200


def give_back() -> None:
    """Let the C library return what it holds free. Does nothing where it is not glibc; changes no result."""
    if trim := _trim():
        trim(0)


@cache
def _trim() -> Any:
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
