"""The table beside the recordings, as people write it, and as people break it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chasqui.errors import BadTable
from chasqui.run.beside import read_table


def table(tmp_path: Path, name: str, text: str | bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


SAID = {"a/1.wav": {"speaker": "Ana", "text": "Hola, mundo"}, "2.wav": {"speaker": "José"}}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("metadata.csv", '\ufefffile_name,speaker,text\na/1.wav,Ana,"Hola, mundo"\n./2.wav,José,\n'),
        ("metadata.tsv", "speaker_id\tpath\tsentence\nAna\ta/1.wav\tHola, mundo\nJosé\t2.wav\t\n"),
        (
            "metadata.jsonl",
            '{"file_name": "a/1.wav", "speaker": "Ana", "text": "Hola, mundo"}\n\n'
            '{"path": "2.wav", "speaker": "José", "text": null}\n',
        ),
    ],
)
def test_three_forms_of_the_same_table(tmp_path: Path, name: str, text: str) -> None:
    assert dict(read_table(table(tmp_path, name, text))) == SAID


def test_other_columns_travel_as_they_stand(tmp_path: Path) -> None:
    line = {"path": "a.wav", "licence": "CC0-1.0", "consent": "yes", "room": 7, "tags": ["a", "ñ"]}
    ((_, facts),) = read_table(table(tmp_path, "metadata.jsonl", json.dumps(line)))
    assert facts == {"licence": "CC0-1.0", "consent": "yes", "room": "7", "tags": '["a", "ñ"]'}


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("metadata.csv", "file_name,x\n,1\n", "line 2 does not say which file"),
        ("metadata.csv", "speaker,x\nAna,1\n", "line 2 does not say which file"),
        ("metadata.csv", "file_name,x\na.wav,1,2\n", "line 2 has more fields"),
        ("metadata.csv", 'file_name,x\na.wav,"1\n', "unexpected end of data"),
        ("metadata.csv", b"file_name\na\xff.wav\n", "not UTF-8"),
        ("metadata.jsonl", '{"path": "a.wav"}\n{"path": \n', "line 2: Expecting value"),
        ("metadata.jsonl", "[1]\n", "line 1 is no JSON object"),
    ],
)
def test_a_broken_table_is_told_with_its_line(tmp_path: Path, name: str, text: str | bytes, why: str) -> None:
    with pytest.raises(BadTable, match=why):
        list(read_table(table(tmp_path, name, text)))
