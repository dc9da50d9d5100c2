"""What a service keeps for itself: its secret is whole, and one for all who begin at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chasqui.errors import BadConfig
from chasqui.run import service
from chasqui.run.service import Service, read_service


def test_all_who_begin_at_once_have_the_same_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: Service(data=tmp_path / "data").secret(), range(40)))
    assert len(found) == 1
    assert len(found.pop()) == 64
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["secret"]
    assert (tmp_path / "data" / "secret").stat().st_mode & 0o777 == 0o600


def test_power_that_goes_in_the_middle_leaves_no_empty_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_descriptor: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(service.os, "fsync", gone)
        with pytest.raises(KeyboardInterrupt):
            Service(data=tmp_path).secret()
    assert not (tmp_path / "secret").exists()
    (tmp_path / "secret").touch()  # as older ones left it
    assert len(Service(data=tmp_path).secret()) == 64


@pytest.mark.parametrize(
    ("said", "why"), [("cook=3MB", "no role 'cook'"), ("teacher=much", "not a size"), ("teacher", "not a size")]
)
def test_limits_of_roles_that_mean_nothing_are_told_at_the_start(said: str, why: str) -> None:
    with pytest.raises(BadConfig, match=why):
        read_service({"CHASQUI_ROLE_BYTES": said})
    found = read_service({"CHASQUI_ROLE_BYTES": "teacher=600MB", "CHASQUI_UPLOAD_BYTES": "1000000"})
    assert found.most_bytes("teacher") == found.most_bytes("creator") == 1_000_000
