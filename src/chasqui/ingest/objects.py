"""Objects of a bucket: what a list and what they themselves say of them."""

from __future__ import annotations

import email.errors
import email.header
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from chasqui.ingest import proof
from chasqui.ingest.tags import one_line
from chasqui.store.s3 import asking


class Found(NamedTuple):
    """An object as the list shows it. Plain values: it may travel to another process, or as JSON."""

    bucket: str
    key: str
    bytes: int
    etag: str  # without quotes
    modified: str  # ISO 8601, UTC
    folder: str = ""  # where it stood below the address that was named, that one's last step in front; with `/`
    metadata: Mapping[str, str] = {}  # what people wrote on it; a list has none, `describe` and `copy` do

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @property
    def name(self) -> str:
        """Its file name, for people: one line, no control characters."""
        return one_line(self.key.rpartition("/")[2]) or one_line(self.key) or "?"

    @property
    def version(self) -> str:
        """What changes when its bytes do."""
        return self.etag


class Copy(NamedTuple):
    """The bytes of an object on this machine."""

    found: Found  # as it was when it was fetched, with its metadata
    path: Path
    sha256: str
    proof: proof.Proof  # by what we know that they are the object's: a checksum, or nothing better than the size


def about(client: Any, found: Found) -> tuple[Found, proof.Said]:
    """The object as it is now, with its metadata, and what there is to prove its bytes by.

    Raises:
        Unreadable: gone, or not for us. WrongKeys, KeysExpired, NoBucket, ServiceDown
    """
    where = {"Bucket": found.bucket, "Key": found.key}
    with asking(f"s3://{found.bucket}", found.name):
        head = _asked_for(client, where)
        metadata = {one_line(key): _decoded(value) for key, value in head.get("Metadata", {}).items()}
        etag = str(head["ETag"]).strip('"')
        hidden = "aws:kms" in str(head.get("ServerSideEncryption", "")) or bool(head.get("SSECustomerAlgorithm"))
        sha256 = proof.sha256_of(head, metadata)
        first = _first_part(client, where) if "-" in etag and not sha256 and not hidden else None
    now = found._replace(
        bytes=int(head["ContentLength"]), etag=etag, modified=iso(head["LastModified"]), metadata=metadata
    )
    return now, proof.Said(now.name, now.bytes, etag, sha256, first, hidden)


def _asked_for(client: Any, where: Mapping[str, str]) -> Mapping[str, Any]:
    """What the server says of an object. A refused HEAD comes without a reason, so a refusal is asked for again."""
    from botocore.exceptions import ClientError

    try:
        head: Mapping[str, Any] = client.head_object(**where, ChecksumMode="ENABLED")
    except ClientError as error:
        if error.response["ResponseMetadata"].get("HTTPStatusCode") in (400, 403, 404):
            client.get_object(**where, Range="bytes=0-0")["Body"].close()
        raise
    return head


def _first_part(client: Any, where: Mapping[str, str]) -> int | None:
    """Bytes of the first part that an object was uploaded in; None where the server does not know."""
    from botocore.exceptions import ClientError

    try:
        head = client.head_object(**where, PartNumber=1)
    except ClientError:
        return None
    return int(head["ContentLength"]) if int(head.get("PartsCount") or 0) > 1 else None


def hidden(step: str) -> bool:
    """Whether a step of a key hides what is below it, as in folders; `..` is only an odd name here."""
    return step.startswith(".") and step not in (".", "..")


def iso(moment: Any) -> str:
    """A moment as text that sorts."""
    return str(moment.isoformat()) if moment else ""


def _decoded(value: str) -> str:
    """Metadata are ASCII; other letters come in the clothes of RFC 2047."""
    try:
        return one_line(str(email.header.make_header(email.header.decode_header(value))))
    except (email.errors.HeaderParseError, LookupError, ValueError):
        return one_line(value)
