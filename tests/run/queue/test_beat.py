"""The beat stops a stage once, in the middle, but never in the middle of an import."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from chasqui.errors import CatalogAway
from chasqui.events import Event
from chasqui.run.queue import beat
from chasqui.run.queue.beat import Beat, Ending, Stop


class Hands:
    """Nobody wants the work after so many beats; the catalog may be away."""

    def __init__(self, wanted: int = 99, away: bool = False) -> None:
        self.wanted, self.away, self.heard = wanted, away, list[float]()

    def beat(self, done: float) -> bool:
        self.heard.append(done)
        if self.away:
            raise CatalogAway(why="restarted")
        return len(self.heard) <= self.wanted

    def let_go(self, why: str) -> None:
        raise AssertionError(why)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beat, "BEAT_S", 0.05)
    monkeypatch.setattr(beat, "LOOK_S", 0.02)
    monkeypatch.setattr(beat, "GRACE_S", 60.0)


def long(seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.01)


def test_what_nobody_wants_is_stopped() -> None:
    it = Beat(Hands(wanted=2), None, Ending())
    with pytest.raises(Stop), it.beating():
        long()
    assert it.why == "unwanted"


def test_a_database_that_is_away_stops_nothing() -> None:
    hands = Hands(away=True)
    with Beat(hands, None, Ending()).beating():
        long(0.4)
    assert hands.heard


def test_an_end_is_heard_and_a_slice_runs_out() -> None:
    ending = Ending()
    ending.tell()
    for it, why in (
        (Beat(Hands(), None, ending), "ending"),
        (Beat(Hands(), time.monotonic() + 0.1, Ending()), "slice"),
    ):
        with pytest.raises(Stop), it.beating():
            long()
        assert it.why == why


def test_who_says_nothing_for_long_is_stopped_and_who_says_something_is_not() -> None:
    it = Beat(Hands(), None, Ending(), stuck_s=0.3)
    with pytest.raises(Stop), it.beating():
        long()
    assert it.why == "stuck"
    it = Beat(Hands(), None, Ending(), stuck_s=0.3)
    with it.beating():
        for _ in range(10):
            long(0.1)
            it.hear(Event(kind="advanced", stage="clean", recording_id="0" * 16, done=1.0, total=4.0))
    assert it.why == ""


def test_what_cleans_up_is_not_stopped_too() -> None:
    ending, cleaned = Ending(), []
    ending.tell()
    with pytest.raises(Stop), Beat(Hands(), None, ending).beating():
        try:
            long()
        finally:
            long(0.3)
            cleaned.append(True)
    assert cleaned


def test_an_import_is_never_left_in_the_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import time\nfor _ in range(30):\n    time.sleep(0.01)\nwhole = True\n"
    (tmp_path / "slowly_imported.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    ending, got = Ending(), []
    ending.tell()
    with pytest.raises(Stop), Beat(Hands(), None, ending).beating():
        import slowly_imported

        got.append(slowly_imported.whole)
        long()
    assert got == [True]
    sys.modules.pop("slowly_imported")


def test_how_far_it_is_goes_along() -> None:
    hands = Hands()
    it = Beat(hands, None, Ending())
    it.hear(Event(kind="advanced", stage="clean", recording_id="0" * 16, done=3.0, total=4.0))
    with it.beating():
        long(0.3)
    assert set(hands.heard) == {0.75}
