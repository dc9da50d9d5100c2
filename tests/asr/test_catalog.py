"""The catalog of models, and finding them on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from chasqui.asr.catalog import CATALOG, complete, find, fingerprint, repository_of
from chasqui.errors import BadModel, ModelAbsent

from .conftest import needs


def test_the_names_are_those_of_faster_whisper() -> None:
    needs("faster_whisper")
    from faster_whisper.utils import _MODELS

    assert {name: entry.repository for name, entry in CATALOG.items()}.items() <= _MODELS.items()


def test_numbers_make_sense() -> None:
    for entry in CATALOG.values():
        assert entry.megabytes == pytest.approx(2 * entry.parameters, rel=0.05), entry.name  # float16 at the hub
        assert entry.memory_mb > entry.parameters
        assert (entry.languages == 1) == (entry.name.endswith(".en") or entry.name.startswith("distil"))


@pytest.mark.parametrize(
    ("model", "repository"),
    [
        ("tiny", "Systran/faster-whisper-tiny"),
        ("me/mine", "me/mine"),
        ("./me/mine", None),
        ("/a/b", None),
        ("odd", None),
    ],
)
def test_names_and_repositories(model: str, repository: str | None) -> None:
    assert repository_of(model) == repository


def test_a_folder_must_be_whole(tmp_path: Path) -> None:
    with pytest.raises(BadModel, match=r"empty: config\.json, model\.bin, tokenizer\.json, vocabulary\.json"):
        find(str(tmp_path))
    for name in ("config.json", "model.bin", "tokenizer.json", "vocabulary.txt"):
        (tmp_path / name).write_text("x")
    assert complete(tmp_path) == find(str(tmp_path)) == tmp_path
    with pytest.raises(BadModel, match="no such folder"):
        find(str(tmp_path / "gone"))
    with pytest.raises(ModelAbsent, match="known: tiny"):
        find("gone")


def test_the_fingerprint_sees_every_file_and_no_place(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "model.bin").write_bytes(bytes(5_000_000))
    assert fingerprint(tmp_path / "a") == fingerprint(tmp_path / "b")
    (tmp_path / "b" / "model.bin").write_bytes(bytes(4_999_999) + b"\1")
    assert fingerprint(tmp_path / "a") != fingerprint(tmp_path / "b")
    (tmp_path / "a" / "config.json").write_text("{}")
    assert (
        len({fingerprint(tmp_path / "a"), fingerprint(tmp_path / "b"), fingerprint(tmp_path / "a", tmp_path / "b")})
        == 3
    )
