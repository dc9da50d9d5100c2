"""A small job on Ray, for real: the same rows as by the processes of this machine, and nothing left behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from absent import missing
from sounds import babble, write

from chasqui.errors import BadConfig
from chasqui.run import ray as room

EXAMPLE = Path(__file__).parents[2] / "examples" / "ray" / "chasqui_dataset.py"

#: The example, then the same again, then the same by the processes of this machine.
JOB = """
import runpy
import sys
import ray
from chasqui import dataset
from chasqui.run.ray import runner

if __name__ == "__main__":
    example, source, where = sys.argv[1:]
    code = runpy.run_path(example)["main"](source, f"{where}/ray")
    assert not ray.is_initialized(), "what was begun for this is ended"
    again = dataset(source, out=f"{where}/ray", runner=runner(), skip_summary=True)
    assert not ray.is_initialized() and again.new == 0
    dataset(source, out=f"{where}/local", store=f"file:{where}/other", workers=2, skip_summary=True)
    print(code, again.recordings, again.refused)
"""


def rows(folder: Path) -> list[Any]:
    import pyarrow.parquet

    found = [
        row for part in sorted((folder / "data").iterdir()) for row in pyarrow.parquet.read_table(part).to_pylist()
    ]
    return sorted(found, key=lambda row: str(row["id"]))


def test_a_job_on_ray_gives_the_rows_of_the_local_pool(tmp_path: Path) -> None:
    try:
        import ray  # noqa: F401
    except ImportError:
        missing("ray")
    (tmp_path / "in").mkdir()
    for number in range(3):
        write(tmp_path / "in" / f"{number}.wav", babble(2.0, 16000, seed=number), 16000)
    (tmp_path / "in" / "again.wav").write_bytes((tmp_path / "in" / "0.wav").read_bytes())
    (tmp_path / "in" / "carta.wav").write_text("Estimados padres:")
    (tmp_path / "job.py").write_text(JOB)
    # In a process of its own: Ray's threads and sockets live as long as the process that began them.
    said = subprocess.run(
        [sys.executable, tmp_path / "job.py", EXAMPLE, tmp_path / "in", tmp_path],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr[-3000:]
    assert said.stdout.split()[-3:] == ["3", "3", "1"]
    found = rows(tmp_path / "ray")
    assert len(found) == 4
    assert found == rows(tmp_path / "local")
    assert [row["other_names"] for row in found if row["path"] == "0.wav"] == [["again.wav"]]


def test_without_ray_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "find_spec", lambda name: None)
    with pytest.raises(BadConfig, match=r"chasqui\[ray\]"):
        room.runner()


def test_the_first_place_that_has_the_bytes_gets_them() -> None:
    desk = room.Desk()
    assert desk.wanted("id", "a.wav")
    assert desk.wanted("id", "a.wav"), "a second attempt"
    assert not desk.wanted("id", "b.wav")
