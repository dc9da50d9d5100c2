"""A dataset under Airflow 3: list → (ingest → transcribe → tokenize, for each file) → store → summarise.

Airflow lives in an environment of its own and imports nothing of Chasqui: each task is a call of its command line. What
is done is in the store, so a task that is repeated costs nothing, and the rows are those of `chasqui dataset` without
Airflow. A file that Chasqui refuses is skipped with the reason in its log, and is a row of the dataset; what may pass
by itself (a full disk, a service that is away) fails and is tried again.
"""

from __future__ import annotations

import json
import os
import subprocess
from datetime import timedelta
from typing import Any

import pendulum
from airflow.sdk import dag, get_current_context, task, task_group
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

CHASQUI = os.environ.get("CHASQUI_BIN", "chasqui")  # path of the command, in Chasqui's own environment
SOURCE = os.environ.get("DATASET_SOURCE", "recordings")  # a folder, or s3://bucket/prefix
OUT = os.environ.get("DATASET_OUT", "dataset")
STORE = os.environ.get("DATASET_STORE", "file:.chasqui")  # shared by all workers: a folder they all see, or s3://…
FORMAT = os.environ.get("DATASET_FORMAT", "parquet")
RECOGNISER = os.environ.get("DATASET_RECOGNISER", "")
SPEAKERS = os.environ.get("DATASET_SPEAKERS", "")  # none, auto or how many; empty: auto where there is a recogniser
SCHEDULE = os.environ.get("DATASET_SCHEDULE") or None  # "@daily", or cron
FILE_LIMIT = os.environ.get("FILE_LIMIT", "")  # only so many files of the source
AT_ONCE = int(os.environ.get("FILES_AT_ONCE", "4"))

#: Exit codes of docs/cli.md: this input will never work; some of a batch were refused.
REFUSED = range(10, 30)
SOME_REFUSED = 3


def chasqui(*arguments: str, fine: tuple[int, ...] = (0,)) -> list[dict[str, Any]]:
    """Call Chasqui; its lines of JSON, the last of them the result. What it tells stands in the task's log."""
    command = [CHASQUI, *arguments, "--store", STORE, "--json", "--lang", "en"]
    said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    print(said.stdout)
    lines = [json.loads(line) for line in said.stdout.splitlines() if line.startswith("{")]
    if said.returncode in fine:
        return lines
    told = lines[-1].get("message") if lines else None
    why = f"{arguments[0]} ended with {said.returncode}: {told or 'see above'}"
    if said.returncode in REFUSED:
        raise AirflowSkipException(why)
    raise (RuntimeError if lines and lines[-1].get("action") == "retry" else AirflowFailException)(why)


def who() -> list[str]:
    """Options: who writes down what is said, and whether anybody asks who speaks."""
    named = (("--recogniser", RECOGNISER), ("--speakers", SPEAKERS))
    return [word for option, value in named if value for word in (option, value)]


def take(place: str, stage: str) -> str:
    """Run these stages, and those that they need, on a file of the source; the recording's id."""
    get_current_context()["place"] = place
    lines = chasqui("dataset", "take", SOURCE, place, "--stages", stage, "--threads", "1", *who())
    return str(lines[-1]["recording_id"])


@dag(
    dag_id="chasqui_dataset",
    schedule=SCHEDULE,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,  # a dataset has one writer
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1), "retry_exponential_backoff": True},
    doc_md=__doc__,
)
def chasqui_dataset() -> None:
    @task
    def list_places() -> list[str]:
        limit = ["--limit", FILE_LIMIT] if FILE_LIMIT else []
        return [place["name"] for place in chasqui("dataset", "list", SOURCE, *limit)]

    # Named after their files in the grid, so that each one's log is found.
    one_file = {"map_index_template": "{{ place }}", "max_active_tis_per_dagrun": AT_ONCE}

    @task_group
    def each(place: str) -> None:
        @task(**one_file)
        def ingest(place: str) -> str:
            take(place, "analyze")
            return place

        @task(**one_file)
        def transcribe(place: str) -> str:
            take(place, "transcribe")
            return place

        @task(**one_file)
        def tokenize(place: str) -> str:
            return take(place, "tokenize,diarize")

        tokenize(transcribe(ingest(place)))

    @task(trigger_rule="all_done")  # files that were refused or have failed are rows too
    def store() -> dict[str, Any]:
        limit = ["--limit", FILE_LIMIT] if FILE_LIMIT else []
        done = chasqui(
            "dataset", SOURCE, "--out", OUT, "--format", FORMAT, "--skip-summary", *limit, *who(),
            fine=(0, SOME_REFUSED),
        )[-1]  # fmt: skip
        return {name: done[name] for name in ("recordings", "refused", "reasons", "duration_s", "text_tokens")}

    @task
    def summarise() -> None:
        chasqui("dataset", "summary", OUT)

    each.expand(place=list_places()) >> store() >> summarise()


chasqui_dataset()
