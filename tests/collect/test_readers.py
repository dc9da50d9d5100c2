"""Others open a dataset as it is: pandas, DuckDB, SQLite, Hugging Face datasets, Lhotse, WebDataset, Croissant."""

from __future__ import annotations

import importlib
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from absent import missing

from chasqui.collect.export import FORMS, export
from chasqui.collect.folder import open_dataset
from chasqui.collect.index import read_index
from chasqui.errors import BadDataset
from chasqui.media.flac import FlacWriter
from collect.written import full


def judge(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        missing(name)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "x.flac"
    with FlacWriter(path) as writer:
        writer.write(np.sin(np.arange(96_000, dtype=np.float32) / 20) / 4)
    return path


def dataset(folder: Path, kind: Any, sound: Path, audio: Any = "beside") -> Path:
    judge("pyarrow")
    with open_dataset(folder, kind, audio=audio, title='Voces "de" Cusco') as data:
        for name in "12":
            place = f"audio/{name.rjust(16, '0')}.flac"
            data.add_line(full(name, audio_path=place, audio_rate_hz=48_000), sound)
        data.fail("vacío.mp3", BadDataset(path="x", why="y"))
    return folder


def test_pandas_and_duckdb(tmp_path: Path, sound: Path) -> None:
    pandas, duckdb = judge("pandas"), judge("duckdb")
    folder = dataset(tmp_path / "d", "parquet", sound)
    table = pandas.read_parquet(folder / "data")
    assert list(table["status"]) == ["done", "done", "failed"]
    assert table["words"][0][0]["text"] == "hola"
    query = f"SELECT sum(duration_s), count(*) FILTER (status = 'failed') FROM '{folder}/data/*.parquet'"
    assert duckdb.sql(query).fetchall() == [(4.0, 1)]


def test_sqlite_searches_without_accents(tmp_path: Path, sound: Path) -> None:
    folder = dataset(tmp_path / "d", "sqlite", sound)
    with sqlite3.connect(folder / "data.sqlite") as base:
        found = base.execute(
            "SELECT path FROM recordings WHERE rowid IN "
            "(SELECT rowid FROM recordings_text WHERE recordings_text MATCH 'manana')"
        ).fetchall()
        (word,) = base.execute("SELECT json_extract(words, '$[0].text') FROM recordings LIMIT 1").fetchone()
    base.close()
    assert sorted(found) == [("1.wav",), ("2.wav",)]
    assert word == "hola"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("kind", "audio"), [("parquet", "beside"), ("parquet", "inside"), ("jsonl", "beside")])
def test_hugging_face(tmp_path: Path, sound: Path, kind: str, audio: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    datasets = judge("datasets")
    folder = dataset(tmp_path / "d", kind, sound, audio)
    table = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))["train"]
    assert table.features["words"].feature["start_s"].dtype == "float64"
    if audio == "inside":  # decoding needs torchcodec; the bytes are the file
        table = table.cast_column("audio", datasets.Audio(decode=False))
        assert table[0]["audio"]["bytes"] == sound.read_bytes()
    assert [row["status"] for row in table] == ["done", "done", "failed"]
    assert table[0]["audio_tokens"][0]["units"] == [3, 1, 2]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("audio", ["beside", "inside"])
def test_lhotse(tmp_path: Path, sound: Path, audio: str) -> None:
    lhotse = judge("lhotse")
    folder = dataset(tmp_path / "d", "parquet", sound, audio)
    out = export(folder, "lhotse", tmp_path / "out")
    recordings = lhotse.RecordingSet.from_file(out / "recordings.jsonl.gz")
    recordings = recordings.with_path_prefix(folder if audio == "beside" else out)
    supervisions = lhotse.SupervisionSet.from_file(out / "supervisions.jsonl.gz")
    lhotse.validate(recordings, read_data=True)
    lhotse.validate(supervisions)
    cuts = lhotse.CutSet.from_manifests(recordings=recordings, supervisions=supervisions)
    assert [cut.supervisions[0].text for cut in cuts] == ["Hola, mañana"] * 2
    assert next(iter(cuts)).load_audio().shape == (1, 96_000)
    assert next(iter(supervisions)).alignment["word"][0].symbol == "hola"


TALK = {
    "words": [
        {"text": " Hola,", "start_s": 0.1, "end_s": 0.5, "probability": None, "speaker": "1"},
        {"text": "buenas", "start_s": 1.0, "end_s": 1.4, "probability": 0.5, "speaker": "2"},
        {"text": "tardes", "start_s": 1.4, "end_s": 1.9, "probability": 0.5, "speaker": None},
    ],
    "turns": [{"start_s": 0.0, "end_s": 0.9, "speaker": "1"}, {"start_s": 0.8, "end_s": 2.5, "speaker": "2"}],
    "speakers": ["1", "2"],
    "speakers_from": "voices",
    "transcription": "Hola, buenas tardes",
    "transcription_from": "recogniser",
    "recognised": "Hola, buenas tardes",
}
GIVEN = {"transcription": "¡Hola! Buenas tardes.", "transcription_from": "given"}
ALONE = {"speakers": ["1"], "turns": [{"start_s": 0.0, "end_s": 2.0, "speaker": "1"}]}


@pytest.mark.filterwarnings("ignore")
def test_lhotse_gets_a_supervision_per_turn_where_several_speak(tmp_path: Path, sound: Path) -> None:
    lhotse = judge("lhotse")
    where = {"audio_rate_hz": 48_000, "duration_s": 2}
    with open_dataset(tmp_path / "d", "jsonl") as data:
        for name, more in (("1", {}), ("2", GIVEN), ("3", ALONE)):
            place = f"audio/{name.rjust(16, '0')}.flac"
            data.add_line(full(name, audio_path=place, **where | TALK | more), sound)
    out = export(tmp_path / "d", "lhotse", tmp_path / "out")
    recordings = lhotse.RecordingSet.from_file(out / "recordings.jsonl.gz").with_path_prefix(tmp_path / "d")
    supervisions = lhotse.SupervisionSet.from_file(out / "supervisions.jsonl.gz")
    lhotse.qa.validate_recordings_and_supervisions(recordings, supervisions)
    told = [[(s.start, s.end, s.speaker, s.text) for s in supervisions.find(n.rjust(16, "0"))] for n in "123"]
    one, two = (f"{'1'.rjust(16, '0')}-{n}" for n in "12")
    assert told[0] == [(0.0, 0.9, one, "Hola,"), (0.8, 2.0, two, "buenas tardes")]
    assert told[1][0] == (0.0, 2.0, None, "¡Hola! Buenas tardes.")
    assert [text for *_, text in told[1][1:]] == [None, None], "what nobody timed is not cut to turns"
    assert told[2] == [(0.0, 2.0, f"{'3'.rjust(16, '0')}-1", "Hola, buenas tardes")]
    second = next(s for s in supervisions if s.speaker == two)
    assert [item.symbol for item in second.alignment["word"]] == ["buenas", "tardes"]


@pytest.mark.filterwarnings("ignore")
def test_webdataset(tmp_path: Path, sound: Path) -> None:
    webdataset = judge("webdataset")
    out = export(dataset(tmp_path / "d", "jsonl", sound), "webdataset", tmp_path / "out")
    found = list(webdataset.WebDataset(str(out / "shard-000000.tar"), shardshuffle=False))
    assert [item["__key__"] for item in found] == ["0000000000000001", "0000000000000002"]
    assert found[0]["flac"] == sound.read_bytes()
    assert found[0]["txt"].decode() == "Hola, mañana"
    first = (out / "shard-000000.tar").read_bytes()
    assert (export(tmp_path / "d", "webdataset", out) / "shard-000000.tar").read_bytes() == first


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_croissant(tmp_path: Path, sound: Path, kind: str) -> None:
    croissant = judge("mlcroissant")
    described = croissant.Dataset(str(dataset(tmp_path / "d", kind, sound) / "croissant.json"))
    record = next(iter(described.records("recordings")))
    assert record["recordings/path"] == b"1.wav"
    assert record["recordings/words"][0]["recordings/words/text"] == b"hola"


def test_every_form_holds_the_same_rows(tmp_path: Path, sound: Path) -> None:
    for audio in ("beside", "inside"):
        folder = dataset(tmp_path / audio, "parquet", sound, audio)
        digest = read_index(folder)
        for form in FORMS:
            out = export(folder, form, tmp_path / f"{audio}-{form}")
            if form not in ("lhotse", "webdataset"):
                again = read_index(out)
                assert again and digest and again.totals == digest.totals


def test_an_export_does_not_write_over_something_else(tmp_path: Path, sound: Path) -> None:
    folder = dataset(tmp_path / "d", "jsonl", sound)
    with pytest.raises(BadDataset, match="something else"):
        export(folder, "lhotse", folder)
