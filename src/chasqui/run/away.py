"""A source that does not answer any more: when a run stops waiting for it, and what it leaves for the next one."""

from __future__ import annotations

from collections.abc import Iterable

from chasqui.errors import ServiceDown
from chasqui.records import Failure
from chasqui.run.chunk import Outcome

#: Objects in a row that may not come from a bucket before the run ends: one may be bad luck, and each was tried several
#: times.
MOST = 5


class Away:
    """Counts objects that did not come. One is its own row; so many in a row are a source that is away, and each
    further one would cost the time of all its attempts.
    """

    def __init__(self, url: str, workers: int) -> None:
        self._url = url
        # More than there are workers, so that one short gap, met by all of them, ends nothing.
        self._most = max(MOST, workers + 1)
        self._met = 0

    def note(self, outcome: Outcome) -> None:
        """Raises:
        ServiceDown: that was the last one that we wait for.
        """
        failure = outcome.failure
        # A service that a stage asks for is another one: rows are made without it.
        missed = failure is not None and failure.error == ServiceDown.__name__ and outcome.failed_stage is None
        self._met = self._met + 1 if missed else 0
        if self._met >= self._most:
            why = f"{self._met} recordings in a row could not be fetched; the next run begins with those that are left"
            raise ServiceDown(url=self._url, why=why)


def worth_another_try(reasons: Iterable[str]) -> bool:
    """Whether any of these errors may pass: then the parts of objects that came already are worth keeping."""
    return any(Failure(error=error).as_error().action == "retry" for error in reasons)
