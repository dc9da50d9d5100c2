"""Whatever a row says, every format gives it back, and its hash with it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from chasqui.collect.check import check
from chasqui.collect.columns import COLUMNS
from chasqui.collect.folder import open_dataset
from chasqui.collect.schema import Column, Group, Kind, Many, blank, tidy, write_line
from collect.written import rows

SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    "text": st.text(max_size=12),
    "whole": st.integers(-(2**63), 2**63 - 1),
    "real": st.floats(allow_nan=False, allow_infinity=False),
    "flag": st.booleans(),
}
KEPT = {"id", "path", "status", "schema_version"}


def values(kind: Kind) -> st.SearchStrategy[Any]:
    if isinstance(kind, Many):
        return st.lists(values(kind.of), max_size=2)
    if isinstance(kind, Group):
        return st.fixed_dictionaries({name: st.none() | values(inner) for name, inner in kind.fields})
    return SCALARS[kind]


def column(one: Column) -> st.SearchStrategy[Any]:
    if one.values:
        return st.sampled_from(one.values)
    if one.least is not None or one.most is not None:
        bounds = {"min_value": one.least, "max_value": one.most}
        if one.kind == "whole":
            return st.integers(int(one.least or 0), 2**40)
        return st.floats(**bounds, allow_nan=False, allow_infinity=False)
    return values(one.kind) if one.needed else st.none() | values(one.kind)


#: A few columns of all: a whole row of drawn values takes hypothesis a second.
FREE = [one for one in COLUMNS if one.name not in KEPT]
ROW = st.lists(st.sampled_from(FREE), max_size=5, unique_by=lambda one: one.name).flatmap(
    lambda chosen: st.fixed_dictionaries({one.name: column(one) for one in chosen})
)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.generate,))
@given(said=st.lists(ROW, min_size=1, max_size=3))
def test_every_format_gives_back_what_a_row_says(kind: Any, said: list[dict[str, Any]]) -> None:
    told = [
        blank(COLUMNS)
        | {"id": f"{n:016x}", "path": f"{n}.wav", "status": "done", "tool_version": "", "schema_version": 1}
        | row
        | {"audio_path": None}
        for n, row in enumerate(said)
    ]
    with tempfile.TemporaryDirectory() as place:
        with open_dataset(Path(place) / "d", kind) as data:
            for row in told:
                data.add_line(write_line(row, COLUMNS), None)
        assert [
            {name: value for name, value in row.items() if name not in ("settings", "row_sha256")}
            for row in rows(Path(place) / "d")
        ] == [{one.name: tidy(one.kind, row[one.name]) for one in COLUMNS} for row in told]
        assert list(check(Path(place) / "d")) == []


WITHOUT = """
import sys
sys.modules["pyarrow"] = None
from pathlib import Path
from chasqui.collect.folder import open_dataset
from chasqui.collect.page import write_summary
from chasqui.errors import NotInstalled
from collect.written import write
for kind in ("jsonl", "sqlite"):
    write(Path(sys.argv[1]) / kind, kind, 2)
    write_summary(Path(sys.argv[1]) / kind)
try:
    open_dataset(Path(sys.argv[1]) / "parquet", "parquet")
except NotInstalled as error:
    print(error)
"""


def test_json_lines_and_sqlite_need_no_package(tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-c", WITHOUT, str(tmp_path)],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert 'pip install "chasqui[data]"' in said.stdout, said.stderr
