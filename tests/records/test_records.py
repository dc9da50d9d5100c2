"""Every record survives its trip through JSON; what does not belong in one is refused."""

from __future__ import annotations

import inspect
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from chasqui import records
from chasqui.records import Blob, Record, Request, Segment

KINDS = [
    kind for _, kind in inspect.getmembers(records, inspect.isclass) if issubclass(kind, Record) and kind is not Record
]
HEX = "0123456789abcdef"


def values(annotation: Any, pattern: str | None = None, smallest: int | None = None) -> st.SearchStrategy[Any]:
    """What a field of this type may hold."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if pattern is not None:
        length = int(pattern.split("{")[1].split("}")[0])
        return st.text(HEX, min_size=length, max_size=length)
    if origin is Literal:
        return st.sampled_from(inner)
    if origin in (UnionType, Union):
        return st.one_of(*(values(kind) for kind in inner))
    if origin is tuple:
        return st.lists(values(inner[0]), max_size=3).map(tuple)
    if origin is dict:
        return st.dictionaries(values(inner[0]), values(inner[1]), max_size=3)
    if inspect.isclass(annotation) and issubclass(annotation, Record):
        return record(annotation)
    simple = {
        str: st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
        int: st.integers(min_value=smallest),
        float: st.floats(allow_nan=False, allow_infinity=False),
        bool: st.booleans(),
        NoneType: st.none(),
    }
    return simple[annotation]


def record(kind: type[Record]) -> st.SearchStrategy[Record]:
    fields = {}
    for name, field in kind.model_fields.items():
        pattern = next((m.pattern for m in field.metadata if hasattr(m, "pattern")), None)
        smallest = next((m.ge for m in field.metadata if hasattr(m, "ge")), None)
        fields[name] = values(field.annotation, pattern, smallest)
    return st.builds(kind, **fields)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_record_comes_back_from_json_as_it_was(kind: type[Record], data: st.DataObject) -> None:
    made = data.draw(record(kind))
    assert kind.model_validate_json(made.model_dump_json()) == made
    assert kind.model_validate(made.model_dump(mode="json")) == made


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_unknown_fields_are_refused(kind: type[Record]) -> None:
    with pytest.raises(ValidationError, match="surprise"):
        kind.model_validate({"surprise": 1})


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_fields_left_out_of_keys_exist(kind: type[Record]) -> None:
    assert kind.unkeyed <= kind.model_fields.keys()


def test_records_are_frozen() -> None:
    segment = Segment(index=0, start_packet=0, packets=10, kind="speech", speech_share=1.0)
    with pytest.raises(ValidationError, match="frozen"):
        segment.packets = 11  # type: ignore[misc]
    assert segment.end_packet == 10


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_numbers_that_json_does_not_know_are_refused(wrong: float) -> None:
    with pytest.raises(ValidationError):
        Segment(index=0, start_packet=0, packets=1, kind="speech", speech_share=wrong)


def test_hashes_and_ids_must_look_like_what_they_are() -> None:
    for bad in ("", "x" * 64, "A" * 64, "0" * 63):
        with pytest.raises(ValidationError):
            Blob(path="a/b", bytes=1, sha256=bad)
    with pytest.raises(ValidationError):
        Request(recording_id="../../etc/passwd", path="", name="", sha256="", bytes=0)


def test_a_blob_is_called_like_its_file() -> None:
    assert Blob(path="1/encode/2/voice.opus", bytes=1, sha256="0" * 64).name == "voice.opus"
