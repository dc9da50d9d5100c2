"""The DAG, run by Airflow itself, in the environment that `.ci/airflow` makes, on three real recordings."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from absent import missing

ROOT = Path(__file__).parents[2]
TASKS = "list_places each.ingest each.transcribe each.tokenize store summarise"

#: What a DAG that loads without errors looks like, asked in Airflow's own environment.
LOAD = """
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(None)
assert not bag.import_errors, bag.import_errors
dag = bag.dags["chasqui_dataset"]
print(*[task.task_id for task in dag.topological_sort()])
print(type(dag.timetable).__name__, dag.default_args["retries"])
"""


@pytest.fixture(scope="module")
def airflow() -> Path:
    """The bin folder of Airflow's environment."""
    python = os.environ.get("CHASQUI_AIRFLOW_PYTHON", "")
    if not python or not Path(python).exists():
        missing("an environment with Airflow (CHASQUI_AIRFLOW_PYTHON=$(.ci/airflow))")
    return Path(python).parent


def environment(home: Path, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "examples" / "airflow"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'air.db'}",
        "CHASQUI_BIN": str(Path(sys.executable).parent / "chasqui"),
        **more,
    }


def ran(arguments: list[str | Path], env: dict[str, str]) -> str:
    said = subprocess.run(arguments, env=env, capture_output=True, text=True, check=False)
    assert said.returncode == 0, (said.stdout + said.stderr)[-4000:]
    return said.stdout


def rows(folder: Path) -> list[Any]:
    parts = sorted((folder / "data").glob("*.jsonl"))
    return sorted((json.loads(line) for part in parts for line in part.read_text().splitlines()), key=lambda r: r["id"])


@pytest.fixture
def source(tmp_path: Path, media: Path) -> Path:
    """Three recordings, and a letter that is none; a fourth recording is over the limit."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "carta.mp3").write_text("Estimados padres:")
    for number in (0, 1, 2, 3):
        shutil.copyfile(media / "asr" / "cuttledoc" / f"fleurs-es-00{number}.ogg", folder / f"clase {number}.ogg")
    return folder


@pytest.mark.timeout(900)  # some fifteen tasks, each with Airflow and Chasqui to start
def test_the_dag_makes_the_rows_that_the_command_makes(airflow: Path, source: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    env = environment(
        home,
        DATASET_SOURCE=str(source),
        DATASET_OUT=str(tmp_path / "dag"),
        DATASET_STORE=f"file:{tmp_path / 's1'}",
        DATASET_FORMAT="jsonl",
        FILE_LIMIT="4",
    )
    ran([airflow / "airflow", "db", "migrate"], env)
    loaded = ran([airflow / "python", "-c", LOAD], {**env, "DATASET_SCHEDULE": "@daily"})
    assert loaded.split()[-8:-2] == TASKS.split()
    assert loaded.split()[-2:] == ["CronTriggerTimetable", "2"]

    log = ran([airflow / "airflow", "dags", "test", "chasqui_dataset"], env)
    assert "carta.mp3 is not a sound or video file" in log
    made = rows(tmp_path / "dag")
    assert [row["status"] for row in made].count("done") == 3
    assert [row["path"] for row in made if row["status"] == "failed"] == ["carta.mp3"]
    assert (tmp_path / "dag" / "summary.html").exists()

    chasqui = [sys.executable, "-m", "chasqui", "dataset", str(source), "--limit", "4", "--format", "jsonl"]
    there = ["--out", str(tmp_path / "command"), "--store", str(tmp_path / "s2"), "--skip-summary"]
    assert subprocess.run([*chasqui, *there], capture_output=True, check=False).returncode == 3
    assert made == rows(tmp_path / "command")
