"""What a source holds: odd names, texts beside recordings, tables, links, and folders that let nobody in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chasqui.errors import Unreadable
from chasqui.run.sources import MOST_TEXT_BYTES, FolderSources, Source, open_sources, pair, valid

ODD = (
    "ñandú ¿qué?.ogg",
    "line\nbreak.wav",
    "a'b\"c;$(x)`.mp3",
    "-rf",
    "smile 😀.flac",
    "%2e%2e.wav",
    "tab\t.wav",
    "#1 &.wav",
)


def made(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    return root


def walked(root: Path, prefix: str = "", leave_out: tuple[str, ...] = ()) -> list[Source]:
    return list(open_sources(str(root), "", prefix, leave_out).walk())


def test_names_with_every_odd_character_are_places_as_they_are(tmp_path: Path) -> None:
    found = walked(made(tmp_path, *ODD))
    assert {source.name for source in found} == set(ODD)
    assert all(Path(source.where).read_bytes() == b"x" for source in found)


def test_a_name_that_is_not_text_is_shown_by_its_bytes(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/clase\xff.wav")).write_bytes(b"x")
    (found,) = walked(tmp_path)
    assert found.name == "clase\\xff.wav"
    assert valid(found.name) == found.name


def test_places_come_folder_by_folder_hidden_ones_and_our_own_left_out(tmp_path: Path) -> None:
    made(tmp_path, "b.wav", "a/2.wav", "a/1.wav", ".hidden.wav", ".git/x.wav", "out/data/x.wav", "c/d/e.wav")
    names = [source.name for source in walked(tmp_path, leave_out=(str(tmp_path / "out"),))]
    assert names == ["b.wav", "a/1.wav", "a/2.wav", "c/d/e.wav"]


def test_a_prefix_is_what_places_begin_with(tmp_path: Path) -> None:
    made(tmp_path, "a/1.wav", "a/b/2.wav", "ab/3.wav", "c/4.wav", "a.wav")
    assert [source.name for source in walked(tmp_path, "a/")] == ["a/1.wav", "a/b/2.wav"]
    assert [source.name for source in walked(tmp_path, "a/b/2")] == ["a/b/2.wav"]
    assert {source.name for source in walked(tmp_path, "a")} == {"a.wav", "a/1.wav", "a/b/2.wav", "ab/3.wav"}


def test_links_to_files_are_places_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    made(tmp_path / "in", "a.wav", "deep/b.wav")
    (tmp_path / "in" / "link.wav").symlink_to("a.wav")
    (tmp_path / "in" / "hard.wav").hardlink_to(tmp_path / "in" / "a.wav")
    (tmp_path / "in" / "circle").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "nowhere.wav").symlink_to("gone.wav")
    found = {source.name: source for source in walked(tmp_path / "in")}
    assert set(found) == {"a.wav", "link.wav", "hard.wav", "nowhere.wav", "deep/b.wav"}
    assert found["a.wav"].mark == found["link.wav"].mark == found["hard.wav"].mark != found["deep/b.wav"].mark
    assert found["nowhere.wav"].error == "no such file or directory"


def test_a_text_beside_a_recording_belongs_to_it(tmp_path: Path) -> None:
    made(tmp_path, "a.ogg", "b.mp3", "b.TXT", "sub/a.txt")
    (tmp_path / "a.txt").write_text("\ufeff  Buenos días.\n", encoding="utf-8")
    sources = FolderSources(str(tmp_path))
    found = {source.name: source for source in sources.walk()}
    assert set(found) == {"a.ogg", "b.mp3", "sub/a.txt"}  # the last has no recording: it will be refused as text
    assert sources.text(found["a.ogg"]) == "Buenos días."
    assert found["b.mp3"].text == str(tmp_path / "b.TXT")
    before = found["a.ogg"].mark
    (tmp_path / "a.txt").write_text("Buenas tardes.")
    assert next(source for source in sources.walk() if source.name == "a.ogg").mark != before


@pytest.mark.parametrize(
    ("data", "why"), [(b"\x00\x01\x02\xff" * 8, "is no text"), (b"a" * (MOST_TEXT_BYTES + 1), "may have 4 MB")]
)
def test_a_text_that_is_none_is_said(tmp_path: Path, data: bytes, why: str) -> None:
    made(tmp_path, "a.ogg")
    (tmp_path / "a.txt").write_bytes(data)
    sources = FolderSources(str(tmp_path))
    with pytest.raises(Unreadable, match=why):
        sources.text(next(sources.walk()))


def test_the_table_in_the_root_is_no_recording(tmp_path: Path) -> None:
    made(tmp_path, "metadata.csv", "a.wav", "sub/metadata.csv")
    assert [source.name for source in walked(tmp_path)] == ["a.wav", "sub/metadata.csv"]
    with FolderSources(str(tmp_path)).table() as table:
        assert table == tmp_path / "metadata.csv"
    with FolderSources(str(tmp_path / "sub")).table() as table:
        assert table is not None


@contextmanager
def nobody() -> Iterator[None]:
    """Root may look everywhere, so for a moment we are not root."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_a_folder_that_lets_nobody_in_is_a_failure_and_the_others_go_on() -> None:
    with TemporaryDirectory() as folder:  # not tmp_path: those above it are closed to others
        root = made(Path(folder), "a/1.wav", "locked/2.wav", "z/3.wav")
        root.chmod(0o755)
        (root / "locked").chmod(0)
        with nobody():
            found = [(source.name, source.error) for source in walked(root)]
            with pytest.raises(Unreadable, match="permission denied"):
                walked(root / "locked")
        (root / "locked").chmod(0o755)
    assert found == [("a/1.wav", None), ("locked", "permission denied"), ("z/3.wav", None)]


@pytest.mark.parametrize(("name", "why"), [("gone", "no such file"), ("a.wav", "not a directory")])
def test_a_root_that_is_no_folder_is_refused(tmp_path: Path, name: str, why: str) -> None:
    made(tmp_path, "a.wav")
    with pytest.raises(Unreadable, match=why):
        walked(tmp_path / name)


def test_an_empty_folder_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    assert walked(tmp_path) == []


NAMES = st.lists(st.from_regex(r"[ab]{1,2}(\.(wav|txt|b)){0,2}", fullmatch=True), unique=True, max_size=12)


@given(NAMES)
def test_every_name_is_a_recording_or_the_text_of_one(names: list[str]) -> None:
    pairs = list(pair(sorted(names), root=False))
    sounds, texts = [p.name for p in pairs], [p.text for p in pairs if p.text]
    assert sounds == sorted(set(sounds))
    assert set(sounds) | set(texts) == set(names)
    assert not set(sounds) & set(texts)
    assert all(p.text is None or Path(p.text).stem == Path(p.name).stem for p in pairs)
