"""A small real sweep: labels, provenance, resumption after a kill, the same outcome for any number of workers."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chasqui.codecs.opus import RUNGS
from chasqui.errors import BadConfig, DiskFull, NoSpeech, NotWritable, OneSpeaker, StoreBusy
from chasqui.events import Event
from chasqui.train import crosscheck, label, sweep
from chasqui.train.columns import ROWS, segments
from chasqui.train.label import Done, Folder
from chasqui.train.material import Recipe, Take
from chasqui.train.packets import COLUMNS
from chasqui.train.sweep import Asked
from chasqui.words import explain

pq = pytest.importorskip("pyarrow.parquet") if os.environ.get("CI") != "true" else __import__("pyarrow.parquet").parquet

CLIPS = {
    "ana/clase.flac": "speech/resemblyzer/1088-129236-0000.flac",
    "luis/clase.flac": "speech/speechbrain/example6.wav",
    "rosa/clase.wav": "speech/leopard/test_es.wav",
    "noise/rain.wav": "noise_music/max-audio-classifier/rain.wav",
    "noise/train.wav": "noise_music/max-audio-classifier/train.wav",
}
SPEECH_RUNGS = ("voice-6", "voice-10")
TABLES = ("rows.parquet", "segments.parquet", "frames.parquet")
RUNG_NAMES = (*SPEECH_RUNGS, "audio-14")


@pytest.fixture(scope="module")
def own(media: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three speakers and three noises, as in somebody's own folder."""
    folder = tmp_path_factory.mktemp("own")
    for target, name in CLIPS.items():
        (folder / target).parent.mkdir(exist_ok=True)
        shutil.copy(media / name, folder / target)
    (folder / "ana" / "notas.txt").write_text("hola", encoding="utf-8")
    return folder


def asked(own: Path, out: Path) -> Asked:
    return Asked(own, out, recipe=Recipe(noise=1, room=0.5, bed=0, channel=0.5, music=1), rungs=RUNG_NAMES, jobs=1)


def tables(out: Path) -> dict[str, Any]:
    return {name: pq.read_table(out / f"{name}.parquet") for name in ("rows", "segments", "frames")}


@pytest.fixture(scope="module")
def swept(own: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], list[Event]]:
    """The sweep itself, made once, with what it said on the way."""
    out, said = tmp_path_factory.mktemp("sweep"), []
    return out, sweep.sweep(asked(own, out), said.append), said


def test_each_segment_has_a_row_per_rung_with_real_scores(swept: tuple[Path, dict[str, Any], list[Event]]) -> None:
    rows = tables(swept[0])["rows"].to_pylist()
    speech = [row for row in rows if row["kind"] == "speech"]
    by_segment: dict[str, dict[str, Any]] = {}
    for row in speech:
        by_segment.setdefault(row["segment_id"], {})[row["rung"]] = row
    assert len(by_segment) >= 5
    for rungs in by_segment.values():
        assert set(rungs) == set(SPEECH_RUNGS)
        cheap, dear = (rungs[name] for name in SPEECH_RUNGS)
        assert cheap["bytes"] < dear["bytes"]
        assert 0.3 < cheap["estoi"] < dear["estoi"] <= 1
        assert 1 <= cheap["visqol"] <= 5
        assert cheap["bitrate_bps"] == RUNGS["voice-6"].bitrate_bps
        assert cheap["bytes"] * 8 / cheap["seconds"] == pytest.approx(6000, rel=0.4)
        assert cheap["pesq"] is None
    for row in rows:
        if row["kind"] == "music":
            assert (row["rung"], row["estoi"]) == ("audio-14", None)


def test_each_row_says_where_it_comes_from(swept: tuple[Path, dict[str, Any], list[Event]], own: Path) -> None:
    rows = tables(swept[0])["rows"].to_pylist()
    parts = json.loads((swept[0] / "split.json").read_text())["parts"]
    assert {row["speaker"] for row in rows if row["content"] == "speech"} == {"ana", "luis", "rosa"}
    for row in rows:
        assert row["split"] == parts[row["group"]]
        assert (own / row["source"]).is_file()
        noisy = "noise" in row["treatment"].split("+")
        assert noisy == bool(row["noise"]) == (row["mixed_snr_db"] is not None)
        assert not noisy or parts[f"noise-{Path(row['noise']).stem}"] == row["split"]
        assert ("room" in row["treatment"]) == bool(row["room"])
    assert any(row["noise"] for row in rows)
    assert any(row["channel"] for row in rows)


def test_the_tables_have_the_promised_columns(swept: tuple[Path, dict[str, Any], list[Event]]) -> None:
    out, facts, _ = swept
    found = tables(out)
    types = {one.name: str(one.type) for one in found["rows"].schema}
    assert types == {name: {"float32": "float", "float64": "double"}.get(kind, kind) for name, kind in ROWS.items()}
    assert found["segments"].column_names == list(segments(facts["features"]))
    values = np.array([found["segments"][name].to_numpy() for name in facts["features"]])
    assert np.isfinite(values).all()
    assert found["rows"].num_rows == facts["rows"]
    assert facts["takes"] == {"planned": facts["takes"]["done"], "done": facts["takes"]["done"], "refused": 0}
    assert facts["cpu_s_per_segment"] > 0
    assert [one["path"] for one in facts["skipped"]] == ["ana/notas.txt"]


def test_frames_hold_a_row_per_packet(swept: tuple[Path, dict[str, Any], list[Event]]) -> None:
    found = tables(swept[0])
    names = json.loads(found["frames"].schema.metadata[b"columns"])
    assert names == list(COLUMNS)
    about = {one["segment_id"]: one for one in found["segments"].to_pylist()}
    assert set(found["frames"]["segment_id"].to_pylist()) == set(about)
    for one in found["frames"].to_pylist():
        values = np.array(one["values"], np.float32).reshape(one["packets"], len(names))
        assert one["packets"] == about[one["segment_id"]]["packets"]
        level = values[:, names.index("level_dbfs")]
        mean = 10 * np.log10(np.mean(10 ** (level / 10)))
        assert mean == pytest.approx(about[one["segment_id"]]["level_dbfs"], abs=0.5)


def test_progress_is_told_take_by_take(swept: tuple[Path, dict[str, Any], list[Event]]) -> None:
    _, facts, said = swept
    assert [event.kind for event in said][0 :: len(said) - 1] == ["started", "finished"]
    done = [event.done for event in said if event.kind == "advanced"]
    assert done == list(range(facts["takes"]["planned"] + 1))


def test_a_second_run_does_nothing_again(swept: tuple[Path, dict[str, Any], list[Event]], own: Path) -> None:
    out = swept[0]
    before = {name: (out / name).read_bytes() for name in TABLES}
    started = time.process_time()
    sweep.sweep(asked(own, out))
    assert time.process_time() - started < 2
    assert {name: (out / name).read_bytes() for name in TABLES} == before


def test_the_kept_masters_can_be_analysed_again_without_new_labels(
    swept: tuple[Path, dict[str, Any], list[Event]], own: Path
) -> None:
    out = swept[0]
    shutil.rmtree(out / "packets")
    sweep.sweep(replace(asked(own, out), again=True))
    marks = [Done.read(path) for path in (out / "takes").glob("*.json")]
    assert all(mark and mark.encodes == 0 for mark in marks)
    assert list((out / "packets").glob("*.npz"))


def test_a_killed_sweep_of_two_workers_goes_on_and_comes_out_the_same(
    swept: tuple[Path, dict[str, Any], list[Event]], own: Path, tmp_path: Path
) -> None:
    code = (
        "from pathlib import Path; from chasqui.train.material import Recipe; from chasqui.train import sweep\n"
        f"sweep.sweep(sweep.Asked(Path({str(own)!r}), Path({str(tmp_path)!r}), rungs={RUNG_NAMES!r}, jobs=2,"
        " recipe=Recipe(noise=1, room=0.5, bed=0, channel=0.5, music=1)))"
    )
    script = tmp_path.with_suffix(".py")
    script.write_text("if __name__ == '__main__':\n    " + code.replace("\n", "\n    "), encoding="utf-8")
    child = subprocess.Popen([sys.executable, str(script)], start_new_session=True)
    deadline = time.monotonic() + 200
    while not list((tmp_path / "takes").glob("*.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    child.kill()
    child.wait()
    finished = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "takes").glob("*.json")}
    assert finished
    partial = sweep.collect(asked(own, tmp_path))
    assert 0 < partial["takes"]["done"] < partial["takes"]["planned"]
    deadline = time.monotonic() + 30  # the workers notice that they are alone
    while time.monotonic() < deadline and not _gone(child.pid):
        time.sleep(0.05)
    assert _gone(child.pid)
    whole = sweep.sweep(asked(own, tmp_path))
    assert whole["takes"]["done"] == whole["takes"]["planned"]
    assert {name: (tmp_path / "takes" / name).stat().st_mtime_ns for name in finished} == finished
    assert [(tmp_path / name).read_bytes() for name in TABLES] == [(swept[0] / name).read_bytes() for name in TABLES]


def _gone(group: int) -> bool:
    """Whether no process of a group is left."""
    try:
        os.killpg(group, signal.SIG_DFL)
    except ProcessLookupError:
        return True
    return False


def test_a_folder_holds_one_sweep(swept: tuple[Path, dict[str, Any], list[Event]], own: Path) -> None:
    with pytest.raises(BadConfig, match="other settings"):
        sweep.sweep(replace(asked(own, swept[0]), seed=2))


def test_two_sweeps_do_not_work_in_one_folder(own: Path, tmp_path: Path) -> None:
    from filelock import FileLock

    with FileLock(tmp_path / ".lock"), pytest.raises(StoreBusy):
        sweep.sweep(asked(own, tmp_path))


def test_what_cannot_be_learnt_from_is_said_at_once(media: Path, tmp_path: Path) -> None:
    empty, alone = tmp_path / "empty", tmp_path / "alone"
    for folder in (empty, alone / "ana"):
        folder.mkdir(parents=True)
    shutil.copy(media / CLIPS["ana/clase.flac"], alone / "ana" / "clase.flac")
    with pytest.raises(NoSpeech):
        sweep.sweep(Asked(empty, tmp_path / "out"))
    with pytest.raises(OneSpeaker, match="ana"):
        sweep.sweep(Asked(alone, tmp_path / "out"))
    with pytest.raises(BadConfig, match="no folder"):
        sweep.sweep(Asked(tmp_path / "nowhere", tmp_path / "out"))
    with pytest.raises(BadConfig, match="voice-1000"):
        sweep.sweep(Asked(alone, tmp_path / "out", rungs=("voice-1000",)))
    assert not (tmp_path / "out").exists()


def test_a_recording_that_a_stage_refuses_costs_one_take(own: Path, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    shutil.copytree(own, folder)
    broken = folder / "luis" / "clase.flac"
    wanted = replace(asked(folder, tmp_path / "out"), recipe=Recipe(0, 0, 0, 0, 1), rungs=("voice-6", "audio-14"))
    planned = sweep.plan(wanted)
    broken.unlink()  # between planning and labelling, as when somebody tidies up
    take = next(take for take in planned.takes if take.sources == ("luis/clase.flac",))
    done = sweep.label(sweep.Job(take, folder, Folder(tmp_path / "out"), wanted.rungs))
    assert done.error == "Unreadable"
    assert Done.read(Folder(tmp_path / "out").mark(take.take_id)) == done


def test_a_full_disk_stops_the_sweep_and_keeps_what_was_done(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = replace(asked(own, tmp_path), recipe=Recipe(0, 0, 0, 0, 1), rungs=("voice-6", "audio-14"), limit=2)
    first = sweep.plan(wanted).takes[0].take_id
    real = label.render

    def full(take: Take, *places: Path) -> Path:
        if take.take_id != first:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(take, *places)

    monkeypatch.setattr(label, "render", full)
    with pytest.raises(DiskFull):
        sweep.sweep(wanted)
    assert [path.stem for path in (tmp_path / "takes").glob("*.json")] == [first]
    monkeypatch.undo()
    assert sweep.sweep(wanted)["takes"]["done"] == 2


def test_a_defect_costs_one_take_and_is_tried_again(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = replace(asked(own, tmp_path), rungs=("voice-6", "audio-14"), limit=1)
    monkeypatch.setattr(label, "render", lambda *_: 1 / 0)
    said: list[Event] = []
    assert sweep.sweep(wanted, said.append)["takes"]["done"] == 0
    assert [event.facts["error"] for event in said if event.kind == "warned"] == ["Defect"]
    monkeypatch.undo()
    assert sweep.sweep(wanted)["takes"]["done"] == 1


def test_an_output_that_cannot_be_written_stops_the_sweep(own: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(NotWritable):
        sweep.sweep(asked(own, tmp_path / "file" / "out"))


def test_pesq_without_its_package_is_a_hint(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pesq", None)
    with pytest.raises(BadConfig, match="pip install 'pesq'"):
        sweep.sweep(replace(asked(own, tmp_path), pesq=0.5))


def test_without_the_extra_the_hint_says_what_to_install(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(BadConfig, match=r"pip install 'chasqui\[train\]'") as error:
        sweep.sweep(asked(own, tmp_path))
    assert "hace falta el paquete pyarrow: pip install 'chasqui[train]'" in explain(error.value, "es")


def test_the_sample_for_pesq_grows_with_its_share() -> None:
    names = [f"take-{n:05d}-133" for n in range(2000)]
    few, many = ({name for name in names if crosscheck.chosen(name, share)} for share in (0.1, 0.3))
    assert few < many
    assert len(few) / len(names) == pytest.approx(0.1, abs=0.03)
    assert not any(crosscheck.chosen(name, 0.0) for name in names)
