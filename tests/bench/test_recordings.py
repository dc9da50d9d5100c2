"""What is measured: a fixed list, and recordings made of it that are as long as asked."""

from pathlib import Path

import av
import pytest

from bench.recordings import QUICK_MUSIC, lecture, stretched, takes


def test_the_list_is_fixed_and_holds_each_take_once(media: Path) -> None:
    found = takes(media)
    assert found == takes(media)
    assert len({(take.path, take.kind) for take in found}) == len(found)
    assert sum(take.kind == "music" for take in found) == 12
    assert set(takes(media, quick=True)) < set(found)
    assert sum(take.kind == "music" for take in takes(media, quick=True)) == QUICK_MUSIC


def test_any_folder_is_taken_whole(media: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not media")
    source = media / "speech" / "leopard" / "test.wav"
    (tmp_path / "class.wav").write_bytes(source.read_bytes())
    assert [(take.path.name, take.kind) for take in takes(tmp_path)] == [("class.wav", "speech")]


@pytest.mark.parametrize("noise", [False, True])
def test_a_lecture_is_as_long_as_asked_and_can_be_stretched(noise: bool, media: Path, tmp_path: Path) -> None:
    block = lecture(media, 0.2, tmp_path / "block.flac", noise)
    assert seconds(block) == pytest.approx(12, abs=0.01)
    assert seconds(stretched(block, 0.02, tmp_path / "long.ogg")) == pytest.approx(72, abs=0.1)


def seconds(path: Path) -> float:
    with av.open(str(path)) as container:
        return sum(frame.samples for frame in container.decode(audio=0)) / 48_000
