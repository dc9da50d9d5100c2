"""Datasets out of a bucket: listed, fetched once, with the texts, the table and what people wrote on the objects."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from buckets import Line, Server, Shelf
from sounds import babble, write

import chasqui
from chasqui.errors import BadConfig, ChasquiError, EmptySource, NoBucket, ServiceDown
from chasqui.run.chunk import run_chunk
from chasqui.run.order import Made
from chasqui.run.sources import open_sources


def here(tasks: Any, job: Any, listener: Any, wanted: Any) -> Any:
    for task in tasks:
        yield from run_chunk([task], job, listener, wanted)


@pytest.fixture
def filled(shelf: Shelf, tmp_path: Path) -> Shelf:
    """Three recordings below `2026/`, one of them twice; a text, a table, something else, something empty."""
    for number, name in enumerate(("a.wav", "b/ñandú ¿1?.wav")):
        data = write(tmp_path / "sound.wav", babble(1.2, 16000, seed=number), 16000).read_bytes()
        shelf.put(f"2026/{name}", data, Metadata={"room": "4b"} if number == 0 else {})
    shelf.put("2026/b/again.wav", data)
    shelf.put("2026/a.txt", "Buenos días.".encode())
    shelf.put("2026/metadata.csv", b"file_name,speaker\na.wav,Ana\n")
    shelf.put("2026/empty.mp3", b"")
    shelf.put("2026/carta.mp3", b"Estimados padres:")
    shelf.put("2025/old.wav", b"not ours")
    return shelf


def go(shelf: Shelf, tmp_path: Path, **more: Any) -> Made:
    where = {"out": tmp_path / "data", "store": f"file:{tmp_path / 'store'}", "format": "jsonl"}
    more = {"stages": ["ingest"], "skip_summary": True, "runner": here, **where, **more}
    return chasqui.dataset(f"{shelf.url}/2026", **more)


def rows(tmp_path: Path) -> dict[str, Any]:
    text = "".join(part.read_text(encoding="utf-8") for part in sorted((tmp_path / "data" / "data").glob("*.jsonl")))
    return {row["path"]: row for row in map(json.loads, text.split("\n")[:-1])}


def test_a_bucket_becomes_rows_with_all_that_it_says(filled: Shelf, tmp_path: Path) -> None:
    made = go(filled, tmp_path)
    assert (made.recordings, made.refused, made.exit_code) == (2, 2, 3)
    found = rows(tmp_path)
    assert set(found) == {"a.wav", "b/again.wav", "carta.mp3", "empty.mp3"}
    assert found["b/again.wav"]["other_names"] == ["b/ñandú ¿1?.wav"]
    first = found["a.wav"]
    assert (first["transcription"], first["speakers"]) == ("Buenos días.", ["Ana"])
    assert {"name": "meta:room", "value": "4b"} in first["given"]
    assert first["source"] == f"{filled.url}/2026" and first["etag"] and first["proof"] == "md5"
    assert not list((tmp_path / "data" / ".work").glob("fetched/**/*.wav"))


def test_a_second_run_asks_for_the_list_and_fetches_nothing(
    filled: Shelf,
    tmp_path: Path,
    line_to: Callable[[Server], Line],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go(filled, tmp_path)
    before = rows(tmp_path)
    line = line_to(filled.server)
    monkeypatch.setenv("AWS_ENDPOINT_URL", line.server.url)
    open_sources.cache_clear()
    made = go(filled, tmp_path)
    assert (made.recordings, made.new) == (2, 0)
    assert rows(tmp_path) == before
    fetched = [asked for asked in line.asked if ".wav" in asked]
    assert fetched == [], "only the list and the table"


def test_other_settings_make_rows_without_fetching_what_the_store_has(filled: Shelf, tmp_path: Path) -> None:
    go(filled, tmp_path)
    filled.client.delete_object(Bucket=filled.bucket, Key="2026/a.wav")
    made = go(filled, tmp_path, collect__audio="none", skip_ingest=True)
    assert made.new == 2
    assert {"name": "meta:room", "value": "4b"} in rows(tmp_path)["a.wav"]["given"]
    assert rows(tmp_path)["a.wav"]["proof"] == "md5", "nobody looked at the object again, and it is the same one"


def test_a_prefix_goes_on_from_the_address(filled: Shelf, tmp_path: Path) -> None:
    made = go(filled, tmp_path, prefix="b/")
    assert (made.recordings, made.refused) == (1, 0)
    with pytest.raises(EmptySource):
        go(filled, tmp_path, prefix="nada/")


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"AWS_SECRET_ACCESS_KEY": ""}, BadConfig),
        ({}, NoBucket),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, ServiceDown),
    ],
)
def test_what_stops_everything_is_said_before_anything_is_written(
    filled: Shelf, tmp_path: Path, wrong: dict[str, str], error: type[ChasquiError], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    open_sources.cache_clear()
    with pytest.raises(error):
        chasqui.dataset("s3://no-such-bucket-here/x", out=tmp_path / "data", store=f"file:{tmp_path / 'store'}")
    assert not (tmp_path / "data").exists()


def test_an_endpoint_that_goes_down_half_way_costs_no_finished_work(
    filled: Shelf, tmp_path: Path, line_to: Callable[[Server], Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    go(filled, tmp_path)
    calm = rows(tmp_path)
    line = line_to(filled.server)
    monkeypatch.setenv("AWS_ENDPOINT_URL", line.server.url)

    def until_it_breaks(tasks: Any, job: Any, listener: Any, wanted: Any) -> Any:
        for outcome in here(tasks, job, listener, wanted):
            yield outcome
            line.down = True

    other = tmp_path / "other"
    open_sources.cache_clear()
    made = go(filled, other, runner=until_it_breaks)
    assert made.recordings == 1 and made.reasons["ServiceDown"] >= 2
    assert rows(other)["a.wav"]["status"] == "done" and rows(other)["b/again.wav"]["error"] == "ServiceDown"
    line.down = False
    asked = len(line.asked)
    made = go(filled, other)
    assert (made.recordings, made.new, made.reasons) == (2, 1, {"EmptyFile": 1, "NotMedia": 1})
    assert not [said for said in line.asked[asked:] if "a.wav" in said], "what came before is not fetched again"
    assert rows(other) == calm


def test_a_bucket_that_is_away_ends_the_run_instead_of_waiting_for_every_object(
    filled: Shelf, tmp_path: Path, line_to: Callable[[Server], Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(12):
        filled.put(f"2026/z/{number:02}.wav", b"RIFF")
    line, worked = line_to(filled.server), []
    monkeypatch.setenv("AWS_ENDPOINT_URL", line.server.url)

    def until_it_breaks(tasks: Any, job: Any, listener: Any, wanted: Any) -> Any:
        for outcome in here(tasks, job, listener, wanted):
            worked.append(outcome.task.source.name)
            yield outcome
            line.down = True

    open_sources.cache_clear()
    with pytest.raises(ServiceDown, match="5 recordings in a row could not be fetched"):
        go(filled, tmp_path, runner=until_it_breaks, workers=2)
    assert len(worked) == 6
    found = rows(tmp_path)
    assert found["a.wav"]["status"] == "done" and found["carta.mp3"]["error"] == "ServiceDown"
    line.down = False
    assert go(filled, tmp_path, workers=2).reasons == {"NotMedia": 13, "EmptyFile": 1}


def test_half_of_an_object_is_kept_for_the_next_run_and_goes_with_the_last_failure(
    filled: Shelf, tmp_path: Path, line_to: Callable[[Server], Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = line_to(filled.server)
    monkeypatch.setenv("AWS_ENDPOINT_URL", line.server.url)
    work = tmp_path / "data" / ".work" / "fetched"

    def half(tasks: Any, job: Any, listener: Any, wanted: Any) -> Any:
        for outcome in here(tasks, job, listener, wanted):
            yield outcome
            (work / ".fetching").mkdir(parents=True, exist_ok=True)
            (work / ".fetching" / "half.part").write_bytes(b"RI")
            line.down = True

    open_sources.cache_clear()
    assert "ServiceDown" in go(filled, tmp_path, runner=half).reasons
    assert (work / ".fetching" / "half.part").read_bytes() == b"RI"
    line.down = False
    assert "ServiceDown" not in go(filled, tmp_path).reasons
    assert not work.exists()
