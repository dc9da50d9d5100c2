"""Ogg Opus as we write it: read back whole, exact to the sample in every decoder, and nothing damaged passes."""

from __future__ import annotations

import io
import struct
import subprocess
import wave
from collections.abc import Callable
from functools import cache
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sounds import babble

from chasqui.codecs.opus import PACKET_SAMPLES, RUNGS
from chasqui.media import ogg, opus
from chasqui.media.ogg import PAGE_PACKETS, PRE_SKIP

Tool = Callable[[str], str]

TAGS = {"TITLE": "Fracciones – año 2", "COMMENT": ""}
packet_lists = st.lists(st.binary(min_size=1, max_size=700), min_size=1, max_size=200)
tag_sets = st.dictionaries(st.from_regex(r"[A-Z]{1,12}", fullmatch=True), st.text(max_size=80), max_size=4)

#: At and around the edges of packets and pages, and as short as it gets.
LENGTHS = sorted(
    {1, 100, 311, 312, 313, 5_000, 2880 * 100 + 7}
    | {2880 * k + d for k in (1, 2, 83, 84, 166) for d in (-312, -311, 0, 1)}
)


def written(packets: list[bytes], samples: int, tags: dict[str, str] | None = None) -> bytes:
    out = io.BytesIO()
    size = ogg.write(out, packets, samples, serial=9, tags=tags or {}, packet_samples=PACKET_SAMPLES)
    assert size == len(out.getvalue())
    return out.getvalue()


def pages_of(data: bytes) -> list[ogg.Page]:
    return list(ogg.read(io.BytesIO(data)))


def fitting(count: int, spare: int) -> int:
    """Samples that `count` packets bring out, the last of them cut by `spare` samples."""
    return count * PACKET_SAMPLES - PRE_SKIP - spare


@settings(max_examples=40, deadline=None)
@given(packets=packet_lists, spare=st.integers(0, PACKET_SAMPLES - PRE_SKIP - 1), tags=tag_sets)
def test_what_is_written_is_read(packets: list[bytes], spare: int, tags: dict[str, str]) -> None:
    samples = fitting(len(packets), spare)
    data = written(packets, samples, tags)
    head, comment, *pages = pages_of(data)

    assert [packet for page in pages for packet in page.packets] == packets
    assert head.packets[0][:8] == b"OpusHead"
    assert comment.packets[0][:8] == b"OpusTags"
    assert ogg.tag_bytes(tags) == len(comment.packets[0])
    assert all(1 <= len(page.packets) <= PAGE_PACKETS for page in pages)
    assert len(data) == sum(map(len, packets)) + ogg.overhead(map(len, packets), tags)


@settings(max_examples=20, deadline=None)
@given(packets=packet_lists, spare=st.integers(0, PACKET_SAMPLES - PRE_SKIP - 1))
def test_positions_count_what_has_come_out_so_far(packets: list[bytes], spare: int) -> None:
    samples = fitting(len(packets), spare)
    head, comment, *pages = pages_of(written(packets, samples))
    done = 0
    for page in pages[:-1]:
        done += len(page.packets)
        assert page.granule == done * PACKET_SAMPLES
    assert head.granule == comment.granule == 0
    assert pages[-1].granule == PRE_SKIP + samples


@settings(max_examples=20, deadline=None)
@given(packets=packet_lists)
def test_pages_are_numbered_and_marked(packets: list[bytes]) -> None:
    pages = pages_of(written(packets, fitting(len(packets), 0)))
    assert [page.sequence for page in pages] == list(range(len(pages)))
    assert [page.first for page in pages] == [True] + [False] * (len(pages) - 1)
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert {page.serial for page in pages} == {9}


@pytest.mark.parametrize("count", [82, 83, 84, 166, 167])
def test_a_page_is_as_long_as_it_may_be(count: int) -> None:
    _, _, *pages = pages_of(written([b"x" * 50] * count, fitting(count, 0)))
    assert [len(page.packets) for page in pages] == [PAGE_PACKETS] * (count // PAGE_PACKETS) + (
        [count % PAGE_PACKETS] if count % PAGE_PACKETS else []
    )
    assert PAGE_PACKETS * PACKET_SAMPLES < 5 * 48_000


def test_the_head_says_what_rfc_7845_wants() -> None:
    out = io.BytesIO()
    ogg.write(out, [b"x"], 100, serial=1, tags={}, packet_samples=PACKET_SAMPLES, input_rate_hz=16_000)
    fields = struct.unpack("<8sBBHIhB", pages_of(out.getvalue())[0].packets[0])
    assert fields == (b"OpusHead", 1, 1, PRE_SKIP, 16_000, 0, 0)


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_one_damaged_byte_is_noticed(data: st.DataObject) -> None:
    whole = written([bytes([n]) * (n * 7 % 300 + 1) for n in range(100)], fitting(100, 5), TAGS)
    at = data.draw(st.integers(0, len(whole) - 1))
    flip = data.draw(st.integers(1, 255))
    with pytest.raises(ValueError, match="page"):
        pages_of(whole[:at] + bytes([whole[at] ^ flip]) + whole[at + 1 :])


def test_a_cut_is_noticed_unless_it_lies_between_pages() -> None:
    whole = written([bytes([n]) * 40 for n in range(100)], fitting(100, 5), TAGS)
    ends, at = {0}, 0
    for page in pages_of(whole):
        at += 27 + sum(len(packet) // 255 + 1 for packet in page.packets) + sum(map(len, page.packets))
        ends.add(at)
    for cut in range(len(whole)):
        if cut in ends:
            assert not any(page.last for page in pages_of(whole[:cut]))  # the mark of the end is what is missing
        else:
            with pytest.raises(ValueError, match="page"):
                pages_of(whole[:cut])


@pytest.mark.parametrize("data", [b"RIFF....WAVE" * 4, b"OggS", b"OggS" + b"\0" * 30, b"\0"])
def test_what_is_not_ogg_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="page"):
        pages_of(data)


@pytest.mark.parametrize("samples", [fitting(3, 0) + 1, fitting(2, 0), fitting(4, 0), 0])
def test_counts_that_do_not_fit_are_refused(samples: int) -> None:
    with pytest.raises(ValueError, match="3 packets of 2880 samples cannot end at sample"):
        written([b"a", b"b", b"c"], samples)


def test_no_packets_are_refused() -> None:
    with pytest.raises(ValueError, match="0 packets"):
        written([], 100)


def test_an_empty_packet_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        written([b"a", b""], fitting(2, 0))


def test_a_packet_longer_than_a_page_is_refused() -> None:
    longest = 254 * 255 + 254
    assert pages_of(written([b"x" * longest], fitting(1, 0)))[2].packets == (b"x" * longest,)
    with pytest.raises(ValueError, match="do not fit one page"):
        written([b"x" * (longest + 1)], fitting(1, 0))


def test_packets_that_end_on_a_lacing_border_come_back() -> None:
    packets = [b"x" * size for size in (254, 255, 256, 509, 510, 511, 1)]
    _, _, page = pages_of(written(packets, fitting(7, 0)))
    assert page.packets == tuple(packets)


# --- as others see it -------------------------------------------------------------------------------------------------


@cache
def sounding() -> tuple[bytes, ...]:
    """Packets of ten seconds; a stream of any length takes as many of them as it needs."""
    return tuple(opus.encode(babble(10.2)[0][: 170 * PACKET_SAMPLES], RUNGS["voice-8"]))


def encoded(path: Path, samples: int) -> Path:
    count = -(-(samples + PRE_SKIP) // PACKET_SAMPLES)
    path.write_bytes(written(list(sounding()[:count]), samples, TAGS))
    return path


@pytest.mark.parametrize("samples", LENGTHS)
def test_ffmpeg_gives_every_sample_and_no_more(tmp_path: Path, samples: int) -> None:
    path = encoded(tmp_path / "voice.opus", samples)
    assert sum(block.size for block in opus.decode_file(path)) == samples


@pytest.mark.parametrize("samples", list(islice(LENGTHS, 0, None, 4)))
def test_opusdec_gives_every_sample_and_no_more(tmp_path: Path, tool: Tool, samples: int) -> None:
    path, out = encoded(tmp_path / "voice.opus", samples), tmp_path / "voice.wav"
    subprocess.run([tool("opusdec"), "--quiet", "--force-wav", str(path), str(out)], check=True, capture_output=True)
    with wave.open(str(out)) as sound:
        assert (sound.getnframes(), sound.getframerate(), sound.getnchannels()) == (samples, 48_000, 1)


@pytest.mark.parametrize("samples", [100, 2880 * 3 - 312, 2880 * 100 + 7, 2880 * 166])
def test_opusinfo_has_nothing_to_say(tmp_path: Path, tool: Tool, samples: int) -> None:
    told = subprocess.run(
        [tool("opusinfo"), str(encoded(tmp_path / "voice.opus", samples))], capture_output=True, text=True, check=True
    )
    said = told.stdout + told.stderr
    assert "WARNING" not in said
    assert "ERROR" not in said.upper()
    assert "Pre-skip: 312" in said
    assert "TITLE=Fracciones – año 2" in said


def test_system_ffmpeg_decodes_it(tmp_path: Path, tool: Tool) -> None:
    path = encoded(tmp_path / "voice.opus", 2880 * 100 + 7)
    told = subprocess.run(
        [tool("ffmpeg"), "-v", "warning", "-i", str(path), "-f", "s16le", "-ar", "48000", "-"],
        capture_output=True,
        check=True,
    )
    assert told.stderr == b""
    assert len(told.stdout) == 2 * (2880 * 100 + 7)


def test_ffprobe_knows_its_length(tmp_path: Path, tool: Tool) -> None:
    path = encoded(tmp_path / "voice.opus", 48_000 * 3)
    asked = [tool("ffprobe"), "-v", "error", "-show_entries", "format=duration:stream=codec_name,channels"]
    told = subprocess.run([*asked, "-of", "default=nk=1:nw=1", str(path)], capture_output=True, text=True, check=True)
    codec, channels, duration = told.stdout.split()
    assert (codec, channels) == ("opus", "1")
    assert float(duration) == pytest.approx(3 + PRE_SKIP / 48_000, abs=1e-3)  # ffprobe counts the pre-skip
