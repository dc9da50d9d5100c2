"""lesson.json says exactly what is in the folder, and nothing about who packed it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from chasqui.publish.manifest import Manifest, json_schema

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def made(publish):
    return publish()


@pytest.fixture
def manifest(made):
    return json.loads(made.files["lesson.json"])


def test_every_file_is_listed_with_its_exact_bytes_and_hash(made, manifest):
    listed = {entry["name"]: entry for entry in manifest["renditions"] + manifest["files"]}
    assert set(listed) == set(made.files) - {"lesson.json"}
    for name, entry in listed.items():
        assert entry["bytes"] == len(made.files[name])
        assert entry["sha256"] == hashlib.sha256(made.files[name]).hexdigest()


def test_it_can_be_read_back(made):
    manifest = Manifest.model_validate_json(made.files["lesson.json"])
    assert manifest.schema_ == "chasqui-lesson-1"
    assert manifest.id == made.lesson.recording_id


def test_targets_are_claimed_only_for_the_bytes_that_were_scored(manifest):
    targets = {sound["name"]: sound["targets"] for sound in manifest["renditions"]}
    assert targets == {"voice.opus": ["understood", "comfortable"], "voice.mp3": []}


def test_no_path_of_the_packing_machine_is_in_any_file(made):
    for name in ("lesson.json", "report.html"):
        assert b"secreto" not in made.files[name]
        assert b"/home/" not in made.files[name]


def test_the_order_of_tags_does_not_change_the_bytes(publish):
    one = publish(recording={"tags": {"a": "1", "b": "2"}}).files["lesson.json"]
    other = publish(recording={"tags": {"b": "2", "a": "1"}}).files["lesson.json"]
    assert one == other


def test_the_documented_schema_is_the_real_one():
    # Written by: python -c "from chasqui.publish.manifest import json_schema; print(json_schema().decode(), end='')"
    assert (DOCS / "manifest.schema.json").read_bytes() == json_schema()


def test_the_documentation_names_every_field_of_the_schema():
    text = (DOCS / "manifest.md").read_text(encoding="utf-8")
    definitions = json.loads(json_schema())
    kinds = [definitions, *definitions["$defs"].values()]
    missing = {name for kind in kinds for name in kind["properties"] if f"`{name}`" not in text}
    assert not missing
