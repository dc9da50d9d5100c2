"""The gate: true promises pass, with their certificate; false ones do not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from lesson import Packed

from chasqui.errors import PromiseBroken
from chasqui.events import Report
from chasqui.records import Blob, Certificate, Measured, Renditions, Scores
from chasqui.verify import Options, run


@pytest.fixture(scope="module")
def encoded(analyzed: Packed) -> Packed:
    analyzed.run("choose")
    analyzed.run("encode")
    return analyzed


def verify(
    lesson: Packed, renditions: Renditions | None = None, share: float = 0.2
) -> tuple[Certificate, dict[str, Any]]:
    with lesson.store.workspace(lesson.recording_id, "verify") as work:
        certificate = run(
            lesson.get("clean"),
            lesson.get("analyze"),
            lesson.get("choose"),
            renditions or lesson.get("encode"),
            options=Options(sample_share=share, threads=2),
            work=work,
            report=Report("verify", lesson.recording_id),
        )
        return certificate, json.loads(work.path(certificate.report).read_text(encoding="utf-8"))


def altered(lesson: Packed, name: str, change: Any, measured: Any = None) -> Renditions:
    """The renditions with other bytes in a blob."""
    renditions = lesson.get("encode")
    with lesson.store.workspace(lesson.recording_id, "tampered") as work:

        def kept(blob: Blob, how: Any) -> Blob:
            path = work.folder / blob.name
            path.write_bytes(how(lesson.store.path(blob).read_bytes()))
            return work.keep(path)

        made = tuple(
            r.model_copy(update={"blob": kept(r.blob, change)}) if r.name == name else r for r in renditions.renditions
        )
        lines = kept(renditions.measured, measured) if measured else renditions.measured
        return renditions.model_copy(update={"renditions": made, "measured": lines})


def test_the_certificate_says_what_is_kept_and_how_it_was_measured(encoded: Packed) -> None:
    certificate, facts = verify(encoded)
    assert certificate.promised == "understood"
    assert certificate.kept is not None
    assert certificate.degraded is None
    assert certificate.kept_share["understood"] == 1.0
    assert facts["schema"] == "chasqui-certificate-1"
    assert facts["rendition"]["sha256"] == certificate.rendition_sha256
    assert len(facts["segments"]) == certificate.segments
    assert set(facts["method"]["metrics"]) == {"estoi", "visqol"}
    assert facts["overall"]["estoi_min"] >= 0.8


def test_the_published_bytes_score_what_encode_measured(encoded: Packed) -> None:
    certificate, facts = verify(encoded, share=1.0)
    measured = encoded.lines(encoded.get("encode").measured, Measured)
    assert certificate.scored_again == sum(line.kind != "silence" for line in measured)
    for line, published in zip(measured, facts["segments"], strict=True):
        assert published["estoi"] == line.scores.estoi
        assert published["visqol"] == line.scores.visqol


def test_the_doubtful_are_always_looked_at(encoded: Packed) -> None:
    certificate, facts = verify(encoded, share=0.0)
    narrow = [s for s in facts["segments"] if s["kind"] == "speech" and s["estoi"] < 0.805]
    assert all(segment["published"] for segment in narrow)
    assert certificate.scored_again >= len(narrow)


def test_a_damaged_file_is_refused(encoded: Packed) -> None:
    def flip(data: bytes) -> bytes:
        middle = len(data) // 2
        return data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :]

    with pytest.raises(PromiseBroken, match="damaged"):
        verify(encoded, altered(encoded, "voice.opus", flip))


def test_a_file_cut_short_is_refused(encoded: Packed) -> None:
    with pytest.raises(PromiseBroken, match=r"short|end"):
        verify(encoded, altered(encoded, "voice.opus", lambda data: data[: len(data) * 2 // 3]))


def test_scores_that_the_file_does_not_have_are_refused(encoded: Packed) -> None:
    def flatter(data: bytes) -> bytes:
        lines = [Measured.model_validate_json(line) for line in data.splitlines()]
        better = [
            line.model_copy(update={"scores": Scores(estoi=0.99, visqol=4.9)}) if line.kind == "speech" else line
            for line in lines
        ]
        return "".join(line.model_dump_json() + "\n" for line in better).encode()

    with pytest.raises(PromiseBroken, match="when it was encoded"):
        verify(encoded, altered(encoded, "voice.opus", bytes, measured=flatter), share=1.0)


def test_a_promise_that_is_not_kept_is_refused(encoded: Packed) -> None:
    """Encode measured honestly that a reachable segment misses, and published it all the same."""

    def worse(data: bytes) -> bytes:
        lines = [Measured.model_validate_json(line) for line in data.splitlines()]
        low = [
            line.model_copy(update={"scores": Scores(estoi=0.5, visqol=1.0)}) if i == 1 else line
            for i, line in enumerate(lines)
        ]
        return "".join(line.model_dump_json() + "\n" for line in low).encode()

    with pytest.raises(PromiseBroken):
        verify(encoded, altered(encoded, "voice.opus", bytes, measured=worse), share=0.0)


def test_what_cannot_be_reached_is_said(encoded: Packed, tmp_path: Path) -> None:
    def hopeless(data: bytes) -> bytes:
        lines = [Measured.model_validate_json(line) for line in data.splitlines()]
        said = [line.model_copy(update={"reachable": False}) if i == 0 else line for i, line in enumerate(lines)]
        return "".join(line.model_dump_json() + "\n" for line in said).encode()

    certificate, facts = verify(encoded, altered(encoded, "voice.opus", bytes, measured=hopeless))
    assert certificate.unreachable == 1
    assert certificate.degraded is not None and "cannot reach" in certificate.degraded
    assert facts["degraded"] == certificate.degraded


def test_nothing_is_kept_when_nothing_can_be_reached(encoded: Packed) -> None:
    def hopeless(data: bytes) -> bytes:
        lines = [Measured.model_validate_json(line) for line in data.splitlines()]
        said = [line.model_copy(update={"reachable": line.kind == "silence"}) for line in lines]
        return "".join(line.model_dump_json() + "\n" for line in said).encode()

    certificate, _ = verify(encoded, altered(encoded, "voice.opus", bytes, measured=hopeless))
    assert certificate.kept is None
    assert certificate.degraded is not None


def test_a_budget_that_keeps_nothing_everywhere_promises_nothing(analyzed: Packed) -> None:
    least = analyzed.run("choose", choose__method="search", choose__target="understood").expected_bytes
    plan = analyzed.run("choose", choose__method="search", choose__budget_bytes=least - 300)
    assert plan.promise is None
    analyzed.run("encode")
    certificate = analyzed.run("verify")
    assert certificate.kept is None
    assert "budget" in (certificate.degraded or "")
    voice = next(r for r in analyzed.get("encode").renditions if r.name == "voice.opus")
    assert voice.blob.bytes <= least - 300
