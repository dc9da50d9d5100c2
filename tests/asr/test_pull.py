"""Fetching and checking models, through the hub's own client, from a hub on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chasqui.asr import Settings, open_recogniser
from chasqui.asr.pull import cached, check, pull
from chasqui.errors import BadModel, ModelAbsent

from .hub import Hub


@pytest.fixture
def hub(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    from huggingface_hub import constants

    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    with Hub(tiny) as running:
        running.files["README.md"] = b"# not needed"
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        yield running


def test_a_pulled_model_can_be_opened_by_its_name(hub: Hub) -> None:
    with pytest.raises(ModelAbsent, match=r"not pulled yet.*chasqui models pull tiny"):
        open_recogniser("whisper:tiny")
    assert hub.fetched == []
    folder = pull("tiny")
    assert sorted(path.name for path in folder.iterdir()) == sorted(hub.files.keys() - {"README.md"})
    opened = open_recogniser("whisper:tiny", Settings(apart=False))
    assert opened.languages is not None
    fetched = list(hub.fetched)
    assert pull("tiny") == folder == cached("Systran/faster-whisper-tiny")
    assert hub.fetched == fetched  # what is there is not fetched again


def test_every_byte_is_checked_against_what_the_hub_declared(hub: Hub) -> None:
    folder = pull("tiny")
    proofs = check("tiny")
    assert proofs["model.bin"].startswith("sha256 ")
    assert proofs["config.json"].startswith("sha1 ")
    assert all(proof.endswith(" as declared") for proof in proofs.values())
    blob = (folder / "model.bin").resolve()
    data = bytearray(blob.read_bytes())
    data[1000] ^= 1
    blob.write_bytes(data)
    with pytest.raises(BadModel, match="not those that the hub declared"):
        check("tiny")


def test_a_download_that_is_not_what_was_declared_is_found(hub: Hub) -> None:
    hub.broken = True
    pull("owner/name")
    with pytest.raises(BadModel):
        check("owner/name")


def test_a_folder_of_ones_own_is_hashed_and_loaded(tiny: Path) -> None:
    loaded: list[str] = []
    proofs = check(str(tiny), loaded.append)
    assert loaded == [str(tiny)]
    assert len(proofs["model.bin"].removeprefix("sha256 ")) == 64


def test_no_network_is_said(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ModelAbsent, match="the hub cannot be reached"):
        pull("base")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelAbsent, match="HF_HUB_OFFLINE forbids"):
        pull("base")


@pytest.mark.parametrize(
    ("name", "said"), [("nobody/model", "404"), ("bad name/x", "no name of a model"), ("huge", "nobody knows it")]
)
def test_what_the_hub_does_not_have_is_said(hub: Hub, name: str, said: str) -> None:
    with pytest.raises(ModelAbsent, match=said):
        pull(name)
