"""MP4 boxes: sound kept elsewhere, no table of contents, locked; and hostile sizes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sounds import babble, write

from chasqui.errors import Damaged, IsReference
from chasqui.ingest.quicktime import atoms
from chasqui.records import Recording


def box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def test_an_ordinary_file(tmp_path: Path) -> None:
    found = atoms(write(tmp_path / "x.m4a", babble(2)))
    assert found == (True, False, False)


def test_sound_in_another_file_is_a_reference(tmp_path: Path, take_in: Callable[..., Recording]) -> None:
    path = write(tmp_path / "x.m4a", babble(2))
    data = path.read_bytes()
    here = box(b"url ", b"\x00\x00\x00\x01")
    assert here in data
    there = data.replace(here, box(b"url ", b"\x00\x00\x00\x00"))
    path.write_bytes(there)
    assert atoms(path).external
    with pytest.raises(IsReference):
        take_in(path)


def test_a_reference_movie(tmp_path: Path, take_in: Callable[..., Recording]) -> None:
    path = tmp_path / "x.mov"
    path.write_bytes(
        box(b"moov", box(b"rmra", box(b"rmda", box(b"rdrf", bytes(4), b"url ", b"http://127.0.0.1/x.mov"))))
    )
    with pytest.raises(IsReference):
        take_in(path)


def test_a_phone_that_died_while_recording(tmp_path: Path, take_in: Callable[..., Recording]) -> None:
    path = write(tmp_path / "x.m4a", babble(5))
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"moov") - 4])
    with pytest.raises(Damaged, match="table of contents"):
        take_in(path)


@settings(deadline=None)  # other work on the machine is no failure
@given(
    st.lists(
        st.tuples(
            st.integers(0, 2**32 - 1), st.sampled_from([b"moov", b"trak", b"dref", b"free"]), st.binary(max_size=30)
        )
    )
)
def test_any_sizes_end(tmp_path_factory: pytest.TempPathFactory, boxes: list[tuple[int, bytes, bytes]]) -> None:
    path = tmp_path_factory.mktemp("boxes") / "x.mp4"
    path.write_bytes(b"".join(size.to_bytes(4, "big") + kind + body for size, kind, body in boxes))
    atoms(path)
