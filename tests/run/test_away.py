"""A source that stops answering ends the run; single objects that do not come, and services of stages, do not."""

from __future__ import annotations

import pytest

from chasqui.errors import ServiceDown
from chasqui.records import Failure
from chasqui.run.away import MOST, Away, worth_another_try
from chasqui.run.chunk import Outcome, Task
from chasqui.run.sources import Source

TASK = Task(Source("a.wav", "a.wav", 1, "m"), ("a.wav",))
DOWN = Outcome(TASK, failure=Failure(error="ServiceDown", evidence={"url": "s3://b", "why": "x"}))
REFUSED = Outcome(TASK, failure=Failure(error="EmptyFile", evidence={"name": "a.wav"}))


def test_the_last_one_in_a_row_ends_it() -> None:
    away = Away("s3://b", workers=1)
    for _ in range(MOST - 1):
        away.note(DOWN)
    with pytest.raises(ServiceDown, match=f"s3://b.*{MOST} recordings in a row"):
        away.note(DOWN)


@pytest.mark.parametrize("between", [Outcome(TASK, "a" * 16), REFUSED])
def test_whatever_comes_between_begins_the_count_anew(between: Outcome) -> None:
    away = Away("s3://b", workers=1)
    for _ in range(3):
        for _ in range(MOST - 1):
            away.note(DOWN)
        away.note(between)


def test_one_gap_that_all_workers_meet_ends_nothing() -> None:
    away = Away("s3://b", workers=MOST + 3)
    for _ in range(MOST + 3):
        away.note(DOWN)
    with pytest.raises(ServiceDown):
        away.note(DOWN)


def test_a_service_that_a_stage_asks_for_is_another_one() -> None:
    away = Away("s3://b", workers=1)
    for _ in range(3 * MOST):
        away.note(Outcome(TASK, failure=DOWN.failure, failed_stage="transcribe"))


@pytest.mark.parametrize(
    ("reasons", "worth"),
    [([], False), (["EmptyFile", "NotMedia"], False), (["EmptyFile", "ServiceDown"], True), (["WorkerLost"], True)],
)
def test_what_may_pass_is_worth_another_try(reasons: list[str], worth: bool) -> None:
    assert worth_another_try(reasons) is worth
