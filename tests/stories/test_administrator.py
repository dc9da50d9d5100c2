"""An administrator sets up a school: the printed link in a browser, a second factor, people, a class, a farewell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from absent import missing


@pytest.fixture
def serving(surroundings: dict[str, str], tmp_path: Path) -> Iterator[Any]:
    try:
        import cheroot  # noqa: F401
        import flask_openapi3  # noqa: F401
        import pyotp  # noqa: F401
    except ImportError:
        missing("chasqui[serve]")
    from serving import Serving

    made = Serving(tmp_path / "data", surroundings, worker=False)
    yield made
    made.end()


@pytest.fixture
def visitor(serving: Any, tmp_path: Path) -> Iterator[Any]:
    from visiting import Visitor, browser

    with browser(tmp_path / "profile") as opened:
        yield Visitor(opened, serving.url)


def test_a_school_from_its_first_link_to_somebody_who_leaves(serving: Any, visitor: Any) -> None:
    import pyotp
    from serving import PASSWORD, Browser

    # The printed link, opened in a browser, makes the administrator, once.
    rosa = {"Nombre": "Rosa", "Correo": "rosa@example.pe", "Contraseña": PASSWORD}
    visitor.open(f"/invitation#{serving.first_link}").is_at("/invitation")
    if "Español" in visitor.text():
        visitor.press("Español")
    visitor.sees("Cree su cuenta").write(**rosa).press("Crear la cuenta").is_at("/me").sees("Administración en Escuela")
    body = {"link": serving.first_link, "name": "Otra", "email": "otra@example.pe", "password": PASSWORD}
    assert Browser(serving.url)("POST", "people", body)[0] == 410

    # A second factor: from now on the password alone is not enough.
    visitor.press("Configurar el código").sees("Ponga la clave en la aplicación")
    codes = pyotp.TOTP(visitor.run("document.getElementById('secret').textContent"))
    visitor.write(Código_de_seis=codes.now()).press("Confirmar").sees("Listo. Desde ahora")
    again, signing = Browser(serving.url), {"email": "rosa@example.pe", "password": PASSWORD}
    status, told = again("POST", "sessions", signing)
    assert (status, told["code"]) == (401, "SecondFactorNeeded")
    assert "seis" in told["detail"]
    following = codes.generate_otp(codes.timecode(_now()) + 1)
    assert again("POST", "sessions", {**signing, "code": following})[0] == 201
    assert again("GET", "me")[1]["role"] == "administrator"
    status, school = again("GET", "school")
    assert (status, school["used_bytes"]) == (200, 0)

    # A teacher comes by the link on the page, makes a class, and its students come by their code alone.
    visitor.press("Hacer un enlace").sees("Invitación a Chasqui: Docente")
    link = visitor.run("document.getElementById('link').textContent")
    assert link.startswith(f"{serving.url}/invitation#")
    teacher = Browser(serving.url)
    me = teacher.accept(link.partition("#")[2], "Wayra", "wayra@example.pe")
    status, room = teacher("POST", "classes", {"name": "4.º B"})
    assert status == 201
    students = []
    for nickname in ("Illa", "Amaru"):
        students.append(Browser(serving.url))
        status, entered = students[-1]("POST", "sessions/class", {"code": room["code"], "nickname": nickname})
        assert (status, entered["role"]) == (201, "student")
    assert students[0]("GET", "lessons") == (200, {"items": [], "next": None})
    assert students[0]("POST", "classes", {"name": "mía"})[0] == 403
    assert students[0]("GET", "people")[0] == 403
    status, wrong = Browser(serving.url)("POST", "sessions/class", {"code": "ZZZZZZZ", "nickname": "Killa"})
    assert (status, wrong["code"]) == (404, "UnknownClass")

    # A program of the teacher's may upload and nothing else.
    key = teacher.token("uploads.write")
    program = {"Authorization": f"Bearer {key}"}
    assert Browser(serving.url)("GET", "people", None, **program)[0] == 403
    tus = {**program, "Tus-Resumable": "1.0.0", "Upload-Length": "5"}
    assert Browser(serving.url)("POST", "uploads", None, **tus)[0] == 201

    # The teacher leaves: session, key and links end at once; the class goes on without.
    status, people = again("GET", "people?limit=200")
    assert {one["name"] for one in people["items"]} == {"Rosa", "Wayra", "Illa", "Amaru"}
    assert again("DELETE", f"people/{me['person_id']}")[0] == 204
    assert teacher("GET", "me")[0] == 401
    assert Browser(serving.url)("POST", "uploads", None, **tus)[0] == 401
    assert Browser(serving.url)("POST", "sessions", {"email": "wayra@example.pe", "password": PASSWORD})[0] == 401
    assert students[1]("GET", "me")[0] == 200


def _now() -> Any:
    import datetime

    return datetime.datetime.now()
