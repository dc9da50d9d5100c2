"""Files and folders: everything once, in order, with its place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chasqui import ingest


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)


def test_folders_are_walked_in_order_and_keep_their_structure(tmp_path: Path) -> None:
    touch(tmp_path, "curso/b.mp3", "curso/a.mp3", "curso/unidad 2/x.wav", "curso/unidad 1/y", "curso/.oculto/z.mp3")
    touch(tmp_path, "curso/.DS_Store", "sola.ogg")
    found = [
        (path.relative_to(tmp_path).as_posix(), folder)
        for path, folder in ingest.find([tmp_path / "sola.ogg", tmp_path / "curso"])
    ]
    assert found == [
        ("sola.ogg", ""),
        ("curso/a.mp3", "curso"),
        ("curso/b.mp3", "curso"),
        ("curso/unidad 1/y", "curso/unidad 1"),
        ("curso/unidad 2/x.wav", "curso/unidad 2"),
    ]


def test_links_neither_loop_nor_double(tmp_path: Path) -> None:
    touch(tmp_path, "curso/a.mp3")
    (tmp_path / "curso" / "again").symlink_to(tmp_path / "curso")
    (tmp_path / "curso" / "z.mp3").symlink_to(tmp_path / "curso" / "a.mp3")
    assert [path.name for path, _ in ingest.find([tmp_path / "curso", tmp_path / "curso" / "a.mp3"])] == ["a.mp3"]


def test_the_folder_where_we_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "curso/a.mp3", "curso/u/b.mp3")
    monkeypatch.chdir(tmp_path / "curso")
    assert [folder for _, folder in ingest.find([Path()])] == ["curso", "curso/u"]


def test_what_does_not_exist_comes_too_so_that_somebody_says_so(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert len(list(ingest.find([tmp_path / "none.mp3", tmp_path / "pipe"]))) == 2


NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="/\x00", exclude_categories=["Cs"]), min_size=1, max_size=12
)


@settings(max_examples=40, deadline=None)
@given(
    places=st.sets(
        st.lists(NAMES.filter(lambda name: name not in {".", ".."}), min_size=1, max_size=3).map(tuple), max_size=8
    )
)
def test_every_visible_file_once(tmp_path_factory: pytest.TempPathFactory, places: set[tuple[str, ...]]) -> None:
    root = tmp_path_factory.mktemp("batch")
    made = set()
    for place in places:
        try:
            touch(root, os.path.join(*place))
        except OSError:  # one name is a file here and a folder there, or too long in UTF-8
            continue
        if not any(name.startswith(".") for name in place):
            made.add(os.path.join(*place))
    first, second = list(ingest.find([root])), list(ingest.find([root, root]))
    assert first == second
    assert {os.path.relpath(path, root) for path, _ in first} == made
    for path, folder in first:
        assert folder == "/".join([root.name, *path.relative_to(root).parts[:-1]])
