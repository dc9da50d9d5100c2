"""Whether bytes are an object's, by whatever it says of itself."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chasqui.errors import BadCopy
from chasqui.ingest.proof import MIB, Said, parts_md5, prove, sha256_of

BODY = bytes(range(256)) * (MIB // 256) * 5 + b"the end"  # five MiB and a bit
SHA256 = hashlib.sha256(BODY).hexdigest()
MD5 = hashlib.md5(BODY).hexdigest()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "clase.wav").write_bytes(BODY)
    return tmp_path / "clase.wav"


def etag(part_bytes: int) -> str:
    """As the server makes it, written down independently of ours."""
    parts = [hashlib.md5(BODY[at : at + part_bytes]).digest() for at in range(0, len(BODY), part_bytes)]
    return f"{hashlib.md5(b''.join(parts)).hexdigest()}-{len(parts)}"


def said(tag: str, **more: object) -> Said:
    return Said("clase.wav", len(BODY), tag)._replace(**more)


def test_the_best_proof_is_taken(file: Path) -> None:
    assert prove(file, said(MD5, sha256=SHA256)) == (SHA256, "sha256")
    assert prove(file, said(MD5)) == (SHA256, "md5")
    assert prove(file, said(etag(5 * MIB))) == (SHA256, "parts")
    assert prove(file, said("0x8DC-something-else")) == (SHA256, "size")


@pytest.mark.parametrize("part_bytes", [5 * MIB, MIB, 2 * MIB, 8 * MIB])
def test_lengths_of_parts_that_tools_choose_are_found(file: Path, part_bytes: int) -> None:
    assert prove(file, said(etag(part_bytes))) == (SHA256, "parts")


def test_a_length_that_the_server_knows_is_taken(file: Path) -> None:
    assert prove(file, said(etag(777_777), part_bytes=777_777)) == (SHA256, "parts")
    assert prove(file, said(etag(777_777))) == (SHA256, "size")  # nobody guesses that: no proof, and no complaint


def test_a_hidden_md5_proves_nothing(file: Path) -> None:
    assert prove(file, said("0" * 32, md5_hidden=True)) == (SHA256, "size")


@pytest.mark.parametrize(
    ("lie", "why"),
    [
        (said(MD5, bytes=len(BODY) + 1), "5242887 bytes instead of 5242888"),
        (said(MD5, sha256="0" * 64), "its SHA-256 is another"),
        (said("0" * 32), "its MD5 is another"),
        (said("0" * 32 + "-2", part_bytes=5 * MIB), "its parts have another MD5"),
    ],
    ids=["size", "sha256", "md5", "parts"],
)
def test_other_bytes_are_noticed(file: Path, lie: Said, why: str) -> None:
    with pytest.raises(BadCopy) as caught:
        prove(file, lie)
    assert caught.value.evidence == {"name": "clase.wav", "why": why}


@given(st.binary(min_size=1, max_size=2000), st.integers(1, 2100))
def test_parts_are_hashed_as_servers_do(tmp_path_factory: pytest.TempPathFactory, body: bytes, length: int) -> None:
    path = tmp_path_factory.getbasetemp() / "parts"
    path.write_bytes(body)
    each = [hashlib.md5(body[at : at + length]).digest() for at in range(0, len(body), length)]
    assert parts_md5(path, len(body), length) == hashlib.md5(b"".join(each)).hexdigest()


def test_a_sha256_is_found_where_servers_and_people_write_it() -> None:
    checksum = base64.b64encode(bytes.fromhex(SHA256)).decode()
    assert sha256_of({"ChecksumSHA256": checksum}, {}) == SHA256
    assert sha256_of({"ChecksumSHA256": checksum, "ChecksumType": "COMPOSITE"}, {}) is None
    assert sha256_of({"ChecksumSHA256": f"{checksum}-3"}, {}) is None
    assert sha256_of({}, {"sha256": SHA256.upper()}) == SHA256
    assert sha256_of({}, {"sha256": "unknown"}) is None
    assert sha256_of({"ChecksumSHA256": "?"}, {}) is None
