"""The door in a real Chromium, on a phone of 360 × 640: links, errors, cut lines, both languages, second factors."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select
from visiting import Visitor

from chasqui.catalog import accounts
from chasqui.catalog.tables import Invitation, Person

PASSWORD = "la llama come ichu"
ROSA = {"Nombre": "Rosa Quispe", "Correo": "rosa@escuela.pe", "Contraseña": PASSWORD}


def link_of(house: Any, role: str = "teacher") -> str:
    """A link that nobody has used."""
    return f"/invitation?lang=es#{accounts.invite(house.catalog, house.schools['ours'], role)}"


def person_of(house: Any, role: str = "teacher", email: str = "rosa@escuela.pe") -> None:
    link = accounts.invite(house.catalog, house.schools["ours"], role)
    accounts.accept(house.catalog, link, "Rosa Quispe", email, PASSWORD)


def addresses(visitor: Visitor) -> list[str]:
    """Where going back and forward leads."""
    return [entry["url"] for entry in visitor.chromium.call("Page.getNavigationHistory")["entries"]]


def test_a_link_makes_an_account_and_is_gone(house: Any, visitor: Visitor) -> None:
    visitor.open(link_of(house)).is_at("/invitation")
    visitor.press("Crear la cuenta")
    assert set(visitor.wrong()) == {"name", "email", "password"}
    assert visitor.wrong()["email"] == "Escriba su correo completo, como rosa@escuela.pe."
    assert visitor.run("document.activeElement.id") == "name"

    visitor.write(**{**ROSA, "Contraseña": "12345678"}).press("Crear la cuenta")
    visitor.sees("es de las primeras que cualquiera probaría")
    assert list(visitor.wrong()) == ["password"]

    visitor.press("Mostrar la contraseña")
    assert visitor.run("document.getElementById('password').type") == "text"
    visitor.press("English").sees("Make your account")
    assert visitor.run("[...document.querySelectorAll('input')].map((one) => one.value)")[:3] == [
        *("Rosa Quispe", "rosa@escuela.pe", "12345678"),
    ]
    assert "chq_l_" in visitor.run("location.hash")

    visitor.write(Password=PASSWORD).press("Make the account").is_at("/me")
    visitor.sees("You are in", "Rosa Quispe", "Teacher at ours")
    assert visitor.run("location.search") == "?lang=en"
    assert [address for address in addresses(visitor) if "chq_l_" in address] == []
    assert "chq_l_" not in json.dumps(visitor.run("({...localStorage, ...sessionStorage})"))
    assert PASSWORD not in json.dumps(visitor.run("({...localStorage, ...sessionStorage})"))
    with house.catalog.reading() as db:
        assert db.scalar(select(Person.email).where(Person.name == "Rosa Quispe")) == "rosa@escuela.pe"


def test_links_that_lead_nowhere_are_told_from_each_other(house: Any, visitor: Visitor) -> None:
    used = link_of(house)
    visitor.open(used[:-9]).sees("El enlace está incompleto", "pida otro a quien se lo envió")
    assert "Nombre" not in visitor.text()
    person_of(house, email="otra@escuela.pe")
    with house.catalog.writing() as db:
        for invitation in db.scalars(select(Invitation)):
            invitation.expires_s = 1.0
    visitor.run(f"location.hash = {json.dumps(used.partition('#')[2])}")
    visitor.write(**ROSA).press("Crear la cuenta").sees("Este enlace ya no sirve", "Entrar")
    assert "Crear la cuenta" not in visitor.text()
    visitor.run(f"location.hash = {json.dumps(link_of(house).partition('#')[2])}")
    visitor.sees("Crear la cuenta").press("Crear la cuenta").is_at("/me")  # what was written was still there


def test_an_answer_that_was_cut_off_costs_nobody_their_account(house: Any, visitor: Visitor) -> None:
    visitor.open(link_of(house)).is_at("/invitation")
    visitor.hold("/api/v1/people")
    visitor.write(**ROSA).press("Crear la cuenta").sees("Enviando…")
    visitor.sees("La conexión está lenta")
    visitor.cut()
    visitor.sees("la conexión se cortó. Lo que escribió sigue aquí")
    assert "lenta" not in visitor.text()
    with house.catalog.reading() as db:
        assert db.scalar(select(Person.id).where(Person.email == ROSA["Correo"]))  # it was made, and the link is spent
    visitor.press("Crear la cuenta").is_at("/me").sees("Rosa Quispe")


def test_a_link_that_somebody_else_used_meanwhile_lets_nobody_in(house: Any, visitor: Visitor) -> None:
    link = link_of(house)
    visitor.open(link).is_at("/invitation")
    accounts.accept(house.catalog, link.partition("#")[2], "Otra", ROSA["Correo"], "otra contraseña larga")
    visitor.write(**ROSA)
    visitor.hold("/api/v1/people")
    visitor.press("Crear la cuenta")
    visitor.cut()
    visitor.sees("se cortó").press("Crear la cuenta").sees("Este enlace ya no sirve")
    assert visitor.run("location.pathname") == "/invitation"


def test_a_class_is_made_and_its_students_come_in(house: Any, visitor: Visitor) -> None:
    visitor.open(link_of(house)).is_at("/invitation").write(**ROSA).press("Crear la cuenta").is_at("/me")
    visitor.sees("Clases").write(Nombre_de_la_clase="4.º B <b>").press("Hacer una clase").sees("4.º B <b>")
    code = visitor.run("document.querySelector('#rooms b').innerText")
    assert "Invitar a alguien" not in visitor.text()
    visitor.press("Salir").is_at("/enter")
    assert visitor.run("localStorage.length") == 0
    visitor.write(Código_de_la_clase="ZZZ ZZZZ", Apodo="Illa").press("Entrar").sees("Ninguna clase tiene este código")
    assert list(visitor.wrong()) == ["class-code"]
    visitor.write(Código_de_la_clase=code.lower()).press("Entrar").is_at("/me").sees("Illa", "Estudiante en ours")
    assert "Segundo factor" not in visitor.text()
    visitor.open("/enter?lang=es").sees("En este aparato ya entró: Illa").press("Illa").is_at("/me")


def test_whoever_invites_sets_up_a_second_factor_where_one_is_wanted(house: Any, visitor: Visitor) -> None:
    import pyotp

    house.app.extensions["service"] = house.service.model_copy(update={"second_factor": "yes"})
    visitor.open(link_of(house, "administrator")).is_at("/invitation").write(**ROSA).press("Crear la cuenta")
    visitor.is_at("/me").sees("Invitar a alguien").press("Hacer un enlace").sees("necesita un segundo factor")
    visitor.press("Configurar el código").sees("1. Ponga la clave en la aplicación")
    secret = visitor.run("document.getElementById('secret').textContent")
    assert visitor.run("document.getElementById('otpauth').href").startswith("otpauth://totp/Chasqui:")
    assert f"secret={secret}" in visitor.run("document.getElementById('otpauth').href")
    codes = pyotp.TOTP(secret)
    visitor.write(Código_de_seis="12").press("Confirmar").sees("No es ese código")
    visitor.write(Código_de_seis=codes.now()).press("Confirmar").sees("Listo. Desde ahora")
    visitor.press("Hacer un enlace").sees("Invitación a Chasqui: Docente", "funciona solo en esta computadora")
    link = visitor.run("document.getElementById('link').textContent")
    assert visitor.run("decodeURIComponent(document.getElementById('whatsapp').href)").endswith(link)
    visitor.press("English").sees("Invitation to Chasqui: Teacher", link.partition("#")[2][-9:]).press("Español")
    visitor.sees("Está dentro").press("Salir").is_at("/enter")

    visitor.press("Tengo correo").write(Correo=ROSA["Correo"], Contraseña=PASSWORD).press("Entrar")
    visitor.sees("Código de seis cifras")
    visitor.write(Código_de_seis="000000").press("Entrar").sees("Algo no coincide")
    visitor.write(Código_de_seis=codes.at(_later(codes))).press("Entrar").is_at("/me").sees(ROSA["Correo"])
    visitor.press("Configurar el código").sees("Ya tiene uno")  # it is not taken away without its code


def test_it_says_what_the_lock_says_and_that_nobody_is_in(house: Any, visitor: Visitor) -> None:
    person_of(house)
    visitor.open("/me?lang=es").is_at("/enter")
    visitor.press("Tengo correo").write(Correo=ROSA["Correo"])
    for number in range(6):
        visitor.write(Contraseña=f"no es esta {number}").press("Entrar").until(
            "!document.querySelector('#sessions button').disabled", "an answer"
        )
    visitor.sees("Demasiados intentos equivocados. Espere")
    assert visitor.run("document.getElementById('email').value") == ROSA["Correo"]


def test_everybody_can_read_and_use_it(house: Any, visitor: Visitor) -> None:
    person_of(house, "administrator")
    link = f"#chq_l_{'x' * 43}"
    for path in ("/", f"/invitation{link}", f"/password{link}", "/enter", "/enter#email", "/me"):
        for width in (320, 1280):
            visitor.open(path, width)
            visitor.until("document.readyState === 'complete' && !document.querySelector('button[disabled]')", path)
            visitor.run(f"({FAIL})()")
            assert visitor.run("document.documentElement.scrollWidth - innerWidth") <= 0, path
            for scheme in ("light", "dark") if width == 320 else ():
                features = [{"name": "prefers-color-scheme", "value": scheme}]
                visitor.chromium.call("Emulation.setEmulatedMedia", features=features)
                assert visitor.run(f"({FAINT})()") == [], (path, scheme)
        assert visitor.run(f"({NAMELESS})()") == [], path
        assert [said for said in visitor.chromium.complaints() if '"level": "verbose"' not in said] == [], path
        assert {address.split("/")[2] for address in visitor.chromium.requests()} == {visitor.run("location.host")}
        if path == "/enter#email":
            visitor.write(**{"E-mail": ROSA["Correo"], "Password": PASSWORD}).press("Sign in").is_at("/me")


def test_without_its_script_a_page_sends_nothing_and_says_why(house: Any, visitor: Visitor) -> None:
    visitor.chromium.call("Network.setBlockedURLs", urls=["*door.js"])
    visitor.run(f"location.href = {json.dumps(link_of(house))}")
    visitor.until("location.pathname === '/invitation' && document.readyState === 'complete'", "the page")
    visitor.sees("La página no llegó completa")
    assert visitor.run("document.querySelector('#people button').disabled")
    visitor.run("document.getElementById('people').submit()")  # not even then
    assert not visitor.run("location.search").count("password")
    visitor.chromium.call("Network.setBlockedURLs", urls=[])


#: All that can be sent is sent empty, so that what is wrong can be seen.
FAIL = """() => [...document.querySelectorAll("form")]
  .filter((form) => form.getClientRects().length && /^(people|class|classes|sessions|renew)$/.test(form.id))
  .forEach((form) => form.querySelector("button").click())"""
#: Texts that can be seen and have less contrast to what lies behind them than WCAG AA asks for.
FAINT = """() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (one) => {
    for (; one; one = one.parentElement) {
      const colour = rgb(getComputedStyle(one).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const texts = [...document.querySelectorAll("body *")].filter((one) => one.getClientRects().length &&
    [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
  const contrast = (one) => {
    const [a, b] = [light(rgb(getComputedStyle(one).color)), light(behind(one))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  };
  return texts.filter((one) => contrast(one) < 4.5).map((one) => one.outerHTML);
}"""
#: Fields and buttons that a screen reader could not name, or that a thumb misses.
NAMELESS = """() => [...document.querySelectorAll("input, select, button, a")].filter((one) => {
  const box = one.getBoundingClientRect();
  if (!one.getClientRects().length || box.width < 2) return false;
  const name = one.labels && one.labels.length ? one.labels[0].innerText : one.innerText;
  const small = one.tagName !== "A" && one.type !== "checkbox" && box.height < 44;
  return !name.trim() || small;
}).map((one) => one.outerHTML)"""


def _later(codes: Any) -> int:
    """A moment in the next interval: a code is good once."""
    import time

    return int(time.time()) + int(codes.interval)
