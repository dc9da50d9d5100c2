"""Every format, where its package is installed."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest
from absent import missing

from chasqui.collect.shards import FORMATS


@pytest.fixture(params=FORMATS)
def kind(request: pytest.FixtureRequest) -> Any:
    if request.param == "parquet" and importlib.util.find_spec("pyarrow") is None:
        missing("pyarrow")
    return request.param
