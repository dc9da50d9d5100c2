"""Data people: a folder or a bucket in, a dataset out; the lights go out in the middle; the same again the next day."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from absent import missing
from buckets import Shelf

#: Half a minute of Spanish, Portuguese and English, each with its text beside it.
RECORDINGS = ("fleurs-es-000", "fleurs-pt-001", "fleurs-en-002")


@pytest.fixture
def desk(tmp_path: Path, media: Path) -> Path:
    """A folder with three recordings and their texts, one of them under a second name; a letter, an empty file."""
    speech, folder = media / "asr" / "cuttledoc", tmp_path / "grabaciones"
    (folder / "más").mkdir(parents=True)
    for name in RECORDINGS:
        for ending in (".ogg", ".txt"):
            shutil.copyfile(speech / (name + ending), folder / (name + ending))
    shutil.copyfile(speech / f"{RECORDINGS[0]}.ogg", folder / "más" / "la misma.ogg")
    (folder / "carta.mp3").write_text("Estimados padres de familia:\n" * 50)
    (folder / "vacía.mp3").touch()
    (folder / "metadata.csv").write_text(f"file_name,licence,speaker\n{RECORDINGS[0]}.ogg,CC-BY-4.0,Ana\n")
    return tmp_path


def command(source: str | Path, where: Path, *more: str) -> list[str]:
    options = ["--out", str(where / "data"), "--store", str(where / "store"), "--workers", "2", "--lang", "en", *more]
    return [sys.executable, "-m", "chasqui", "dataset", str(source), *options]


def ran(line: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(line, capture_output=True, text=True, check=False)


def rows(where: Path) -> dict[str, dict[str, Any]]:
    """By place; exactly as they stand in the shards."""
    parts = sorted((where / "data" / "data").glob("*.jsonl"))
    found = [json.loads(line) for part in parts for line in part.read_text(encoding="utf-8").split("\n") if line]
    assert len({row["id"] for row in found}) == len(found)
    return {row["path"]: row for row in found}


def test_a_folder_becomes_a_table_that_pandas_opens(desk: Path) -> None:
    try:
        import pandas
    except ImportError:
        missing("pandas")
    said = ran(command(desk / "grabaciones", desk))
    assert said.returncode == 3, said.stderr
    assert "Traceback" not in said.stderr + said.stdout
    assert "carta.mp3 is not a sound or video file" in said.stderr
    assert "3 recordings" in said.stdout and "EmptyFile" in said.stdout
    table = pandas.read_parquet(desk / "data" / "data")
    assert sorted(table["status"]) == ["done", "done", "done", "failed", "failed"]
    row = table[table["path"] == f"{RECORDINGS[0]}.ogg"].iloc[0]
    assert list(row["other_names"]) == ["más/la misma.ogg"]
    assert row["transcription"].startswith("se recomienda enfáticamente") and row["licence"] == "CC-BY-4.0"
    assert list(row["speakers"]) == ["Ana"] and row["token_count"] > 20 and row["audio_token_count"] > 100
    assert (desk / "data" / row["audio_path"]).stat().st_size == row["audio_bytes"]
    assert (desk / "data" / "summary.html").exists()

    again = ran(command(desk / "grabaciones", desk, "--json"))
    events = [json.loads(line) for line in again.stdout.splitlines()]
    assert again.returncode == 3
    assert [event for event in events if event["kind"] in ("started", "finished", "reused")] == []
    assert (events[-1]["recordings"], events[-1]["new"], events[-1]["refused"]) == (3, 0, 2)


#: Where the lights go out, one after the other: (stage, event, how often it has come).
MOMENTS = (("ingest", "started", 1), ("clean", "finished", 1), ("analyze", "finished", 2), ("dataset", "finished", 3))


def killed_at(moment: tuple[str, str, int], line: list[str]) -> bool:
    """Run until this event has come so often, then kill -9. False if that never came."""
    stage, kind, times = moment
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for said in process.stdout:
            event = json.loads(said)
            times -= (event.get("stage"), event["kind"]) == (stage, kind)
            if times == 0:
                process.send_signal(signal.SIGKILL)
                return True
    return False


def workers_of(where: Path) -> list[str]:
    """Processes on this machine that still know of this folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            said = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
        except OSError:
            continue
        if str(where).encode() in said and process.name != str(os.getpid()):
            found.append(process.name)
    return found


@pytest.mark.skipif(os.name == "nt", reason="Windows has no kill -9")
def test_a_run_that_is_killed_again_and_again_ends_with_the_same_rows(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, how = desk / "grabaciones", ("--format", "jsonl", "--skip-summary", "--json", "--batch-size", "1")
    assert ran(command(source, desk / "calm", *how)).returncode == 3
    calm = rows(desk / "calm")
    assert len(calm) == 5

    monkeypatch.setenv("CHASQUI_TEST_MARK", str(desk / "dark"))  # workers inherit it: how we find the orphans
    line = command(source, desk / "dark", *how)
    fell = [killed_at(moment, line) for moment in MOMENTS]
    assert sum(fell) >= 3, dict(zip(MOMENTS, fell, strict=True))
    limit = time.monotonic() + 20
    while (left := workers_of(desk / "dark")) and time.monotonic() < limit:
        time.sleep(0.1)
    assert not left, "workers outlive their parent"

    done = ran(line)
    assert done.returncode == 3, done.stderr
    assert rows(desk / "dark") == calm
    assert sorted(path.name for path in (desk / "dark" / "data" / "audio").iterdir()) == sorted(
        path.name for path in (desk / "calm" / "data" / "audio").iterdir()
    )


def test_a_bucket_becomes_the_same_rows_as_its_folder(desk: Path, any_shelf: Shelf) -> None:
    source = desk / "grabaciones"
    for path in sorted(path for path in source.rglob("*") if path.is_file()):
        any_shelf.put(f"2026/{path.relative_to(source).as_posix()}", path.read_bytes())
    how = ("--format", "jsonl", "--skip-summary", "--stages", "clean")
    assert ran(command(source, desk / "folder", *how)).returncode == 3
    said = ran(command(f"{any_shelf.url}/2026", desk / "bucket", *how))
    assert said.returncode == 3, said.stderr

    def same(row: dict[str, Any]) -> dict[str, Any]:
        apart = ("source", "etag", "proof", "row_sha256")
        return {name: value for name, value in row.items() if name not in apart}

    ours, theirs = rows(desk / "folder"), rows(desk / "bucket")
    assert {place: same(row) for place, row in theirs.items()} == {place: same(row) for place, row in ours.items()}
    proved = {row["proof"] for row in theirs.values() if row["status"] != "failed"}
    assert proved and proved <= {"md5", "parts", "sha256"} and {row["proof"] for row in ours.values()} == {None}
    again = ran(command(f"{any_shelf.url}/2026", desk / "bucket", *how, "--json"))
    assert [json.loads(line)["kind"] for line in again.stdout.splitlines()] == ["result"]
