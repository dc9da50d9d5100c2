"""Keys as local paths: inside the folder, one each, and short enough for any file system."""

from __future__ import annotations

import unicodedata
from itertools import pairwise
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chasqui.ingest.places import MOST_PATH, local_path

ODD = (
    "..",
    "../../etc/passwd",
    "/etc/passwd",
    "a//b",
    "a/./b",
    "a/../b",
    "C:\\clase.mp3",
    "con",
    "nul.txt",
    "clase.",
    "clase .mp3",
    " ",
    "%2e%2e/clase.mp3",
    "clase\n.mp3",
    "clase\x00.mp3",
    "\x1b[31m.mp3",
    "🎧.mp3",
    "Año.mp3",
    "An\u0303o.mp3",
    "AÑO.MP3",
    "año.mp3",
    "a",
    "a/b",
    "a.mp3",
    "a.mp3/b.mp3",
    "A.mp3",
    "x" * 1024,
    "x/" * 511 + "y.mp3",
    "é" * 500 + ".mp3",
    "-rf",
    "~",
    ".fetching/x.part",
)

keys = st.text(min_size=1, max_size=60) | st.text("aA.b/\\~ %..é", min_size=1, max_size=20) | st.sampled_from(ODD)


def same_place(path: PurePosixPath) -> str:
    """What a file system that does not tell letters apart would make of a path."""
    return unicodedata.normalize("NFC", str(path)).casefold()


@given(keys)
def test_every_key_has_one_place_inside_the_folder(key: str) -> None:
    path = local_path(key)
    assert path == local_path(key)
    assert not path.is_absolute() and path.parts
    assert not PureWindowsPath(path).is_absolute() and not PureWindowsPath(path).is_reserved()
    assert len(str(path)) <= MOST_PATH + 200
    for step in path.parts:
        assert step not in ("", ".", "..") and not step.startswith((".", "-")) and len(step) < 160
        assert step.isascii() and step.isprintable() and not set(step) & set('\\/:*?"<>| %')
        assert not step.endswith((".", " "))


@given(st.lists(keys, unique=True, min_size=2, max_size=8))
@example(list(ODD))
def test_no_two_keys_share_a_place_or_stand_in_each_others_way(some: list[str]) -> None:
    places = [same_place(local_path(key)) for key in some]
    assert len(set(places)) == len(places)
    folders = {str(parent) for place in places for parent in PurePosixPath(place).parents}
    assert folders.isdisjoint(places)


@pytest.mark.parametrize("key", ODD)
def test_a_file_can_be_written_there(tmp_path: Path, key: str) -> None:
    place = tmp_path / local_path(key)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(key.encode())
    assert tmp_path in place.resolve().parents


def test_plain_keys_stay_as_they_are_and_others_stay_readable() -> None:
    assert str(local_path("clases/2026/clase-01.mp3")) == "clases/2026/clase-01.mp3"
    assert local_path("Clase de Física.MP3").name.startswith("Clase_de_Fisica~")
    assert local_path("Clase de Física.MP3").suffix == ".mp3"


def test_nearly_the_same_names_differ() -> None:
    near = [local_path(key).name for key in ("año.mp3", "an\u0303o.mp3", "ano.mp3", "Ano.mp3", "ano.MP3")]
    assert all(one != other for one, other in pairwise(sorted(name.casefold() for name in near)))
