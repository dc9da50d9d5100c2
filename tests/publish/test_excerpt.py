"""Which seconds are compared, and that all takes are the same seconds."""

from __future__ import annotations

import io

import numpy as np
import pytest

from chasqui.codecs.opus import PACKET_SAMPLES, RATE_HZ
from chasqui.media.opus import decode_file
from chasqui.metrics.targets import TARGETS
from chasqui.publish import excerpt
from chasqui.publish.excerpt import Span
from chasqui.records import Measured, Scores

UNDERSTOOD = TARGETS["understood"]


def part(n, estoi, kind="speech"):
    return Measured(
        segment=n,
        start_s=n * 6.0,
        end_s=n * 6.0 + 6,
        kind=kind,
        rung="voice-8",
        bytes=6000,
        scores=Scores(estoi=estoi) if kind == "speech" else Scores(visqol=estoi),
        kept=None,
        reachable=True,
        stepped_up=0,
    )


def heard(data, tmp_path):
    path = tmp_path / "take.opus"
    path.write_bytes(data)
    return np.concatenate(list(decode_file(path)))


def likeness(one, other):
    return float(np.corrcoef(one, other)[0, 1])


def test_the_hardest_part_is_the_one_closest_to_its_target():
    parts = [part(0, 0.9), part(1, 0.81), part(2, 0.85), part(3, 2.0, "music"), part(4, 0.1, "silence")]
    assert [m.segment for m in excerpt.hardest(parts, UNDERSTOOD)] == [1, 2, 0, 3]


def test_the_span_starts_at_the_hardest_part():
    span = excerpt.span_of([part(0, 0.9), part(1, 0.81), part(2, 0.9)], UNDERSTOOD, 6.0, 18 * RATE_HZ)
    assert (span.start_s, span.duration_s) == (6.0, 6.0)


@pytest.mark.parametrize("length_s", [1.0, 5.0, 14.0, 18.02])
def test_the_span_never_leaves_the_lesson(length_s):
    samples = int(length_s * RATE_HZ)
    span = excerpt.span_of([part(0, 0.9), part(1, 0.9), part(2, 0.81)], UNDERSTOOD, 15.0, samples)
    assert span.start >= 0
    assert 0 < span.start + span.samples <= samples


def test_hard_parts_far_into_a_long_lesson_are_not_looked_for():
    parts = [part(n, 0.9 - n * 1e-5) for n in range(6000)]
    assert excerpt.span_of(parts, UNDERSTOOD, 15.0, 36_000 * RATE_HZ).start_s < 1800


def test_the_voice_take_is_cut_from_the_published_packets(maker, tmp_path):
    made = maker.lesson()
    path = maker.work.path(made["renditions"].renditions[0].blob)
    span = Span(100, 80)
    whole, take = np.concatenate(list(decode_file(path))), heard(excerpt.of_voice(path, span), tmp_path)
    assert take.size == span.samples
    # The decoder starts cold; after a fifth of a second it gives what it gives in the whole lesson.
    warm = RATE_HZ // 5
    assert likeness(take[warm:], whole[span.start + warm : span.start + span.samples]) > 0.99


def test_source_and_master_takes_are_the_same_seconds(maker, tmp_path):
    made = maker.lesson()
    span = Span(120, 60)
    master = next(iter([maker.work.path(made["master"].audio)]))
    raw = excerpt.of_source(maker.work.path(made["recording"].source), 0, "source", span)
    assert raw.size == span.samples
    from chasqui.media.flac import read_span

    clean = read_span(master, 0.0, span.start, span.start + span.samples)
    assert likeness(raw, clean) > 0.9999
    take = heard(excerpt.of_sound(clean, span), tmp_path)
    assert take.size == span.samples
    assert likeness(take, clean) > 0.98


def test_volumes_are_matched_without_clipping():
    rng = np.random.default_rng(1)
    loud, quiet = rng.normal(size=9600).astype(np.float32) * 0.2, rng.normal(size=9600).astype(np.float32) * 0.002
    matched = excerpt.at_volume_of(quiet, loud)
    assert np.std(matched) == pytest.approx(np.std(loud), rel=0.01)
    quiet[5] = 0.5
    assert np.abs(excerpt.at_volume_of(quiet, loud)).max() <= 0.98 + 1e-6
    assert not excerpt.at_volume_of(np.zeros(10, np.float32), loud).any()


def test_a_source_in_opposed_stereo_is_not_cancelled(maker):
    import wave

    tone = (np.sin(np.arange(RATE_HZ * 2) * 0.05) * 12_000).astype("<i2")
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(np.stack([tone, -tone], axis=1).tobytes())
    blob = maker.keep("opposed.wav", out.getvalue())
    sound = excerpt.of_source(maker.work.path(blob), 0, "opposed.wav", Span(5, 10))
    assert sound.size == 10 * PACKET_SAMPLES - 312
    assert np.abs(sound).max() > 0.3
