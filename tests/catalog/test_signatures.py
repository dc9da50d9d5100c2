"""Signatures of webhooks: only whoever knows the secret makes one, and only for these bytes, and only now."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chasqui.catalog.signatures import TOLERANCE_S, new_secret, sign, verify

SECRET = new_secret()


@given(st.binary(), st.binary())
def test_a_signature_is_good_for_its_bytes_alone(body: bytes, other: bytes) -> None:
    headers = sign(SECRET, "1", int(time.time()), body)
    assert verify(SECRET, headers, body)
    assert verify(SECRET, headers, other) == (body == other)
    assert not verify(new_secret(), headers, body)


@given(st.dictionaries(st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]), st.text()))
def test_whatever_comes_is_refused_and_not_choked_on(headers: dict[str, str]) -> None:
    assert not verify(SECRET, headers, b"{}")


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_each_header_matters(name: str) -> None:
    headers = sign(SECRET, "1", int(time.time()), b"{}")
    assert not verify(SECRET, {key: value for key, value in headers.items() if key != name}, b"{}")
    changed = "2" if name == "webhook-id" else str(int(time.time()) + 1) if "time" in name else "v1,AAAA"
    assert not verify(SECRET, headers | {name: changed}, b"{}")


def test_an_old_one_is_not_good_any_more() -> None:
    headers = sign(SECRET, "1", 1_000_000, b"{}")
    for apart, good in ((0, True), (TOLERANCE_S, True), (TOLERANCE_S + 1, False), (-TOLERANCE_S - 1, False)):
        assert verify(SECRET, headers, b"{}", now_s=1_000_000 + apart) == good


def test_headers_in_any_spelling_and_several_signatures() -> None:
    headers = sign(SECRET, "1", int(time.time()), b"{}")
    spelt = {name.title(): value for name, value in headers.items()}
    spelt["Webhook-Signature"] = f"v1,AAAA v2,xyz {spelt['Webhook-Signature']}"
    assert verify(SECRET, spelt, b"{}")


def test_the_example_of_the_scheme() -> None:
    """Made with the reference library (standardwebhooks 1.1.0)."""
    headers = sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_what_is_no_secret_is_said() -> None:
    with pytest.raises(ValueError, match="whsec_"):
        sign("whsec_###", "1", 1, b"")
