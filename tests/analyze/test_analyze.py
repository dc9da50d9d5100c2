"""The stage as a runner calls it: a Master in, an Analysis and two blobs out."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from chasqui import analyze as room
from chasqui.analyze import blocks, stream
from chasqui.events import Event, Report
from chasqui.media.flac import FlacWriter
from chasqui.records import Analysis, Master, Segment
from chasqui.store.memory import MemoryStore

from .conftest import CINEMATIC, LIBRI, Load, silence

RECORDING = "0123456789abcdef"


def run(
    sound: np.ndarray, gain_db: float = 0.0, threads: int = 1
) -> tuple[Analysis, list[Segment], dict[str, np.ndarray], list[Event]]:
    store, events = MemoryStore(), []
    with store.workspace(RECORDING, "clean") as work:
        with FlacWriter(work.folder / "master.flac") as writer:
            writer.write(sound)
        audio = work.keep(work.folder / "master.flac", "audio/flac")
    master = Master(
        recording_id=RECORDING,
        audio=audio,
        rate_hz=48_000,
        samples=sound.size,
        duration_s=sound.size / 48_000,
        gain_db=gain_db,
        loudness_lufs=-19.0,
        true_peak_dbtp=-2.0,
        source_loudness_lufs=-19.0,
        snr_db=None,
        bandwidth_hz=8000.0,
        treatments=(),
    )
    with store.workspace(RECORDING, "analyze") as work:
        found = room.run(
            master, options=room.Options(threads=threads), work=work, report=Report("analyze", RECORDING, events.append)
        )
    lines = store.path(found.segments).read_text(encoding="utf-8").splitlines()
    with np.load(store.path(found.features), allow_pickle=False) as table:
        return found, [Segment.model_validate_json(line) for line in lines], dict(table), events


@pytest.fixture(scope="module")
def lesson(load: Load) -> np.ndarray:
    parts = [load(CINEMATIC)[: 48_000 * 6], silence(6), *(load(name) for name in LIBRI), silence(0.01)]
    return np.concatenate(parts)


def test_a_lesson(lesson: np.ndarray) -> None:
    found, segments, table, events = run(lesson)
    assert found.packets == -(-lesson.size // 2880)
    assert [segment.index for segment in segments] == list(range(found.segment_count))
    ends = [segment.end_packet for segment in segments]
    assert [segment.start_packet for segment in segments] == [0, *ends[:-1]]
    assert ends[-1] == found.packets
    assert all(67 <= segment.packets <= 250 for segment in segments)
    assert [segment.kind for segment in segments[:3]] == ["music", "silence", "speech"]
    assert found.speech_s + found.music_s + found.silence_s == pytest.approx(lesson.size / 48_000)
    assert table["packets"].tolist() == [segment.packets for segment in segments]
    seconds = [event.done for event in events if event.kind == "advanced"]
    assert seconds == sorted(seconds)
    assert seconds[-1] == pytest.approx(lesson.size / 48_000)


def test_the_same_master_gives_the_same_bytes(lesson: np.ndarray) -> None:
    first, second = run(lesson)[0], run(lesson)[0]
    assert first == second


@pytest.mark.parametrize("threads", [2, 5])
def test_more_threads_change_nothing(lesson: np.ndarray, threads: int) -> None:
    assert run(lesson, threads=threads)[0] == run(lesson)[0]


def test_threads_are_no_part_of_the_key() -> None:
    assert room.Options(threads=7).model_dump() == room.Options().model_dump()


def test_a_master_that_cannot_be_read_on_stops_the_threads() -> None:
    def broken() -> Iterator[np.ndarray]:
        for _ in range(4):
            yield np.zeros(blocks.SAMPLES, np.float32)
        raise OSError("the disk is gone")

    before = threading.active_count()
    with pytest.raises(OSError, match="the disk is gone"):
        stream.analyze(broken(), -19.0, threads=3)
    assert threading.active_count() == before


def test_gain_is_heard(lesson: np.ndarray) -> None:
    (_, _, plain, _), (_, _, louder, _) = run(lesson), run(lesson * 0.5, gain_db=6.0206)
    np.testing.assert_allclose(louder["values"][:, 1], plain["values"][:, 1], atol=0.3)


def test_a_second_is_enough(load: Load) -> None:
    found, (segment,), _, _ = run(load(LIBRI[0])[24_000:72_000])
    assert found.packets == segment.packets == 17
    assert segment.kind == "speech"


def test_memory_does_not_grow(load: Load) -> None:
    talk = np.resize(np.concatenate([load(name) for name in LIBRI]), blocks.SAMPLES)

    def peak(minutes: int) -> int:
        tracemalloc.start()
        stream.analyze((talk.copy() for _ in range(minutes * 5)), -19.0)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    short, long = peak(3), peak(12)
    assert long < 1.05 * short


def test_every_stage_option_is_checked() -> None:
    with pytest.raises(ValueError, match="Extra inputs"):
        room.Options.model_validate({"nonsense": 1})


def test_importing_the_room_costs_nothing() -> None:
    source = Path(room.__file__).read_text(encoding="utf-8")
    assert "\nimport numpy" not in source
    assert "\nimport scipy" not in source
