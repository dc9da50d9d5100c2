"""What a password really costs, and whom it tells nothing. Everywhere else in the tests they are hashed fast."""

from __future__ import annotations

from typing import Any

import argon2
import pytest

from chasqui.catalog import secrets

PASSWORD = "la llama come ichu"


@pytest.fixture
def passwords() -> None:
    """As they are."""


def test_a_password_costs_what_rfc_9106_asks_of_those_with_little_memory() -> None:
    kept = secrets.password_hash(PASSWORD)
    found = argon2.extract_parameters(kept)
    assert (found.type, found.version) == (argon2.Type.ID, 19)
    assert (found.memory_cost, found.time_cost, found.parallelism) == (65536, 3, 4)
    assert (found.salt_len, found.hash_len) == (16, 32)
    assert secrets.password_fits(kept, PASSWORD)
    assert not secrets.password_fits(kept, PASSWORD + "!")
    assert not secrets.password_outdated(kept)


def test_one_that_was_hashed_with_less_is_outdated_and_still_fits() -> None:
    kept = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    assert secrets.password_fits(kept, PASSWORD)
    assert secrets.password_outdated(kept)


def test_for_somebody_without_a_password_as_much_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the time that a refusal takes would tell who has an account."""
    asked: list[Any] = []
    real = secrets._hasher()

    class Noting:
        hash = staticmethod(real.hash)

        def verify(self, kept: str, password: str) -> bool:
            asked.append(argon2.extract_parameters(kept))
            return real.verify(kept, password)

    secrets._nobody.cache_clear()
    monkeypatch.setattr(secrets, "_hasher", Noting)
    assert not secrets.password_fits(None, PASSWORD)
    assert asked == [argon2.extract_parameters(real.hash(PASSWORD))]
