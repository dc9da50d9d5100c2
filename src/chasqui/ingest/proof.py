"""Are these the bytes that the bucket holds? Whatever the object says of itself is checked; `proof` says what that was.

An ETag is the MD5 of an object that was uploaded in one piece and not encrypted with a key of its own, and for one of N
parts the MD5 of their MD5s with `-N` behind it (https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html).
The server knows how long the first part was, or it is guessed: tools upload in whole MiB.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from chasqui.errors import BadCopy

Proof = Literal["sha256", "md5", "parts", "size"]

READ_BYTES = 1 << 20
MIB = 1 << 20
#: What tools choose, most common first: boto3 and the AWS CLI 8 MiB, MinIO and Ceph 16, s3cmd 15, rclone 5, and others.
USUAL_PARTS = tuple(size * MIB for size in (8, 16, 5, 15, 64, 128, 10, 32, 50, 100, 25, 256, 512))
#: Each guess reads the file once more.
MOST_GUESSES = 4


class Said(NamedTuple):
    """What an object says of its bytes."""

    name: str
    bytes: int
    etag: str
    sha256: str | None = None  # hex
    part_bytes: int | None = None  # length of the first of its parts, where the server knows
    md5_hidden: bool = False  # encrypted with a key of its own: the ETag is no MD5


def sha256_of(headers: Mapping[str, object], metadata: Mapping[str, str]) -> str | None:
    """The SHA-256 of the whole object, in hex, from S3's checksum or from metadata that tools and people write."""
    checksum = str(headers.get("ChecksumSHA256") or "")
    if checksum and "-" not in checksum and headers.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT":
        try:
            return base64.b64decode(checksum, validate=True).hex()
        except ValueError:
            return None
    said = metadata.get("sha256", "").strip().lower()
    return said if re.fullmatch(r"[0-9a-f]{64}", said) else None


def prove(path: Path, said: Said) -> tuple[str, Proof]:
    """The SHA-256 (hex) of a file, and by what it was found to be the object's bytes.

    Raises:
        BadCopy: it is not.
    """
    if (size := path.stat().st_size) != said.bytes:
        raise BadCopy(name=said.name, why=f"{size} bytes instead of {said.bytes}")
    whole = bool(re.fullmatch(r"[0-9a-f]{32}", said.etag)) and not (said.sha256 or said.md5_hidden)
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    for block in _blocks(path, 0, said.bytes):
        sha256.update(block)
        if whole:
            md5.update(block)
    digest = sha256.hexdigest()
    if said.sha256:
        if digest != said.sha256:
            raise BadCopy(name=said.name, why="its SHA-256 is another")
        return digest, "sha256"
    if said.md5_hidden:
        return digest, "size"
    if whole:
        if md5.hexdigest() != said.etag:
            raise BadCopy(name=said.name, why="its MD5 is another")
        return digest, "md5"
    parted = re.fullmatch(r"([0-9a-f]{32})-([1-9]\d{0,4})", said.etag)
    return digest, _prove_parts(path, said, parted[1], int(parted[2])) if parted else "size"


def _prove_parts(path: Path, said: Said, etag: str, count: int) -> Proof:
    """Raises: BadCopy: the server says how long the parts are, and their MD5s are others."""
    for part_bytes in _lengths(said, count):
        if parts_md5(path, said.bytes, part_bytes) == etag:
            return "parts"
    if said.part_bytes and -(-said.bytes // said.part_bytes) == count:
        raise BadCopy(name=said.name, why="its parts have another MD5")
    return "size"  # parts of different lengths, or of one that nobody guesses


def parts_md5(path: Path, size: int, part_bytes: int) -> str:
    """The first half of the ETag of an object that was uploaded in parts of this length."""
    of_all = hashlib.md5(usedforsecurity=False)
    for start in range(0, size, part_bytes):
        of_one = hashlib.md5(usedforsecurity=False)
        for block in _blocks(path, start, min(start + part_bytes, size)):
            of_one.update(block)
        of_all.update(of_one.digest())
    return of_all.hexdigest()


def _lengths(said: Said, count: int) -> Iterable[int]:
    """Lengths that cut the object into `count` parts: the one that the server tells, else the likely ones."""
    if said.part_bytes:
        return [said.part_bytes]
    if count == 1:
        return [said.bytes]
    fits = [size for size in USUAL_PARTS if -(-said.bytes // size) == count]
    least = -(-said.bytes // count)
    whole = -(-least // MIB) * MIB  # the shortest of whole MiB: what a tool takes that avoids too many parts
    return dict.fromkeys([*fits, *([whole] if -(-said.bytes // whole) == count else [])][:MOST_GUESSES])


def _blocks(path: Path, start: int, end: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while start < end and (block := file.read(min(READ_BYTES, end - start))):
            start += len(block)
            yield block
