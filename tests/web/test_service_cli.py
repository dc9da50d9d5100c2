"""`chasqui service`: how it is and the first operator, for whoever has a terminal there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chasqui import cli
from chasqui.catalog import accounts
from chasqui.errors import BadConfig
from chasqui.web.api.service import ServiceShape

PASSWORD = "la llama come ichu"


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main(["service", *arguments])
    return int(ended.value.code or 0)


def test_it_says_what_the_route_says(house: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--data", str(house.service.data)) == 0
    told = json.loads(capsys.readouterr().out)
    ServiceShape.model_validate(told)
    asked = house.client("operator")("GET", "service").json
    assert set(told) == set(asked)
    assert (told["jobs"], told["parts"], told["up_s"]) == (asked["jobs"], asked["parts"], None)


def test_in_numbers(house: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--data", str(house.service.data), "--metrics") == 0
    told = capsys.readouterr().out
    assert 'chasqui_part_up{part="catalog",kind="sqlite"} 1.0' in told.splitlines()
    assert "start_time" not in told  # no server tells this


def test_it_makes_the_first_operator_who_sees_and_does(
    house: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHASQUI_PUBLIC_URL", "https://escuela.pe/")
    monkeypatch.setenv("CHASQUI_LANG", "en")
    assert run("--data", str(house.service.data), "--operator") == 0
    said = capsys.readouterr().out
    assert "an operator's account" in said
    place, _, link = said.split()[-1].partition("#")
    assert place == "https://escuela.pe/invitation"
    actor = accounts.accept(house.catalog, link, "Op", "op@escuela.pe", PASSWORD)
    assert (actor.role, actor.school_id) == ("operator", None)
    client = house.client(None)
    csrf = client("POST", "sessions", {"email": "op@escuela.pe", "password": PASSWORD}).json["csrf"]
    body = {"name": "watch", "scopes": ["service.read"]}
    token = client("POST", "tokens", body, headers={"X-CSRF-Token": csrf}).json["token"]
    watch = house.client(None)
    watch.token = token
    assert watch("GET", "service").status_code == 200
    assert watch("GET", "service/metrics").status_code == 200
    assert watch("POST", "service/retries", {}).status_code == 403


def test_where_there_is_no_service_none_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--data", str(tmp_path / "nothing")) == BadConfig.exit_code
    assert "no hay ningún servicio" in capsys.readouterr().err
    assert not (tmp_path / "nothing").exists()
