"""Captions: what is said, in pieces that can be read while it is heard. WebVTT, SRT, Podcasting 2.0 JSON, plain text.

| file | what |
|---|---|
| `cues.py` | words with times → cues within the usual limits |
| `limits.py` | those limits, and which of them captions break |
| `lines.py` | one text in at most two lines that end where one would breathe |
| `write.py` | cues → a file of each format |
| `forms.py` | words → all four at once |
| `read.py` | a file that somebody made → cues, put right, and what had to be |

A leaf: it knows nothing of recordings, recognisers or stages.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True)
class Cue:
    """One caption: its lines stand on the screen from start to end, in seconds of the recording."""

    start_s: float
    end_s: float
    lines: tuple[str, ...]
    speaker: str | None = None

    @property
    def text(self) -> str:
        """The lines as one."""
        return " ".join(self.lines)

    @property
    def seconds(self) -> float:
        return self.end_s - self.start_s


def cleaned(text: str) -> str:
    """Text of one line, as every format can hold it: no control characters, single spaces, none at the ends."""
    kept = (" " if unicodedata.category(letter) in ("Cc", "Zl", "Zp", "Cs") else letter for letter in text)
    return re.sub(r"\s+", " ", "".join(kept)).strip()
