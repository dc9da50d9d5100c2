"""Small sounds and broken files, made on the fly: nothing is committed, nothing is downloaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from chasqui import ingest
from chasqui.config import Config
from chasqui.records import Recording, Request
from chasqui.run import run_stage
from chasqui.store import Store, open_store


@pytest.fixture
def store() -> Store:
    return open_store("memory:")


@pytest.fixture
def take_in(store: Store) -> Callable[..., Recording]:
    """accept and run, as a command does."""

    def both(path: Path, **options: float) -> Recording:
        request = ingest.accept(path, store)
        record = run_stage("ingest", request.recording_id, store, Config(stages={"ingest": options}))
        assert isinstance(record, Recording)
        return record

    return both


@pytest.fixture
def as_accepted(store: Store) -> Callable[[Request], None]:
    def put(request: Request) -> None:
        store.put(request.recording_id, "request", request, request.sha256[:32])

    return put
