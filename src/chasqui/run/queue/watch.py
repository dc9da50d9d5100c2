"""Who fell silent. Clocks on walls do not tell: those of two machines differ, and that of a laptop jumps by hours when
it finds the network. What counts is whether the sign of life is another one than at the look before.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from chasqui.catalog.jobs import SILENT_S, Sign


class Watch:
    """Looks again and again; a job whose sign stays the same for `silent_s` has nobody any more.

    Between two looks at most half of that is counted: while the database was away, or this machine slept, nobody could
    be heard.
    """

    def __init__(self, silent_s: float = SILENT_S) -> None:
        self._silent_s, self._looked_s = silent_s, time.monotonic()
        self._since: dict[str, tuple[Sign, float]] = {}

    def silent(self, signs: Mapping[str, Sign]) -> dict[str, Sign]:
        """Those that fell silent. `signs` are those of all jobs that run now."""
        now = time.monotonic()
        gone_s = min(now - self._looked_s, self._silent_s / 2)
        self._looked_s = now
        self._since = {job: (sign, self._silence(job, sign, gone_s)) for job, sign in signs.items()}
        return {job: sign for job, (sign, silence_s) in self._since.items() if silence_s > self._silent_s}

    def _silence(self, job: str, sign: Sign, gone_s: float) -> float:
        before, silence_s = self._since.get(job, (None, 0.0))
        return silence_s + gone_s if before == sign else 0.0
