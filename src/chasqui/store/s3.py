"""The way to an S3 server, for whoever reads from a bucket or keeps things in one: address, keys, patience, and its
answers as our own errors.

Keys and address come as every S3 program takes them: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`,
`AWS_PROFILE`, `AWS_REGION`, and `AWS_ENDPOINT_URL` (or `AWS_ENDPOINT_URL_S3`) for any server but Amazon's.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import Any, NamedTuple

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

#: To find the server; then between two pieces of an answer.
CONNECT_S, READ_S = 10.0, 60.0
#: Attempts per question, with pauses that grow to 20 s (botocore's standard mode): a server may restart meanwhile.
ATTEMPTS = 5
#: Connections that may be open at once.
CONNECTIONS = 16

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
WRONG_KEYS = {
    "InvalidAccessKeyId": "the server does not know this access key",
    "SignatureDoesNotMatch": "the secret key does not belong to this access key",
    "InvalidSecurity": "the server does not take these keys",
    "InvalidToken": "the session token is not valid",
    "AccountProblem": "the account is locked",
    "NotSignedUp": "the account has no access to this service",
    "UnauthorizedAccess": "the server does not take these keys",
    "Unauthorized": "the server does not take these keys",
    "401": "the server does not take these keys",
    "RequestTimeTooSkewed": "the clock of this machine differs too much from the server's",
    "AuthorizationHeaderMalformed": "the server wants another region (AWS_REGION)",
}
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired"})
DENIED = frozenset({"AccessDenied", "AllAccessDisabled", "403", "Forbidden", "AccessDeniedException"})
NO_BUCKET = frozenset({"NoSuchBucket", "InvalidBucketName"})
GONE = frozenset({"NoSuchKey", "404", "NotFound", "NoSuchVersion"})
CHANGED = frozenset({"PreconditionFailed", "412"})


class Place(NamedTuple):
    """`s3://bucket/prefix`, taken apart. The prefix is a folder: empty, or without `/` at its end."""

    bucket: str
    prefix: str

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}" if self.prefix else f"s3://{self.bucket}"

    def below(self, name: str) -> str:
        """The key of what lies below this place."""
        return f"{self.prefix}/{name}" if self.prefix else name


def place_of(url: str) -> Place:
    """The bucket and the prefix of a URL. Nothing in it is decoded: keys may hold `%` and `?`.

    Raises:
        BadConfig: not of the form s3://bucket/prefix.
    """
    scheme, mark, rest = url.partition("://")
    bucket, _, prefix = rest.partition("/")
    if scheme != "s3" or not mark or not bucket or any(letter in bucket for letter in " ?#@:\\"):
        raise BadConfig(why=f"{url!r} is not the address of a bucket; write s3://bucket/prefix")
    return Place(bucket, prefix.rstrip("/"))


class Connection:
    """A client that is made when it is first needed, and again in a process that was forked off.

    Args:
        env: where keys and address stand, in place of the environment.
        attempts: per question.
    """

    def __init__(self, env: Mapping[str, str] | None = None, attempts: int = ATTEMPTS) -> None:
        self._env, self._attempts = os.environ if env is None else env, attempts
        self._lock, self._pid, self._client = Lock(), 0, None

    def __getstate__(self) -> dict[str, Any]:
        return {"_env": dict(self._env) if self._env is not os.environ else None, "_attempts": self._attempts}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["_env"], state["_attempts"])  # type: ignore[misc]

    @property
    def client(self) -> Any:
        """boto3's S3 client; it may be used by several threads.

        Raises:
            BadConfig: boto3 is not installed, or the address or profile makes no sense.
        """
        with self._lock:
            if self._client is None or self._pid != os.getpid():
                self._client, self._pid = _client(self._env, self._attempts), os.getpid()
            return self._client


def _client(env: Mapping[str, str], attempts: int) -> Any:
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        raise NotInstalled(what="buckets", missing="boto3", extra="data") from error
    endpoint = env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL") or None
    settings = Config(
        connect_timeout=CONNECT_S,
        read_timeout=READ_S,
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=CONNECTIONS,
        # Amazon alone can be sure to have a name for each bucket; MinIO, Swift and others have it in the path.
        s3={"addressing_style": "path"} if endpoint else None,
        # Checksums as trailers, boto3's own choice, are not understood by many servers.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    region = env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or ("us-east-1" if endpoint else None)
    keys = {name.lower(): env.get(name) for name in KEYS} if env is not os.environ else {}  # boto3 finds them itself
    try:
        session = boto3.session.Session(region_name=region)
        return session.client("s3", endpoint_url=endpoint, config=settings, **keys)
    except (BotoCoreError, ValueError) as error:
        raise BadConfig(why=f"no way to the S3 server: {error}") from error


@contextmanager
def asking(url: str, name: str = "") -> Iterator[None]:
    """Around every question to a server. `url` is the bucket's; `name` an object's, where one was asked for.

    Raises:
        WrongKeys, KeysExpired, NoBucket: for ever, until somebody does something about it.
        ServiceDown: not reached, or broken off, also after several attempts.
        Unreadable: this object is not there any more, or not for us.
        ObjectChanged: it is not the one that was asked for.
    """
    try:
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
        from botocore.exceptions import ConnectionError as NotConnected
        from urllib3.exceptions import HTTPError
    except ImportError as error:
        raise NotInstalled(what="buckets", missing="boto3", extra="data") from error
    try:
        yield
    except ClientError as error:
        raise _told(error, url, name) from error
    except (HTTPClientError, NotConnected, HTTPError, ConnectionError, TimeoutError) as error:
        raise ServiceDown(url=f"{url} ({_server()})", why=_broken(error)) from error
    except Boto3Error as error:  # of a transfer in parts; what was wrong stands behind it
        cause = error.__context__
        raise (_told(cause, url, name) if isinstance(cause, ClientError) else _lost(url)) from error
    except BotoCoreError as error:
        raise _unasked(error, url) from error


def code_of(error: Any) -> str:
    """The server's own word for what is wrong."""
    return str(error.response.get("Error", {}).get("Code", "")) or "?"


def _told(error: Any, url: str, name: str) -> ChasquiError:
    code = code_of(error)
    server = _server()
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in EXPIRED:
        return KeysExpired(url=url)
    if code in WRONG_KEYS:
        return WrongKeys(url=url, why=WRONG_KEYS[code])
    if code in NO_BUCKET:
        return NoBucket(url=url, server=server)
    if code in CHANGED:
        return ObjectChanged(name=name or url)
    if code in DENIED:
        if name:
            return Unreadable(name=name, why="access to it is denied")
        return WrongKeys(url=url, why="these keys may not do that here")
    if code in GONE:
        return (
            Unreadable(name=name, why="it is not in the bucket any more") if name else NoBucket(url=url, server=server)
        )
    if status >= 500 or status in (408, 429) or code in ("SlowDown", "RequestTimeout", "Throttling"):
        return ServiceDown(url=f"{url} ({server})", why=f"the server says {code}")
    return Unreadable(name=name or url, why=f"the server says {code}")


def _unasked(error: Any, url: str) -> ChasquiError:
    """What botocore found before it asked."""
    kind = type(error).__name__
    if "Credential" in kind:
        return WrongKeys(url=url, why="there are no keys")
    if kind in ("TokenRetrievalError", "UnauthorizedSSOTokenError", "SSOTokenLoadError"):
        return KeysExpired(url=url)
    if kind == "ParamValidationError":
        return NoBucket(url=url)
    if kind == "IncompleteReadError":
        return _lost(url)
    return BadConfig(why=f"no way to the S3 server: {error}")


def _lost(url: str) -> ServiceDown:
    return ServiceDown(url=url, why="the connection breaks off")


def _broken(error: Exception) -> str:
    kind = type(error).__name__
    if "Timeout" in kind:
        return "it does not answer"
    if "EndpointConnection" in kind or "Refused" in kind or "NewConnection" in kind:
        return "it cannot be reached"
    return "the connection breaks off"


def _server() -> str:
    """Which server was asked, as the user's settings name it."""
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or "Amazon S3"
