"""The finished stream: what was planned, whole, and with every promise measured in it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from lesson import Packed

from chasqui.encode.course import courses
from chasqui.encode.shelf import Shelf
from chasqui.encode.voice import Part, Voice
from chasqui.events import Report
from chasqui.media import lame, ogg
from chasqui.media.opus import decode_file
from chasqui.metrics.targets import TARGETS, keeps
from chasqui.models.card import parse
from chasqui.records import Choice, Measured, Plan, Renditions, Segment


@pytest.fixture(scope="module")
def encoded(analyzed: Packed) -> Packed:
    analyzed.run("choose")
    analyzed.run("encode")
    return analyzed


def named(renditions: Renditions, name: str) -> object:
    return next(rendition for rendition in renditions.renditions if rendition.name == name)


def test_the_stream_lasts_exactly_as_long_as_the_master(encoded: Packed) -> None:
    voice = named(encoded.get("encode"), "voice.opus")
    path = encoded.store.path(voice.blob)  # type: ignore[attr-defined]
    assert sum(len(block) for block in decode_file(path)) == encoded.get("clean").samples


def test_every_segment_is_measured_and_keeps_its_promise(encoded: Packed) -> None:
    measured = encoded.lines(encoded.get("encode").measured, Measured)
    segments = encoded.lines(encoded.get("analyze").segments, Segment)
    assert len(measured) == len(segments)
    for line in measured:
        assert keeps(TARGETS["understood"], line.kind, line.scores), line
        assert line.kind != "speech" or line.scores.estoi is not None


def test_what_the_promise_does_not_need_is_measured_by_lot(encoded: Packed) -> None:
    measured = encoded.lines(encoded.get("encode").measured, Measured)
    speech = [line for line in measured if line.kind == "speech"]
    drawn = [line for line in speech if line.scores.visqol is not None]
    assert len(drawn) == min(3, len(speech))
    for line in speech:
        assert line.scores.visqol_skipped == (line not in drawn)
        assert line in drawn or line.kept == "understood", "what was not measured is not claimed"
    assert encoded.run("encode", encode__visqol_share=0.0).encodes == sum(line.encodes for line in measured)
    none = encoded.lines(encoded.get("encode").measured, Measured)
    assert all(line.scores.visqol is None for line in none if line.kind == "speech")
    encoded.run("encode")


def test_a_searched_plan_foretells_the_bytes_and_the_scores(analyzed: Packed) -> None:
    """A trial of one segment is the same bytes as in the stream, and scores the same but for the decoder's past."""
    plan = analyzed.run("choose", choose__method="search")
    renditions = analyzed.run("encode")
    measured = analyzed.lines(renditions.measured, Measured)
    for choice, line in zip(analyzed.lines(plan.choices, Choice), measured, strict=True):
        if line.stepped_up:
            continue
        assert line.bytes == choice.bytes
        assert line.encodes == 1
        if choice.expected.estoi is not None:
            assert line.scores.estoi == pytest.approx(choice.expected.estoi, abs=0.01)
    voice = named(renditions, "voice.opus")
    assert renditions.stepped_up or 0 <= plan.expected_bytes - voice.blob.bytes <= ogg.TAG_BYTES  # type: ignore[attr-defined]


def test_the_fallback_is_mono_small_and_as_long(encoded: Packed) -> None:
    rendition = named(encoded.get("encode"), "voice.mp3")
    sound = lame.decode_file(encoded.store.path(rendition.blob))  # type: ignore[attr-defined]
    samples = encoded.get("clean").samples
    assert abs(len(sound) - samples) < 48_000 * 0.1
    assert rendition.bitrate_bps < 30_000  # type: ignore[attr-defined]
    assert np.isfinite(sound).all()


@pytest.mark.parametrize("method", ["predict", "search"])
def test_a_plan_that_is_too_cheap_is_mended(analyzed: Packed, method: str) -> None:
    """As a careless predictor might make it."""
    plan = analyzed.run("choose", choose__target="comfortable", choose__method=method)
    planned = analyzed.lines(plan.choices, Choice)
    segments = analyzed.lines(analyzed.get("analyze").segments, Segment)
    cheapest = {"speech": "voice-8", "music": "audio-8", "silence": "voice-5"}
    cheap = [c.model_copy(update={"rung": cheapest[s.kind]}) for c, s in zip(planned, segments, strict=True)]
    parts = encoded_as(analyzed, plan, cheap)
    assert all(keeps(TARGETS["comfortable"], part.segment.kind, part.scores) for part in parts)
    assert all(part.climbed >= 1 and part.encodes >= 2 for part in parts if part.segment.kind == "speech")


def test_a_plan_that_is_too_dear_is_made_cheaper(analyzed: Packed) -> None:
    plan = analyzed.run("choose")
    planned = analyzed.lines(plan.choices, Choice)
    dear = [c.model_copy(update={"rung": "voice-48"}) if c.forecast and c.forecast.estoi else c for c in planned]
    parts = encoded_as(analyzed, plan, dear)
    assert all(part.climbed < 0 for part in parts if part.segment.kind == "speech")
    assert all(keeps(TARGETS["understood"], part.segment.kind, part.scores) for part in parts)


def test_threads_do_not_change_the_outcome(analyzed: Packed) -> None:
    plan = analyzed.run("choose", choose__target="comfortable")
    choices = analyzed.lines(plan.choices, Choice)
    assert encoded_as(analyzed, plan, choices, threads=1) == encoded_as(analyzed, plan, choices, threads=4)


def encoded_as(lesson: Packed, plan: Plan, choices: list[Choice], threads: int = 2) -> list[Part]:
    """The parts that the voice comes to from these choices."""
    master, store = lesson.get("clean"), lesson.store
    segments = lesson.lines(lesson.get("analyze").segments, Segment)
    cards = {card.title: card for card in (parse(store.path(blob)) for blob in plan.cards)}
    with (
        store.workspace(lesson.recording_id, "encode") as work,
        Shelf(work.folder / "packets") as shelf,
        ThreadPoolExecutor(threads) as pool,
    ):
        voice = Voice(store.path(master.audio), master, shelf, pool)
        return voice.encode(courses(plan, segments, choices, cards), Report("encode", lesson.recording_id))


def test_without_mp3_there_is_only_opus(encoded: Packed) -> None:
    renditions = encoded.run("encode", encode__mp3=False)
    assert [rendition.name for rendition in renditions.renditions] == ["voice.opus"]
