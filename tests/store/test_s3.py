"""The way to an S3 server: addresses, and its answers as our errors."""

from __future__ import annotations

import errno
import os
import pickle
from typing import Any

import pytest
from buckets import Line, Server

from chasqui.errors import (
    BadConfig,
    ChasquiError,
    KeysExpired,
    NoBucket,
    NotInstalled,
    ObjectChanged,
    ServiceDown,
    Unreadable,
    WrongKeys,
)
from chasqui.store.s3 import Connection, Place, asking, place_of
from chasqui.words import explain

try:
    from botocore import exceptions as botocore
except ImportError:
    if os.environ.get("CI") == "true":
        raise
    pytest.skip("boto3 is missing here", allow_module_level=True)


def answer(code: str, status: int = 403) -> botocore.ClientError:
    said: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return botocore.ClientError(said, "GetObject")


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("s3://clases", Place("clases", "")),
        ("s3://clases/", Place("clases", "")),
        ("s3://clases/2026/uno/", Place("clases", "2026/uno")),
        ("s3://clases/100%?x=1#a", Place("clases", "100%?x=1#a")),
    ],
)
def test_an_address_is_a_bucket_and_a_folder(url: str, place: Place) -> None:
    assert place_of(url) == place


@pytest.mark.parametrize("url", ["", "s3:", "s3://", "s3:///x", "S3://b", "https://b/x", "s3://k:s@b/x", "s3://a?b"])
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(BadConfig):
        place_of(url)


@pytest.mark.parametrize(
    ("error", "kind", "word"),
    [
        (answer("InvalidAccessKeyId"), WrongKeys, "does not know this access key"),
        (answer("SignatureDoesNotMatch"), WrongKeys, "secret key"),
        (answer("RequestTimeTooSkewed"), WrongKeys, "clock"),
        (answer("AuthorizationHeaderMalformed", 400), WrongKeys, "region"),
        (answer("ExpiredToken", 400), KeysExpired, "expired"),
        (answer("NoSuchBucket", 404), NoBucket, "s3://b"),
        (answer("AccessDenied"), Unreadable, "denied"),
        (answer("403"), Unreadable, "denied"),
        (answer("NoSuchKey", 404), Unreadable, "not in the bucket any more"),
        (answer("404", 404), Unreadable, "not in the bucket any more"),
        (answer("PreconditionFailed", 412), ObjectChanged, "clase.mp3"),
        (answer("InvalidObjectState"), Unreadable, "InvalidObjectState"),
        (answer("SlowDown", 503), ServiceDown, "SlowDown"),
        (answer("InternalError", 500), ServiceDown, "InternalError"),
        (botocore.EndpointConnectionError(endpoint_url="http://x"), ServiceDown, "cannot be reached"),
        (botocore.ConnectTimeoutError(endpoint_url="http://x"), ServiceDown, "does not answer"),
        (botocore.ReadTimeoutError(endpoint_url="http://x"), ServiceDown, "does not answer"),
        (botocore.ConnectionClosedError(endpoint_url="http://x"), ServiceDown, "breaks off"),
        (botocore.IncompleteReadError(actual_bytes=1, expected_bytes=2), ServiceDown, "breaks off"),
        (ConnectionResetError(errno.ECONNRESET, "reset"), ServiceDown, "breaks off"),
        (botocore.NoCredentialsError(), WrongKeys, "there are no keys"),
        (botocore.PartialCredentialsError(provider="env", cred_var="x"), WrongKeys, "there are no keys"),
        (botocore.ParamValidationError(report="Invalid bucket name"), NoBucket, "s3://b"),
        (botocore.InvalidRegionError(region_name="?"), BadConfig, "no way to the S3 server"),
    ],
    ids=lambda value: str(value)[:60] if isinstance(value, Exception) else "",
)
def test_each_answer_has_its_error(error: Exception, kind: type[ChasquiError], word: str) -> None:
    with pytest.raises(kind) as caught, asking("s3://b", "clase.mp3"):
        raise error
    assert type(caught.value) is kind
    assert word in str(caught.value)
    assert explain(caught.value, "es") != str(caught.value)


def test_denied_is_about_the_keys_where_no_object_was_asked_for() -> None:
    with pytest.raises(WrongKeys, match="may not do that"), asking("s3://b"):
        raise answer("AccessDenied")
    with pytest.raises(NoBucket), asking("s3://b"):
        raise answer("404", 404)


@pytest.mark.parametrize("error", [ValueError("ours"), OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))])
def test_what_the_server_did_not_do_is_left_alone(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, asking("s3://b"):
        raise error
    assert caught.value is error


def test_a_server_that_is_not_amazons_has_the_bucket_in_the_path(no_keys: None) -> None:
    elsewhere = Connection(env={"AWS_ENDPOINT_URL": "http://minio.example:9000"}).client
    assert elsewhere.meta.endpoint_url == "http://minio.example:9000"
    assert elsewhere.meta.config.s3["addressing_style"] == "path"
    own = Connection(
        env={"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_S3": "http://b", "AWS_REGION": "auto"}
    ).client
    assert (own.meta.endpoint_url, own.meta.region_name) == ("http://b", "auto")
    amazon = Connection(env={"AWS_REGION": "sa-east-1"}).client
    assert "amazonaws.com" in amazon.meta.endpoint_url
    assert not (amazon.meta.config.s3 or {}).get("addressing_style")


def test_an_address_that_is_none_is_said(no_keys: None) -> None:
    with pytest.raises(BadConfig, match="no way to the S3 server"):
        _ = Connection(env={"AWS_ENDPOINT_URL": "nowhere"}).client


def test_a_connection_travels_and_is_made_anew(no_keys: None) -> None:
    one = Connection(env={"AWS_ENDPOINT_URL": "http://x", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"})
    assert one.client is one.client
    other = pickle.loads(pickle.dumps(one))
    assert other.client is not one.client
    assert other.client.meta.endpoint_url == "http://x"


def test_without_boto3_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "boto3", None)
    with pytest.raises(NotInstalled, match=r"chasqui\[data\]"):
        _ = Connection(env={}).client


def test_questions_are_asked_again_while_the_server_is_away(moto_server: Server, line_to: Any, no_keys: None) -> None:
    line: Line = line_to(moto_server)
    line.cuts, line.cut_after = 1, 0
    client = Connection(env=line.server.env, attempts=3).client
    assert client.list_buckets()["Buckets"] is not None
    assert line.cuts == 0
