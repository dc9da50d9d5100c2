"""RTTM, the NIST format of who speaks when: "Rich Transcription Time Marked", RT-09 evaluation plan, appendix A."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from chasqui.errors import BadCaptions
from chasqui.records import Turn

MEDIA_TYPE = "text/plain; charset=utf-8"
_FIELDS = 9  # the tenth, of 2009, may be missing
#: Types of lines that RTTM has; only SPEAKER says who speaks.
_OTHERS = {
    *("SEGMENT", "NOSCORE", "NO_RT_METADATA", "LEXEME", "NON-LEX", "NON-SPEECH"),
    *("FILLER", "EDIT", "SU", "IP", "CB", "A/P", "SPKR-INFO"),
}


def rttm(turns: Iterable[Turn], name: str) -> str:
    """One SPEAKER line per turn, in order. `name` stands for the recording; what is no letter or digit becomes `_`."""
    file = re.sub(r"\W", "_", name) or "_"
    times = ((turn, f"{turn.start_s:.3f} {turn.end_s - turn.start_s:.3f}") for turn in turns)
    return "".join(f"SPEAKER {file} 1 {time} <NA> <NA> speaker{turn.speaker} <NA> <NA>\n" for turn, time in times)


def read_rttm(text: str, name: str = "RTTM") -> dict[str, list[Turn]]:
    """The turns of each recording that a file tells of, in order of their beginnings; lines that are twice count once.

    Raises:
        BadCaptions: a line that is not RTTM.
    """
    found: dict[str, set[tuple[float, float, str]]] = {}
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1):
        fields = line.split()
        if not fields or line.startswith(";;"):
            continue
        if fields[0] in _OTHERS:
            continue
        if fields[0] != "SPEAKER" or len(fields) < _FIELDS:
            raise BadCaptions(name=name, why=f"line {number} is not RTTM")
        start_s, seconds = (_seconds(field) for field in fields[3:5])
        if start_s is None or seconds is None:
            raise BadCaptions(name=name, why=f"line {number} has no times")
        found.setdefault(fields[1], set()).add((start_s, round(start_s + seconds, 6), fields[7]))
    return {
        file: [Turn(start_s=start_s, end_s=end_s, speaker=speaker) for start_s, end_s, speaker in sorted(turns)]
        for file, turns in found.items()
    }


def _seconds(field: str) -> float | None:
    try:
        value = float(field)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None
