"""Asks a service over HTTP, with patience: it may be busy, away, at its limit, slow, or not want us at all."""

from __future__ import annotations

import email.utils
import json
import os
import random
import re
import time
from typing import Any

from chasqui.asr import Settings
from chasqui.errors import BadAnswer, KeyRefused, NoRecogniser, ServiceDown

#: Waits between attempts: 1, 2, 4 … s, up to half a minute, each a little different, so that many clients do not
#: come back all at once.
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 30.0
#: A service that asks for more than this is told to the user instead.
MOST_PATIENCE_S = 120.0
#: To find the service and be let in.
CONNECT_S = 10.0
#: The words of an hour are 1 MB of JSON; what is larger than this is something else.
LARGEST_ANSWER = 32_000_000
#: What may be otherwise at the next attempt.
PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})


class TooBig(Exception):  # noqa: N818 - not an error: the caller sends less
    """The service finds the file too large (413)."""


class Service:
    """One address, one key, one connection that is kept."""

    def __init__(self, url: str, settings: Settings) -> None:
        import requests
        import urllib3

        self._session, self._url, self._settings = requests.Session(), url, settings
        self._errors, self._reading = requests.exceptions, urllib3.exceptions
        if key := os.environ.get("OPENAI_API_KEY", "").strip():
            self._session.headers["Authorization"] = f"Bearer {key}"
        self._not_before = 0.0

    def post(self, fields: dict[str, Any], name: str, data: bytes, media_type: str) -> Any:
        """The JSON that the service answers to a file and its fields.

        Raises:
            TooBig: send less. ServiceDown: no answer, also after several attempts. KeyRefused: 401, 403, no credit.
            BadAnswer: not JSON, or a request that it does not understand. NoRecogniser: not an address.
        """
        for attempt in range(1, self._settings.attempts + 1):
            wait_s = max(0.0, self._not_before - time.monotonic())
            time.sleep(wait_s)
            try:
                return self._once(fields, (name, data, media_type))
            except _Passing as passing:
                if attempt == self._settings.attempts:
                    raise ServiceDown(url=self._url, why=f"{passing.why}; attempts: {attempt}") from passing
                pause_s = passing.wait_s if passing.wait_s is not None else _backoff(attempt)
                if pause_s > MOST_PATIENCE_S:
                    raise ServiceDown(url=self._url, why=f"{passing.why}; it asks to wait {pause_s:.0f} s") from passing
                self._not_before = time.monotonic() + pause_s
        raise AssertionError("attempts are at least one")  # pragma: no cover

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def _once(self, fields: dict[str, Any], file: tuple[str, bytes, str]) -> Any:
        errors = self._errors
        limit_s = self._settings.timeout_s
        try:
            with self._session.post(
                self._url,
                data=fields,
                files={"file": file},
                timeout=(CONNECT_S, limit_s),
                stream=True,
                allow_redirects=False,  # the key goes to the address that the user wrote, and nowhere else
            ) as answer:
                body = self._read(answer, time.monotonic() + limit_s)
        except (errors.InvalidURL, errors.InvalidSchema, errors.MissingSchema) as error:
            raise NoRecogniser(name=self._url, why="that is no address") from error
        except (errors.Timeout, self._reading.TimeoutError) as error:
            raise _Passing(f"no answer within {limit_s:.0f} s") from error
        except (errors.ConnectionError, self._reading.HTTPError) as error:
            raise _Passing(_reached(error)) from error
        if answer.status_code != 200:
            raise self._refusal(answer.status_code, answer.headers, body)
        self._slow_down(answer.headers)
        try:
            return json.loads(body)
        except ValueError as error:
            raise BadAnswer(url=self._url, why=f"it is not JSON but begins with {_beginning(body)!r}") from error

    def _read(self, answer: Any, until: float) -> bytes:
        """The body, within what is left of the time: a service that drips one byte a minute is as good as silent."""
        parts, size = [], 0
        # read1 gives what is there; iter_content would wait until a whole block has dripped in.
        while part := answer.raw.read1(1 << 16, decode_content=True):
            size += len(part)
            if size > LARGEST_ANSWER:
                raise BadAnswer(url=self._url, why=f"more than {LARGEST_ANSWER // 1_000_000} MB")
            if time.monotonic() > until:
                raise _Passing(f"no whole answer within {self._settings.timeout_s:.0f} s")
            parts.append(part)
        return b"".join(parts)

    def _refusal(self, status: int, headers: Any, body: bytes) -> Exception:
        said = _message(body)
        why = f"{status}: {said}" if said else str(status)
        if status in (401, 403) or "insufficient_quota" in body.decode("utf-8", "replace"):
            return KeyRefused(url=self._url, why=why)
        if status in PASSING:
            return _Passing(why, _retry_after(headers.get("Retry-After", "")))
        if status == 413:
            return TooBig()
        if 300 <= status < 400:
            return BadAnswer(url=self._url, why=f"it points elsewhere ({headers.get('Location', '?')})")
        return BadAnswer(url=self._url, why=why)

    def _slow_down(self, headers: Any) -> None:
        """Wait for the next window of a rate limit instead of running into it."""
        if headers.get("x-ratelimit-remaining-requests") == "0":
            pause_s = min(_duration(headers.get("x-ratelimit-reset-requests", "")), MOST_PATIENCE_S)
            self._not_before = time.monotonic() + pause_s


class _Passing(Exception):  # noqa: N818 - what may pass by itself
    def __init__(self, why: str, wait_s: float | None = None) -> None:
        super().__init__(why)
        self.why, self.wait_s = why, wait_s


def _backoff(attempt: int) -> float:
    return min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** (attempt - 1)) * random.uniform(0.75, 1.25)


def _retry_after(text: str) -> float | None:
    """Seconds from a Retry-After header: a number, or a date."""
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError):
        return None


def _duration(text: str) -> float:
    """Seconds from a duration as OpenAI writes it: 20ms, 1s, 6m0s, 1h2m3.5s."""
    units = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
    return sum(float(number) * units[unit] for number, unit in re.findall(r"([\d.]+)(ms|s|m|h)", text))


def _message(body: bytes) -> str:
    """What a service says about a refusal, in one short line."""
    try:
        said = json.loads(body)
        for key in ("error", "message", "detail"):
            if isinstance(said, dict) and key in said:
                said = said[key]
        text = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
    except ValueError:
        text = _beginning(body)
    return " ".join(text.split())[:200]


def _beginning(body: bytes) -> str:
    return " ".join(body[:80].decode("utf-8", "replace").split())


def _reached(error: Exception) -> str:
    text = str(error)
    for sign, why in (
        ("CERTIFICATE", "its certificate is not valid"),
        ("refused", "nobody answers there"),
        ("resolve", "its name is not known"),
        ("Name or service", "its name is not known"),
    ):
        if sign in text:
            return why
    return "the connection broke"
