"""Guessing: passwords, codes of classes, links, from one place and from many."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from attacks import PASSWORD, member, serving, sign_in

from chasqui.catalog import accounts, factors
from chasqui.catalog.tables import Person
from chasqui.errors import NameTaken
from chasqui.web.limits import Counters, place_of


def test_a_thousand_wrong_passwords_end_after_a_few(house: Any) -> None:
    member(house)
    client = house.app.test_client()
    said = [sign_in(client, f"wrong {n}") for n in range(1000)]
    codes = [one.json["code"] for one in said]
    assert codes[:5] == ["SignInRefused"] * 5
    assert codes[5:20] == ["AccountLocked"] * 15
    assert set(codes[20:]) == {"TooManyTries"}
    assert 1 <= int(said[5].headers["Retry-After"]) <= 60
    elsewhere = sign_in(client, environ_base={"REMOTE_ADDR": "203.0.113.9"})
    assert elsewhere.json["code"] == "AccountLocked"  # the right one does not get in either, for now


def test_one_guess_at_each_of_many_accounts_ends_too(house: Any) -> None:
    member(house)
    client = house.app.test_client()
    codes = [sign_in(client, "peru2026!", f"maestra{n}@example.pe").json["code"] for n in range(30)]
    assert codes == ["SignInRefused"] * 20 + ["TooManyTries"] * 10
    refused = sign_in(client)
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 900
    elsewhere = {"REMOTE_ADDR": "203.0.113.9"}
    assert sign_in(client, environ_base=elsewhere).status_code == 201  # others go on


def test_what_is_right_is_not_counted(house: Any) -> None:
    member(house)
    assert {sign_in(house.app.test_client()).status_code for _ in range(40)} == {201}


def test_codes_of_classes_and_links_are_not_found_by_trying(house: Any) -> None:
    client = house.app.test_client()
    said = [client.post("/api/v1/sessions/class", json={"code": f"KPT34{n:02d}", "nickname": "W"}) for n in range(35)]
    assert [one.status_code for one in said] == [404] * 30 + [429] * 5
    body = {"name": "Rosa", "email": "rosa@example.pe", "password": PASSWORD}
    said = [client.post("/api/v1/people", json={**body, "link": f"chq_l_{n}"}) for n in range(22)]
    assert [one.status_code for one in said] == [410] * 20 + [429] * 2


def test_guesses_at_the_same_moment_are_all_counted(house: Any) -> None:
    person = member(house)
    threads = [threading.Thread(target=sign_in, args=[house.app.test_client(), "wrong"]) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with house.catalog.reading() as db:
        found = db.get_one(Person, person)
    assert found.failures == factors.TRIES  # the rest found it locked
    assert sign_in(house.app.test_client()).json["code"] == "AccountLocked"


def test_a_place_is_an_address_or_the_network_of_one_customer() -> None:
    assert place_of("203.0.113.9") == place_of("::ffff:203.0.113.9") == "203.0.113.9"
    assert place_of("2001:db8:1:2::1") == place_of("2001:db8:1:2:ffff::9") == "2001:db8:1:2::/64"
    assert place_of("") == ""


def test_an_address_that_the_caller_makes_up_is_not_believed(house: Any) -> None:
    client = house.app.test_client()
    codes = [sign_in(client, "x", headers={"X-Forwarded-For": f"198.51.100.{n}"}).json["code"] for n in range(21)]
    assert codes[-1] == "TooManyTries"
    behind = serving(house, proxies=1).test_client()  # an operator's own proxy is
    codes = [sign_in(behind, "x", headers={"X-Forwarded-For": f"198.51.100.{n}"}).json["code"] for n in range(21)]
    assert codes[-1] == "SignInRefused"


@pytest.mark.parametrize("url", ["memory:", "redis://127.0.0.1:1/0"])
def test_tries_are_counted_where_redis_is_away(url: str) -> None:
    counters = Counters(url)
    for _ in range(20):
        assert counters.wait_s("passwords", "x") is None
        counters.count("passwords", "x")
    assert 0 < (counters.wait_s("passwords", "x") or 0) <= 900
    assert counters.wait_s("passwords", "y") is None


def test_a_hundred_guesses_at_the_same_moment_are_no_more_than_one_after_the_other(house: Any) -> None:
    start, codes = threading.Barrier(60), []

    def guess(n: int) -> None:
        client = house.app.test_client()
        start.wait()
        codes.append(sign_in(client, "peru2026!", f"maestra{n}@example.pe").json["code"])

    threads = [threading.Thread(target=guess, args=[n]) for n in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == ["SignInRefused"] * 20 + ["TooManyTries"] * 40


def test_an_address_and_a_password_are_the_same_however_they_are_written(house: Any) -> None:
    link = accounts.invite(house.catalog, house.schools["ours"], "teacher")
    accounts.accept(house.catalog, link, "Begoña", "begoña@example.pe", "la contraseña más larga")
    client = house.app.test_client()
    for email in ("begoña@example.pe", "BEGOÑA@example.pe", "begon\u0303a@example.pe", " bego\u200bña@example.pe"):
        assert sign_in(client, "la contrasen\u0303a ma\u0301s larga", email).status_code == 201, ascii(email)
    for twin in ("\u2066begoña@example.pe", "ｂegoña@example.pe"):
        link = accounts.invite(house.catalog, house.schools["ours"], "teacher")
        with pytest.raises(NameTaken):
            accounts.accept(house.catalog, link, "B", twin, PASSWORD)
