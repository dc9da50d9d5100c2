"""Segments encoded apart and joined: gapless, the same in any thread, and no click where they meet."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clips import SPEECH, Pcm, excerpt, heard
from hypothesis import given
from hypothesis import strategies as st
from sounds import babble

from chasqui.codecs.opus import PACKET_SAMPLES, PRIMING_PACKETS, RUNGS
from chasqui.media import ogg, opus, pairs, segment
from chasqui.media.flac import FlacWriter
from chasqui.media.ogg import PRE_SKIP
from chasqui.media.segment import Span
from chasqui.records import Master, Segment

PIANO = "noise_music/max-audio-classifier/piano.wav"
NARROW, WIDE = ("voice-6", "voice-8", "voice-7"), ("voice-12", "voice-24", "voice-48", "voice-9")


def master(samples: int, gain_db: float = 0.0) -> Master:
    """Only what a segment needs to know of it."""
    return Master.model_construct(samples=samples, gain_db=gain_db)


def cut(starts: list[int], samples: int) -> list[Segment]:
    """Segments from these packets on; the last one ends with the recording."""
    edges = [*starts, -(-samples // PACKET_SAMPLES)]
    return [
        Segment(index=index, start_packet=start, packets=end - start, kind="speech", speech_share=1)
        for index, (start, end) in enumerate(pairwise(edges))
    ]


def span_of(sound: Pcm, one: Segment) -> Span:
    lead = min(PRIMING_PACKETS, one.start_packet)
    return Span(lead, sound[(one.start_packet - lead) * PACKET_SAMPLES : one.end_packet * PACKET_SAMPLES])


def joined(sound: Pcm, starts: list[int], rungs: tuple[str, ...]) -> list[bytes]:
    """Packets of segments that take the rungs in turn."""
    packets: list[bytes] = []
    for one, rung in zip(cut(starts, len(sound)), cycle(rungs), strict=False):
        count = segment.packets_of(master(len(sound)), one)
        packets += segment.encode(span_of(sound, one), RUNGS[rung], count)[1]
    return packets


def decoded(packets: list[bytes], samples: int) -> Pcm:
    return np.concatenate(list(opus.decode(packets)))[:samples]


def roughness(sound: Pcm, at: slice) -> float:
    """Largest second difference: a click is a corner in the wave."""
    return float(np.abs(np.diff(sound[at].astype(np.float64), 2)).max())


def energy(sound: Pcm, at: slice) -> float:
    return float((sound[at].astype(np.float64) ** 2).sum())


# --- counting ---------------------------------------------------------------------------------------------------------


@given(samples=st.integers(PACKET_SAMPLES, 10**6), data=st.data())
def test_packets_of_all_segments_bring_out_every_sample_and_fit_the_stream(samples: int, data: st.DataObject) -> None:
    last = -(-samples // PACKET_SAMPLES)
    starts = sorted({0, *data.draw(st.lists(st.integers(0, last - 1), max_size=8))})
    total = sum(segment.packets_of(master(samples), one) for one in cut(starts, samples))
    assert (total - 1) * PACKET_SAMPLES < samples + PRE_SKIP <= total * PACKET_SAMPLES


@given(sizes=st.lists(st.integers(1, 1300), max_size=30))
def test_payload_is_what_ogg_takes_without_page_headers(sizes: list[int]) -> None:
    packets = [b"x" * size for size in sizes]
    joined = [len(packet) for packet in pairs.join(packets)]
    pages = ogg.overhead(joined, {}) - ogg.overhead([], {}) + sum(joined) - segment.payload(packets)
    assert pages % 27 == 0


# --- reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gain_db", [0.0, -6.0])
def test_a_span_is_the_segment_and_what_lies_before_it(tmp_path: Path, gain_db: float) -> None:
    sound = babble(4.3)[0]
    with FlacWriter(tmp_path / "master.flac") as writer:
        writer.write(sound)
    gain = np.float32(10 ** (gain_db / 20))
    for one in cut([0, 5, 30, 60], len(sound)):
        span = segment.read(tmp_path / "master.flac", master(len(sound), gain_db), one)
        meant = span_of(sound, one)
        assert span.lead_packets == min(PRIMING_PACKETS, one.start_packet) == meant.lead_packets
        assert np.abs(span.pcm - meant.pcm * gain).max() <= 2**-15
        own = sound[one.start_packet * PACKET_SAMPLES : one.end_packet * PACKET_SAMPLES][:-PRE_SKIP]
        assert np.abs(span.reference - own * gain).max() <= 2**-15


# --- encoding apart ---------------------------------------------------------------------------------------------------


def test_priming_comes_apart_from_the_packets() -> None:
    sound = babble(3)[0]
    one = cut([0, 20, 40], len(sound))[1]
    before, packets = segment.encode(span_of(sound, one), RUNGS["voice-8"], 20)
    assert (len(before), len(packets)) == (PRIMING_PACKETS, 20)
    assert before + packets == opus.encode(span_of(sound, one).pcm, RUNGS["voice-8"])


def test_the_first_segment_has_no_priming() -> None:
    before, packets = segment.encode(Span(0, babble(1)[0][: 10 * PACKET_SAMPLES]), RUNGS["voice-8"], 10)
    assert (before, len(packets)) == ([], 10)


def test_segments_in_threads_are_the_same_bytes() -> None:
    sound = babble(6)[0]
    segments = cut([0, 20, 37, 60, 81], len(sound))

    def encode(one: Segment) -> Any:
        return segment.encode(span_of(sound, one), RUNGS["voice-10"], one.packets)

    alone = [encode(one) for one in segments]
    for threads in (1, 3):
        with ThreadPoolExecutor(threads) as pool:
            assert list(pool.map(encode, segments)) == alone


def test_a_segment_sounds_as_it_will_in_the_stream(media: Path) -> None:
    """What the search scores, decoded from its own priming, is what plays: the decoder has forgotten the rest."""
    sound = excerpt(media / SPEECH[0], 0, 6)
    segments = cut([0, 30, 60], len(sound))
    streamed = decoded(joined(sound, [0, 30, 60], ("voice-12",)), len(sound))
    one = segments[1]
    before, packets = segment.encode(span_of(sound, one), RUNGS["voice-12"], one.packets)
    alone = segment.decode(before, packets, one.packets * PACKET_SAMPLES - PRE_SKIP)
    in_stream = streamed[one.start_packet * PACKET_SAMPLES :][: len(alone)]
    assert len(alone) == one.packets * PACKET_SAMPLES - PRE_SKIP
    late = slice(2 * PACKET_SAMPLES, None)
    assert energy(alone - in_stream, late) < 1e-3 * energy(in_stream, late)


# --- joining ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("samples", [2880 * 60, 2880 * 60 - 312, 2880 * 60 - 311, 2880 * 60 + 1])
def test_a_joined_stream_is_as_long_as_the_recording(tmp_path: Path, samples: int) -> None:
    sound = babble(4)[0][:samples]
    packets = joined(sound, [0, 13, 37], ("voice-6", "voice-12", "voice-24"))
    with (tmp_path / "voice.opus").open("wb") as out:
        ogg.write(out, packets, samples, serial=1, tags={}, packet_samples=PACKET_SAMPLES)
    assert sum(block.size for block in opus.decode_file(tmp_path / "voice.opus")) == samples


@pytest.mark.parametrize(
    ("name", "rungs"),
    [
        (SPEECH[0], NARROW),
        (SPEECH[0], WIDE),
        (SPEECH[2], WIDE),
        (PIANO, ("audio-16", "audio-32", "audio-24", "audio-48")),
    ],
)
def test_no_click_between_rungs_of_one_bandwidth(media: Path, name: str, rungs: tuple[str, ...]) -> None:
    """Even in the middle of words: the wave around a join is no rougher than in the encodes that meet there."""
    sound = excerpt(media / name, 0, 6)
    starts = list(range(0, 96, 12))
    got = decoded(joined(sound, starts, rungs), len(sound))
    whole = [heard(sound, RUNGS[rung]) for rung in rungs]
    for index, packet in enumerate(starts[1:]):
        at = packet * PACKET_SAMPLES - PRE_SKIP
        near, around = slice(at - 240, at + 480), slice(at - 2 * PACKET_SAMPLES, at + 2 * PACKET_SAMPLES)
        sides = (whole[index % len(rungs)], whole[(index + 1) % len(rungs)])
        assert roughness(got, near) < 1.5 * max(roughness(side, around) for side in sides), packet


@pytest.mark.parametrize("name", [SPEECH[0], SPEECH[2]])
def test_errors_are_no_larger_at_joins_than_elsewhere(media: Path, name: str) -> None:
    """Over many joins: the error within a packet of them against that of the same encodes without joins."""
    sound = excerpt(media / name, 0, 6)
    starts = list(range(0, 100, 7))
    got = decoded(joined(sound, starts, ("voice-12",)), len(sound))
    whole = heard(sound, RUNGS["voice-12"])
    near = [slice(at * PACKET_SAMPLES - PRE_SKIP, (at + 1) * PACKET_SAMPLES - PRE_SKIP) for at in starts[1:]]
    at_joins = sum(energy(got - sound, at) for at in near)
    without = sum(energy(whole - sound, at) for at in near)
    assert at_joins < 1.25 * without


def test_a_change_of_bandwidth_in_a_pause_is_far_below_the_voice(media: Path) -> None:
    """SILK starts its resampler anew between 8 and 16 kHz, a corner as high as the sound is just there. So such joins
    belong in pauses, where analyze cuts.
    """
    sound = excerpt(media / "speech/speech-to-text-nodejs/en-US_Broadband_sample2.wav", 0, 30)
    voice = float(np.sqrt(np.mean(sound[np.abs(sound) > 0.03 * np.abs(sound).max()] ** 2)))
    pauses = [quietest(sound, start, start + 40) for start in range(40, 440, 80)]
    got = decoded(joined(sound, [0, *pauses], ("voice-12", "voice-8")), len(sound))
    for packet in pauses:
        at = packet * PACKET_SAMPLES - PRE_SKIP
        assert roughness(got, slice(at - 4, at + 100)) < 0.1 * voice, packet


def quietest(sound: Pcm, first: int, end: int) -> int:
    """The packet with the least sound around its start."""
    starts = range(first, end)
    return min(starts, key=lambda at: energy(sound, slice(at * PACKET_SAMPLES - 800, at * PACKET_SAMPLES + 200)))
