"""compose.yaml, judged by docker-compose itself (which needs no engine for that), and against the DAG it runs."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]


def config(tool: Callable[[str], str], profile: str) -> str:
    said = subprocess.run(
        [tool("docker-compose"), "--file", str(ROOT / "compose.yaml"), "config"],
        env={**os.environ, "COMPOSE_PROFILES": profile},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    return said.stdout


def test_the_profile_has_all_that_airflow_needs(tool: Callable[[str], str]) -> None:
    services = set(re.findall(r"^  (airflow-[a-z-]+):$", config(tool, "airflow"), re.MULTILINE))
    wanted = {"postgres", "redis", "init", "api", "scheduler", "dag-processor", "worker"}
    assert services == {f"airflow-{name}" for name in wanted}


def test_what_it_builds_from_is_there_and_what_it_sets_is_read() -> None:
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    dag = (ROOT / "examples" / "airflow" / "chasqui_dataset.py").read_text(encoding="utf-8")
    set_there = set(re.findall(r"^    ((?:DATASET|CHASQUI|FILE)_\w+):", text, re.MULTILINE))
    read = set(re.findall(r'os\.environ\.get\("(\w+)"', dag))
    assert set_there <= read
    assert read - set_there == {"DATASET_FORMAT", "FILES_AT_ONCE"}  # these two have defaults that do
    dockerfile = (ROOT / "examples" / "airflow" / "Dockerfile").read_text(encoding="utf-8")
    copied = re.findall(r"^COPY --chown=airflow:0 (.+) \S+$", dockerfile, re.MULTILINE)
    assert all((ROOT / name).exists() for line in copied for name in line.split())
    version = re.search(
        r"^apache-airflow==(.+)$", (ROOT / "examples/airflow/constraints.txt").read_text(), re.MULTILINE
    )
    assert version is not None and f"apache/airflow:{version[1]}-" in dockerfile
