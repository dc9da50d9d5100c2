"""Passwords, keys, links and one-time codes. Argon2 and TOTP are libraries' work; only hashes are kept.

Keys and links are 256 random bits, so a plain SHA-256 of them is enough: nobody can guess what it came from. Passwords
are what people think of, so they get Argon2id with the library's current parameters (RFC 9106, low memory).
"""

from __future__ import annotations

import hashlib
import secrets
import time
import unicodedata
from functools import cache
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from chasqui.errors import WeakPassword

if TYPE_CHECKING:
    from argon2 import PasswordHasher

#: Keys begin so, for people who find one in a file and for programs that search for lost ones.
TOKEN, LINK, SESSION = "chq_t_", "chq_l_", "chq_s_"
#: NIST SP 800-63B: at least 8 characters, at least 64 allowed, no rules about which.
SHORTEST, LONGEST = 8, 256
#: What many people would try first; the whole lists are megabytes.
TOO_COMMON = frozenset(
    {
        "12345678", "123456789", "1234567890", "87654321", "11111111", "00000000", "password", "contraseña",
        "contrasena", "password1", "qwertyui", "qwerty123", "abcd1234", "abc12345", "iloveyou", "teamo123",
        "profesor", "profesora", "estudiante", "colegio1", "peru2024", "peru2025", "peru2026", "chasqui1",
        "chasqui123", "administrador",
    }
)  # fmt: skip
#: Letters and digits that nobody mistakes for another, on a blackboard or over the telephone.
PLAIN_LETTERS = "ABCDEFGHJKMNPQRTUVWXY346789"
CODE_LETTERS = 7
#: One code of 30 s before and after: phones without a network have clocks that go wrong.
TOTP_SLACK = 1
TOTP_S = 30
#: Each hash takes 64 MB and a core: a hundred wrong passwords at once wait for each other, not for memory.
HASHING = BoundedSemaphore(2)


def new_key(kind: str) -> str:
    """A secret that is shown once."""
    return kind + secrets.token_urlsafe(32)


def key_hash(key: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


def new_class_code() -> str:
    """Seven letters, 10¹⁰ codes: with thirty tries an hour from one address nobody finds one by chance."""
    return "".join(secrets.choice(PLAIN_LETTERS) for _ in range(CODE_LETTERS))


def plain_code(typed: str) -> str:
    """A class code as it is kept, however it was typed: small letters, spaces, dashes."""
    return "".join(letter for letter in typed.upper() if letter in PLAIN_LETTERS)[: CODE_LETTERS + 1]


def password_hash(password: str, *about: str) -> str:
    """Argon2id of a password. `about`: names and addresses that it must not be.

    Raises:
        WeakPassword: too short, too long, or the first thing that anybody would try.
    """
    password = _composed(password)
    if len(password) < SHORTEST:
        raise WeakPassword(why=f"it has fewer than {SHORTEST} characters")
    if len(password) > LONGEST:
        raise WeakPassword(why=f"it has more than {LONGEST} characters")
    if password.casefold() in TOO_COMMON | {word.casefold() for word in about} or len(set(password)) < 3:
        raise WeakPassword(why="it is one of the first that anybody would try")
    with HASHING:
        return _hasher().hash(password)


def password_fits(kept: str | None, password: str) -> bool:
    """Whether this is the password. Takes as long for somebody who has none, so that time tells nothing."""
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        with HASHING:
            return _hasher().verify(kept or _nobody(), _composed(password)[: LONGEST + 1]) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def _composed(password: str) -> str:
    """The same letters however a keyboard writes them (NIST SP 800-63B): an ñ may be one character or two."""
    return unicodedata.normalize("NFKC", password)


def password_outdated(kept: str) -> bool:
    """Whether it was hashed with weaker parameters than today's."""
    return _hasher().check_needs_rehash(kept)


def new_totp() -> str:
    """A secret for an authenticator app."""
    import pyotp

    return pyotp.random_base32()


def totp_link(secret: str, name: str) -> str:
    """What the app reads from the picture."""
    import pyotp

    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name="Chasqui")


def totp_number(secret: str, code: str, last: int | None) -> int | None:
    """The number of the interval that a code belongs to, if it is right and newer than the last that was used."""
    import pyotp

    now, typed = int(time.time()) // TOTP_S, "".join(code.split())[:8].encode()
    for number in range(now - TOTP_SLACK, now + TOTP_SLACK + 1):
        fits = secrets.compare_digest(pyotp.TOTP(secret).at(number * TOTP_S).encode(), typed)
        if fits and (last is None or number > last):
            return number
    return None


@cache
def _hasher() -> PasswordHasher:
    import argon2

    return argon2.PasswordHasher.from_parameters(argon2.profiles.RFC_9106_LOW_MEMORY)


@cache
def _nobody() -> str:
    return _hasher().hash(secrets.token_urlsafe())
