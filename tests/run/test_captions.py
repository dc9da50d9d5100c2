"""Which file of captions belongs to which recording."""

from __future__ import annotations

from pathlib import Path

import pytest

from chasqui.errors import BadCaptions, BadConfig
from chasqui.records import Given
from chasqui.run.captions import Brought, bring, match, without
from chasqui.store.memory import MemoryStore

VTT = b"WEBVTT\n\n00:01.000 --> 00:02.000\nHola\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (
        "uno.vtt",
        "dos.es.srt",
        "tres.vtt",
        "tres.srt",
        "semana 1/clase.vtt",
        "semana 2/clase.vtt",
        "notas.txt",
    ):
        (tmp_path / "textos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "textos" / name).write_bytes(VTT)
    return tmp_path / "textos"


def test_a_file_is_for_one_recording(folder: Path, tmp_path: Path) -> None:
    found = match(folder / "uno.vtt", [(tmp_path / "otra.mp3", "")])
    assert found == {tmp_path / "otra.mp3": Brought(file=folder / "uno.vtt")}
    with pytest.raises(BadConfig, match="cannot be of 2 recordings"):
        match(folder / "uno.vtt", [(tmp_path / "a.mp3", ""), (tmp_path / "b.mp3", "")])


def test_a_file_that_cannot_be_read_is_told_at_once(folder: Path, tmp_path: Path) -> None:
    (folder / "uno.vtt").write_bytes(b"nada")
    for name in ("uno.vtt", "no hay.vtt"):
        with pytest.raises(BadCaptions):
            match(folder / name, [(tmp_path / "uno.mp3", "")])


def test_in_a_folder_names_decide(folder: Path, tmp_path: Path) -> None:
    found = match(folder, [(tmp_path / name, "") for name in ("uno.mp3", "dos.mp3", "tres.mp3", "cuatro.mp3")])
    assert found[tmp_path / "uno.mp3"].file == folder / "uno.vtt"
    assert found[tmp_path / "dos.mp3"].file == folder / "dos.es.srt"
    assert found[tmp_path / "tres.mp3"].problem == "several files are called like tres: tres.srt, tres.vtt"
    assert found[tmp_path / "cuatro.mp3"] == Brought(problem="nothing in textos is called like cuatro")


def test_sub_folders_tell_recordings_of_one_name_apart(folder: Path, tmp_path: Path) -> None:
    recordings = [(tmp_path / "clases" / f"semana {n}" / "clase.mp3", f"clases/semana {n}") for n in (1, 2, 3)]
    found = match(folder, recordings)
    assert [found[path].file for path, _ in recordings[:2]] == [folder / f"semana {n}" / "clase.vtt" for n in (1, 2)]
    assert found[recordings[2][0]].problem == "several recordings are called like clase"


def test_of_two_languages_the_one_that_was_asked_for(folder: Path, tmp_path: Path) -> None:
    (folder / "dos.en.srt").write_bytes(VTT)
    recording = tmp_path / "dos.mp3"
    assert match(folder, [(recording, "")], "en")[recording].file == folder / "dos.en.srt"
    assert match(folder, [(recording, "")])[recording].file is None


def test_captions_beside_the_recordings_are_no_recordings(folder: Path) -> None:
    found = [(folder / name, "textos") for name in ("uno.mp3", "uno.vtt", "notas.txt")]
    brought = match(folder, found)
    assert [path.name for path, _ in without(found, brought)] == ["uno.mp3", "notas.txt"]


def test_nothing_is_picked_up_that_nobody_asked_for(folder: Path) -> None:
    assert match(None, [(folder / "uno.mp3", "")]) == {}


def test_what_was_brought_is_kept_until_it_is_taken_away(folder: Path) -> None:
    store = MemoryStore()

    def kept() -> Given | None:
        return store.get("0123456789abcdef", "captions", Given)

    bring(Brought(away=True), "0123456789abcdef", store)
    assert kept() is None
    bring(Brought(file=folder / "dos.es.srt"), "0123456789abcdef", store)
    first = kept()
    assert first and first.source and (first.name, first.language) == ("dos.es.srt", "es")
    assert store.path(first.source).read_bytes() == VTT
    bring(None, "0123456789abcdef", store)
    bring(Brought(problem="nothing in textos is called like it"), "0123456789abcdef", store)
    assert kept() == first
    bring(Brought(away=True), "0123456789abcdef", store)
    assert kept() == Given(recording_id="0123456789abcdef", name="dos.es.srt")


def test_a_file_of_a_folder_that_cannot_be_read_is_remembered_as_that(folder: Path) -> None:
    store = MemoryStore()
    (folder / "uno.vtt").write_bytes(b"nada")
    bring(Brought(file=folder / "uno.vtt"), "0123456789abcdef", store)
    kept = store.get("0123456789abcdef", "captions", Given)
    assert kept and kept.failure and kept.failure.evidence["why"] == "nothing in it has a time and a text"
