"""The seeded list of voices: the same for everybody, Spanish first, speakers only once."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from bench.voices import LONGEST_S, READERS, chosen, until_interrupted


def test_the_list_is_the_same_for_everybody(media: Path) -> None:
    assert chosen(media, 24) == chosen(media, 24)
    assert chosen(media, 24, seed=1) != chosen(media, 24)


def test_the_list_is_what_it_promises(media: Path) -> None:
    found = chosen(media, 42)
    assert len(found) == len({take for take, _ in found}) == 42
    assert all(4 <= take.seconds <= LONGEST_S for take, _ in found)
    clean = [language for take, language in found if take.kind == "speech"]
    assert len(clean) == 35
    assert clean.count("es") >= 5
    assert len(set(clean)) >= 8
    assert clean.count(READERS) == 18
    assert all(take.noise is not None for take, _ in found if take.kind == "noisy")


def test_a_folder_without_a_table_is_taken_as_it_is(tmp_path: Path) -> None:
    assert chosen(tmp_path, 5) == []


def test_what_is_in_hand_is_finished_when_somebody_interrupts() -> None:
    before, done = signal.getsignal(signal.SIGINT), []
    for number in until_interrupted(range(10)):
        if number == 3:
            os.kill(os.getpid(), signal.SIGINT)
        done.append(number)
    assert done == [0, 1, 2, 3]
    assert signal.getsignal(signal.SIGINT) is before
    assert list(until_interrupted("abc")) == ["a", "b", "c"]
