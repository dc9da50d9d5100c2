"""Services that speak OpenAI's protocol: a real server on this machine, kind and unkind."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from chasqui.asr import RATE_HZ, Recogniser, Settings, Span, open_recogniser, openai
from chasqui.asr import service as asking
from chasqui.errors import BadAnswer, ChasquiError, KeyRefused, NoRecogniser, ServiceDown

from .conftest import SAID
from .service import Answer, Service


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made, without making them: the clock jumps instead."""
    made: list[float] = []
    ahead = [0.0]
    real = time.monotonic

    def sleep(seconds: float) -> None:
        if seconds > 0:
            made.append(seconds)
            ahead[0] += seconds

    monkeypatch.setattr(asking.time, "monotonic", lambda: real() + ahead[0])
    monkeypatch.setattr(asking.time, "sleep", sleep)
    return made


@pytest.fixture
def client(service: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recogniser]:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    opened = open_recogniser(f"openai:whisper-1@{service.url}", Settings(timeout_s=20, attempts=3))
    yield opened
    opened.close()


def test_words_come_back_with_the_punctuation_of_the_text(
    client: Recogniser, service: Service, noise: NDArray[np.float32]
) -> None:
    (heard,) = client.hear([Span(noise, 100.0)])
    assert " ".join(word.text for word in heard.words) == SAID
    assert heard.words[0].start_s >= 100.0
    assert heard.language == "es"
    assert heard.words[0].probability == pytest.approx(0.7408, abs=1e-4)  # of the segment: e^-0.3
    assert service.asked[0]["model"] == "whisper-1"
    assert "language" not in service.asked[0]
    client.hear([Span(noise)], "en")
    assert service.asked[1]["language"] == "en"


def test_the_key_goes_along_and_a_wrong_one_is_said(
    service: Service, noise: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    service.key = "right"
    for key in ("", "wrong"):
        monkeypatch.setenv("OPENAI_API_KEY", key)
        with pytest.raises(KeyRefused, match=r"401: Incorrect API key.*OPENAI_API_KEY") as refused:
            open_recogniser(f"openai:whisper-1@{service.url}").hear([Span(noise)])
        assert not key or key not in str(refused.value)
    assert len(service.asked) == 2  # no second attempt with the same key
    monkeypatch.setenv("OPENAI_API_KEY", "right")
    assert open_recogniser(f"openai:whisper-1@{service.url}").hear([Span(noise)])[0].words


def test_the_address_may_come_from_the_environment(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", service.url + "/")
    assert open_recogniser("openai:m").identity == f"openai-m@{service.url}"
    monkeypatch.delenv("OPENAI_BASE_URL")
    assert open_recogniser("openai:m").identity == "openai-m@https://api.openai.com/v1"


def test_a_busy_service_is_asked_again_after_growing_pauses(
    client: Recogniser, service: Service, noise: NDArray[np.float32], waits: list[float]
) -> None:
    service.first = [Answer(500), Answer(503, b"<html>busy</html>")]
    assert client.hear([Span(noise)])[0].words
    assert len(service.asked) == 3
    assert 0.75 <= waits[0] <= 1.25 < 1.5 <= waits[1] <= 2.5


@pytest.mark.parametrize("after", ["7", lambda: formatdate(time.time() + 8, usegmt=True)], ids=["seconds", "date"])
def test_a_limit_says_when_to_come_back(
    client: Recogniser, service: Service, noise: NDArray[np.float32], waits: list[float], after: Any
) -> None:
    service.first = [
        Answer(429, {"error": {"message": "slow down"}}, {"Retry-After": after if isinstance(after, str) else after()})
    ]
    assert client.hear([Span(noise)])[0].words
    assert len(waits) == 1
    assert 6 <= waits[0] <= 8


def test_a_limit_that_is_far_off_is_told_instead_of_waited_for(
    client: Recogniser, service: Service, noise: NDArray[np.float32], waits: list[float]
) -> None:
    service.first = [Answer(429, {"error": {"message": "daily limit"}}, {"Retry-After": "3600"})]
    with pytest.raises(ServiceDown, match="429: daily limit; it asks to wait 3600 s"):
        client.hear([Span(noise)])
    assert waits == []


def test_the_last_request_of_a_window_waits_for_the_next(
    client: Recogniser, service: Service, noise: NDArray[np.float32], waits: list[float]
) -> None:
    spent = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m2.5s"}
    service.first = [Answer(200, {"text": "", "segments": []}, spent)]
    client.hear([Span(noise), Span(noise)])
    assert len(waits) == 1
    assert 61 <= waits[0] <= 62.5


def test_after_the_last_attempt_the_reason_is_told(
    client: Recogniser, service: Service, noise: NDArray[np.float32], waits: list[float]
) -> None:
    service.first = [Answer(502)] * 3
    with pytest.raises(ServiceDown, match="502; attempts: 3"):
        client.hear([Span(noise)])
    assert len(waits) == 2


def test_an_address_where_nobody_is(noise: NDArray[np.float32], waits: list[float]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ServiceDown, match="nobody answers there"):
        open_recogniser(f"openai:m@http://127.0.0.1:{port}/v1", Settings(attempts=2)).hear([Span(noise)])


@pytest.mark.parametrize("url", ["ftp://x/v1", "localhost:8000", "http://[broken/v1"])
def test_what_is_no_address(url: str, noise: NDArray[np.float32]) -> None:
    with pytest.raises(NoRecogniser, match="address"):
        open_recogniser(f"openai:m@{url}").hear([Span(noise)])


def test_a_name_without_a_model() -> None:
    with pytest.raises(NoRecogniser, match="needs the name of a model"):
        open_recogniser("openai:@http://localhost/v1")


def test_a_service_that_hangs_or_drips_is_left(service: Service, noise: NDArray[np.float32]) -> None:
    client = open_recogniser(f"openai:m@{service.url}", Settings(timeout_s=0.5, attempts=1))
    service.first = [Answer(200, b"{", drip_s=3.0)]
    with pytest.raises(ServiceDown, match="no"):
        client.hear([Span(noise)])
    service.first = [Answer(200, {"text": "x" * 50}, drip_s=0.2)]
    with pytest.raises(ServiceDown, match="no whole answer within"):
        client.hear([Span(noise)])


NO_TIMES = "text without times"


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (Answer(200, b"<html>Welcome</html>"), BadAnswer, "not JSON but begins with '<html>Welcome"),
        (Answer(200, b""), BadAnswer, "not JSON"),
        (Answer(200, b"[1, 2]"), BadAnswer, "should be"),
        (Answer(200, {"text": "hola a todos"}), BadAnswer, NO_TIMES),
        (Answer(200, {"text": "hola", "words": [], "segments": None}), BadAnswer, NO_TIMES),
        (Answer(200, {"words": [{"word": "hola", "start": "now", "end": 1}]}), BadAnswer, "words.0.start"),
        (Answer(200, b'{"words": [{"word": "a", "start": NaN, "end": 1}]}'), BadAnswer, "words.0.start"),
        (Answer(400, {"error": {"message": "verbose_json is not compatible"}}), BadAnswer, "400: verbose_json is not"),
        (Answer(404, b"nothing\nhere"), BadAnswer, "404: nothing here"),
        (Answer(422, {"detail": [{"loc": ["file"]}]}), BadAnswer, "422"),
        (Answer(302, b"", {"Location": "http://elsewhere/"}), BadAnswer, r"points elsewhere \(http://elsewhere/\)"),
        (Answer(403, b""), KeyRefused, "403"),
        (Answer(429, {"error": {"code": "insufficient_quota", "message": "pay"}}), KeyRefused, "429: pay"),
    ],
)
def test_answers_that_are_no_transcripts_have_names(
    client: Recogniser,
    service: Service,
    noise: NDArray[np.float32],
    answer: Answer,
    kind: type[ChasquiError],
    said: str,
) -> None:
    service.first = [answer]
    with pytest.raises(kind, match=said):
        client.hear([Span(noise)])
    assert len(service.asked) == 1


def test_what_is_too_big_is_cut_at_the_pauses_that_were_handed_over(
    client: Recogniser, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai, "LONGEST_S", 20.0)
    sound = np.zeros(50 * RATE_HZ, np.float32)
    (heard,) = client.hear([Span(sound, 10.0, pauses_s=(25.5, 41.0))], "es")
    assert [round((asked["bytes"] - 700) / 32000) for asked in service.asked] == [16, 16, 19]
    starts = [word.start_s for word in heard.words if word.text == "Hola,"]
    assert starts[0] < 25.5 <= starts[1] < 41.0 <= starts[2]


def test_25_mb_are_never_exceeded(service: Service) -> None:
    client = open_recogniser(f"openai:m@{service.url}", Settings(timeout_s=60))
    service.first = [Answer(200, {"text": ""})] * 3
    client.hear([Span(np.zeros(1600 * RATE_HZ, np.float32))], "es")
    assert max(asked["bytes"] for asked in service.asked) <= 25_000_000
    assert len(service.asked) == 3


def test_a_service_with_a_lower_limit_gets_less(listener: Recogniser) -> None:
    with Service(listener, largest=400_000) as service:  # 12.5 s
        client = open_recogniser(f"openai:m@{service.url}")
        (heard,) = client.hear([Span(np.zeros(20 * RATE_HZ, np.float32), pauses_s=(9.0,))], "es")
        assert [word.text for word in heard.words].count("Hola,") == 3
        service.largest = 100
        with pytest.raises(BadAnswer, match="finds even"):
            client.hear([Span(np.zeros(20 * RATE_HZ, np.float32))], "es")
