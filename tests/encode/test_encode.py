"""The finished stream: what was planned, whole, and with every promise measured in it."""

from __future__ import annotations

import numpy as np
import pytest
from lesson import Packed

from chasqui.media import lame, ogg
from chasqui.media.opus import decode_file
from chasqui.metrics.targets import TARGETS, keeps
from chasqui.records import Choice, Measured, Renditions, Segment


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


def test_the_plan_foretells_the_bytes(encoded: Packed) -> None:
    plan, renditions = encoded.get("choose"), encoded.get("encode")
    voice = named(renditions, "voice.opus")
    room_for_tags = ogg.TAG_BYTES
    assert renditions.stepped_up or 0 <= plan.expected_bytes - voice.blob.bytes <= room_for_tags  # type: ignore[attr-defined]


def test_every_segment_is_measured_and_keeps_its_promise(encoded: Packed) -> None:
    measured = encoded.lines(encoded.get("encode").measured, Measured)
    segments = encoded.lines(encoded.get("analyze").segments, Segment)
    assert len(measured) == len(segments)
    for line in measured:
        assert keeps(TARGETS["understood"], line.kind, line.scores), line
        assert line.kind == "silence" or line.scores.visqol is not None


def test_trials_and_stream_agree(encoded: Packed) -> None:
    """A trial of one segment is the same bytes as in the stream, and scores the same but for the decoder's past."""
    choices = encoded.lines(encoded.get("choose").choices, Choice)
    measured = encoded.lines(encoded.get("encode").measured, Measured)
    for choice, line in zip(choices, measured, strict=True):
        if line.stepped_up:
            continue
        assert line.bytes == choice.bytes
        if choice.expected.estoi is not None:
            assert line.scores.estoi == pytest.approx(choice.expected.estoi, abs=0.01)


def test_the_fallback_is_mono_small_and_as_long(encoded: Packed) -> None:
    rendition = named(encoded.get("encode"), "voice.mp3")
    sound = lame.decode_file(encoded.store.path(rendition.blob))  # type: ignore[attr-defined]
    samples = encoded.get("clean").samples
    assert abs(len(sound) - samples) < 48_000 * 0.1
    assert rendition.bitrate_bps < 30_000  # type: ignore[attr-defined]
    assert np.isfinite(sound).all()


def test_a_segment_that_misses_is_stepped_up(analyzed: Packed) -> None:
    """A plan that is too cheap (as a careless predictor might make) is mended before anything is published."""
    from concurrent.futures import ThreadPoolExecutor

    from chasqui.encode.shelf import Shelf
    from chasqui.encode.voice import Voice
    from chasqui.events import Report

    analyzed.run("choose", choose__target="comfortable")
    master, store = analyzed.get("clean"), analyzed.store
    segments = analyzed.lines(analyzed.get("analyze").segments, Segment)
    planned = analyzed.lines(analyzed.get("choose").choices, Choice)
    cheap = [
        choice.model_copy(update={"rung": {"speech": "voice-8", "music": "audio-8", "silence": "voice-5"}[s.kind]})
        for choice, s in zip(planned, segments, strict=True)
    ]
    with (
        store.workspace(analyzed.recording_id, "encode") as work,
        Shelf(work.folder / "packets") as shelf,
        ThreadPoolExecutor(2) as pool,
    ):
        voice = Voice(store.path(master.audio), master, shelf, pool)
        parts = voice.encode(segments, cheap, Report("encode", analyzed.recording_id))
        assert any(not keeps(TARGETS["comfortable"], part.segment.kind, part.scores) for part in parts)
        mended = voice.step_up(parts, TARGETS["comfortable"], room=None)
        tight = voice.step_up(mended, TARGETS["clear"], room=0)
    assert all(keeps(TARGETS["comfortable"], part.segment.kind, part.scores) for part in mended)
    assert sum(part.stepped_up for part in mended) > 0
    assert [part.bytes for part in tight] == [part.bytes for part in mended], "no room, no step"
    assert all(part.reachable for part in tight), "a lack of bytes is not a lack of rungs"


def test_without_mp3_there_is_only_opus(encoded: Packed) -> None:
    renditions = encoded.run("encode", encode__mp3=False)
    assert [rendition.name for rendition in renditions.renditions] == ["voice.opus"]
