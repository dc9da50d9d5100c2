"""Opus settings, the packet grid, and the ladder of rungs a segment may be encoded at.

This file says what is legal and what a rung is. `choose/opus.py` decides which rung a segment gets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: Opus counts in 48 kHz samples whatever the content is (RFC 7845 §4).
RATE_HZ = 48_000
#: One packet on our grid. 60 ms beat 20 ms at every rate up to 12 kb/s: same score, 4–8 % fewer bytes.
FRAME_MS = 60
PACKET_SAMPLES = RATE_HZ * FRAME_MS // 1000
PACKETS_PER_S = 1000 / FRAME_MS
#: A segment's encoder starts this many packets early and throws them away: measured as good as one continuous encode.
PRIMING_PACKETS = 8

Application = Literal["voip", "audio"]


@dataclass(frozen=True)
class Rung:
    """One legal set of encoder settings."""

    name: str
    bitrate_bps: int
    application: Application
    cutoff_hz: int | None = None  # cap on the coded bandwidth; None leaves it to libopus
    complexity: int = 10  # the last 10 % of quality per byte; encoding stays > 80 × real time on one core
    frame_ms: int = FRAME_MS

    def __post_init__(self) -> None:
        if not 500 <= self.bitrate_bps <= 256_000:  # RFC 6716 §2.1.1, mono
            raise ValueError(f"{self.bitrate_bps} b/s is outside what Opus allows for mono (500–256000)")
        if self.frame_ms not in (10, 20, 40, 60):
            raise ValueError(f"{self.frame_ms} ms is not a frame duration of Opus")
        if self.cutoff_hz not in (None, 4_000, 6_000, 8_000, 12_000, 20_000):
            raise ValueError(f"{self.cutoff_hz} Hz is not a bandwidth of Opus")
        if not 0 <= self.complexity <= 10:
            raise ValueError(f"complexity {self.complexity} is outside 0–10")


LADDER_VERSION = "opus-1"

#: Ordered from cheap to dear within each application. Steps are about 8 % where most segments end up, wider
#: above. Voice rungs use application=voip. Below 9 kb/s libopus goes narrowband by itself, which scores better
#: than forced wideband with an ordinary decoder. From 13.5 kb/s it would go super-wideband and hybrid, which costs
#: voice more clarity than it gives (48 real clips at 14 kb/s: ESTOI 0.89 free, 0.93 capped at 8 kHz), so voice is
#: capped there. Audio rungs are for music, which needs the bandwidth: under 14 kb/s it is cut to 8 kHz.
LADDER: tuple[Rung, ...] = (
    Rung("voice-5", 5_000, "voip"),  # below it libopus has nothing left to save
    Rung("voice-5.5", 5_500, "voip"),
    Rung("voice-6", 6_000, "voip"),
    Rung("voice-6.5", 6_500, "voip"),
    Rung("voice-7", 7_000, "voip"),
    Rung("voice-7.5", 7_500, "voip"),
    Rung("voice-8", 8_000, "voip"),  # last narrowband rung: the best understood per byte
    Rung("voice-9", 9_000, "voip"),  # first wideband rung: sounds far better, and is understood a little less
    Rung("voice-10", 10_000, "voip"),
    Rung("voice-11", 11_000, "voip"),
    Rung("voice-12", 12_000, "voip"),
    Rung("voice-14", 14_000, "voip", cutoff_hz=8_000),
    Rung("voice-16", 16_000, "voip", cutoff_hz=8_000),
    Rung("voice-20", 20_000, "voip", cutoff_hz=8_000),
    Rung("voice-24", 24_000, "voip", cutoff_hz=8_000),
    Rung("voice-32", 32_000, "voip", cutoff_hz=8_000),
    Rung("voice-48", 48_000, "voip", cutoff_hz=8_000),
    Rung("audio-8", 8_000, "audio"),
    Rung("audio-10", 10_000, "audio"),
    Rung("audio-14", 14_000, "audio"),  # first rung beyond 8 kHz of bandwidth
    Rung("audio-16", 16_000, "audio"),
    Rung("audio-20", 20_000, "audio"),
    Rung("audio-24", 24_000, "audio"),
    Rung("audio-32", 32_000, "audio"),
    Rung("audio-40", 40_000, "audio"),
    Rung("audio-48", 48_000, "audio"),
)

RUNGS: dict[str, Rung] = {rung.name: rung for rung in LADDER}


def ladder(application: Application) -> tuple[Rung, ...]:
    """The rungs of one application, cheap to dear."""
    return tuple(rung for rung in LADDER if rung.application == application)
