"""What a folder offers: the shared corpora by their table, somebody's own by its folders."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from chasqui.errors import BadConfig
from chasqui.train.sources import Source, by_group, sources

ANA, LUIS = "speech/resemblyzer/1088-129236-0000.flac", "speech/resemblyzer/103-1240-0000.flac"


def test_a_speaker_is_one_group_in_whatever_corpus_they_turn_up(media: Path) -> None:
    found, skipped = sources(media)
    groups = dict(by_group(found))
    assert {Path(source.path).parent.name for source in groups["libri-1088"]} == {"resemblyzer", "lhotse"}
    assert skipped == []


def test_the_table_gives_languages_contents_and_licences(media: Path) -> None:
    found = {source.path: source for source in sources(media)[0]}
    spanish = found["asr/cuttledoc/fleurs-es-000.ogg"]
    assert (spanish.content, spanish.language, spanish.group) == ("speech", "es", "fleurs-es")
    assert spanish.licence.startswith("CC BY")
    assert found["speech/leopard/test_es.wav"].language == "es"
    assert found["speech/gcompris-voices/10.ogg"].content == "words"
    assert found["speech/speechbrain/rir1.wav"].content == "room"
    assert found["noise_music/max-audio-classifier/rain.wav"].content == "noise"
    assert found["noise_music/sms-tools/cello-double.wav"].content == "music"
    assert "speech/leopard/test_es__b54224.wav" not in found  # the same take resampled
    assert all(source.language for source in found.values())


@pytest.fixture
def own(media: Path, tmp_path: Path) -> Path:
    """A folder as a user has it: people in folders, noises and rooms beside them, and things that are no sound."""
    for name, target in (
        (ANA, "ana/clase.flac"),
        (LUIS, "luis.flac"),
        ("noise_music/max-audio-classifier/rain.wav", "noise/rain.wav"),
        ("speech/speechbrain/rir1.wav", "rooms/aula.wav"),
        ("speech/gcompris-voices/10.ogg", "ana/corto.ogg"),
    ):
        (tmp_path / target).parent.mkdir(exist_ok=True)
        shutil.copy(media / name, tmp_path / target)
    (tmp_path / "ana/notas.txt").write_text("hola", encoding="utf-8")
    (tmp_path / "ana/lista.m3u8").write_text("#EXTM3U\nhttp://example.org/a.mp3\n", encoding="utf-8")
    (tmp_path / "vacio.mp3").write_bytes(b"")
    (tmp_path / "cortado.flac").write_bytes((media / LUIS).read_bytes()[:3000])
    return tmp_path


def test_in_a_folder_of_ones_own_folders_are_people(own: Path) -> None:
    found, _ = sources(own)
    assert [(source.path, source.content, source.group) for source in found] == [
        ("ana/clase.flac", "speech", "ana"),
        ("luis.flac", "speech", "luis"),
        ("noise/rain.wav", "noise", "noise-rain"),
        ("rooms/aula.wav", "room", "room-aula"),
    ]
    assert found[0].seconds == pytest.approx(9.845, abs=0.01)


def test_what_cannot_be_used_is_listed_with_its_reason(own: Path) -> None:
    _, skipped = sources(own)
    assert {one.path: one.error.code for one in skipped} == {
        "ana/corto.ogg": "TooShort",
        "ana/lista.m3u8": "IsReference",
        "ana/notas.txt": "NotMedia",
        "cortado.flac": "Damaged",
        "vacio.mp3": "EmptyFile",
    }


def test_a_file_that_the_table_names_may_be_gone(tmp_path: Path, media: Path) -> None:
    head = (media / "media.tsv").read_text(encoding="utf-8").splitlines()[0]
    line = f"{LUIS}\tspeech\ten\t14.085\tflac\t16000\t1\t\t\tCC BY 4.0\tx"
    (tmp_path / "media.tsv").write_text(f"{head}\n{line}\n", encoding="utf-8")
    found, skipped = sources(tmp_path)
    assert found == []
    assert [one.error.code for one in skipped] == ["Unreadable"]


def test_a_table_of_ones_own_says_what_its_files_are(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).write_bytes(b"RIFF")
    table = "path\tlanguage\tseconds\trate_hz\tcontent\tgroup\na.wav\tqu\t9.5\t16000\tspeech\trosa\n"
    (tmp_path / "media.tsv").write_text(table + "b.wav\t\t20\t48000\tnoise\t\n", encoding="utf-8")
    assert sources(tmp_path)[0] == [
        Source("a.wav", "speech", "own", "qu", "rosa", 9.5),
        Source("b.wav", "noise", "own", "und", "b", 20.0),
    ]
    (tmp_path / "media.tsv").write_text("path\tseconds\na.wav\t9.5\n", encoding="utf-8")
    with pytest.raises(BadConfig, match="language"):
        sources(tmp_path)


def test_groups_come_in_order() -> None:
    made = [Source(f"{name}.wav", "speech", "own", "und", name, 5.0) for name in ("b", "a", "b")]
    assert [(group, len(members)) for group, members in by_group(made)] == [("a", 1), ("b", 2)]
