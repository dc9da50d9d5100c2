"""Speech, music, silence: what each packet and each second holds.

`speech` is what Silero hears, with hysteresis, also over a music bed. `silence` is nothing worth hearing: far below the
programme, or the steady background of the pauses. `music` is everything else, that is, sound worth keeping: music, but
also rain, applause or a passing train when nobody speaks for a while.

On the recordings used for tests Silero alone parts speech from music and noise (see docs/analyze.md), so nothing
cleverer is here; steadiness only removes the short false alarms that held notes give.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from chasqui.analyze import blocks
from chasqui.analyze.blocks import Floats
from chasqui.records import Kind

Flags = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]

SILENCE, SPEECH, MUSIC = 0, 1, 2
NAMES: tuple[Kind, ...] = ("silence", "speech", "music")

ON, OFF = 0.5, 0.35  # Silero's own defaults: threshold, and threshold − 0.15 to end
MIN_SPEECH_PACKETS = 4  # 240 ms; Silero's default is 250 ms
# Held notes make Silero hear a voice for a moment. All such runs in the music tried had a mean probability up to 0.74,
# spectra 50 ms apart alike to 0.86 or more, and lasted less than 3 s; short runs of real speech had 0.84 or more.
SHORT_PACKETS, STEADY, UNSURE = 50, 0.85, 0.8
BRIDGE_PACKETS = 33  # a pause of up to 2 s belongs to the speech around it
SILENCE_BELOW_LU = 25.0  # this far under the programme's loudness nobody follows anything on a phone
SILENCE_DBFS = -50.0  # where there is no loudness: EBU R128's gate found nothing, so the recording is all but empty
DIGITAL_DBFS = -70.0  # no microphone is this quiet: muted, cut out, or past the end
BACKGROUND_ABOVE_DB = 6.0  # as loud as the quietest tenth of the half minute around, give or take
BACKGROUND_BELOW_DB = 12.0  # and well below the voice
TONAL = 0.3  # share of voiced frames; noise has 0.00–0.05, music beds 0.3–1.0
SMOOTH_PACKETS = 17  # a second: shorter changes between music and silence are not changes
SECOND_SHARE = 0.25  # of a second makes it speech (or music)


class Sound(NamedTuple):
    """What labelling needs of one block."""

    probability: Floats  # [375] of speech, per 32 ms
    level_dbfs: Floats  # [200] per packet; below DIGITAL_DBFS past the end of the recording
    steadiness: Floats  # [12] per second
    voiced: Floats  # [12] share of voiced frames per second


class Labels(NamedTuple):
    """One block, labelled."""

    speech: Flags  # [200] somebody speaks in this packet
    kind: Bytes  # [200] the same with pauses bridged: what the packet belongs to
    second: Bytes  # [12]
    loudness: Floats  # [200] 0 (as quiet as it gets around here) to 1, for finding places to cut


def label(sounds: Iterable[Sound], loudness_lufs: float | None) -> Iterator[Labels]:
    """Labels of each block, in order, each decided with the block before and the block after in view."""
    before: Sound | None = None
    here: Sound | None = None
    for after in sounds:
        if here is not None:
            yield _label(before, here, after, loudness_lufs)
        before, here = here, after
    if here is not None:
        yield _label(before, here, None, loudness_lufs)


def _label(before: Sound | None, here: Sound, after: Sound | None, loudness_lufs: float | None) -> Labels:
    around = [sound for sound in (before, here, after) if sound is not None]
    whole = Sound(*(np.concatenate(parts) for parts in zip(*around, strict=True)))
    speech = find_speech(whole.probability, whole.steadiness)
    quiet = find_quiet(whole, speech, loudness_lufs)
    kind = np.where(smooth(quiet), SILENCE, MUSIC).astype(np.uint8)
    bridged = bridge(speech, BRIDGE_PACKETS)
    kind[bridged] = SPEECH
    start = 0 if before is None else blocks.PACKETS
    mine = slice(start, start + blocks.PACKETS)
    seconds = slice(start * 60 // 1000, (start + blocks.PACKETS) * 60 // 1000)
    return Labels(speech[mine], kind[mine], _by_second(speech, kind)[seconds], _relative(whole.level_dbfs)[mine])


def find_speech(probability: Floats, steadiness: Floats) -> Flags:
    """Per packet: is there speech in at least half of it."""
    ticks = np.repeat(hysteresis(probability), 8)  # 32 ms = 8 × 4 ms, 60 ms = 15 × 4 ms
    speech = ticks.reshape(-1, 15).mean(axis=1) >= 0.5
    for start, stop in runs(speech):
        steady = steadiness[(start + stop) * 30 // 1000] > STEADY
        unsure = probability[start * 15 // 8 : stop * 15 // 8 + 1].mean() < UNSURE
        held_note = stop - start < SHORT_PACKETS and steady and unsure
        if stop - start < MIN_SPEECH_PACKETS or held_note:
            speech[start:stop] = False
    return np.asarray(speech, np.bool_)


def hysteresis(probability: Floats) -> Flags:
    """On from ON upwards, off again only below OFF."""
    on, states = False, np.empty(probability.size, np.bool_)
    for index, value in enumerate(probability.tolist()):
        on = value >= (OFF if on else ON)
        states[index] = on
    return states


def find_quiet(sound: Sound, speech: Flags, loudness_lufs: float | None) -> Flags:
    """Per packet: nothing worth hearing. Background counts as such only beside speech; rain alone is kept."""
    level = sound.level_dbfs
    limit = SILENCE_DBFS if loudness_lufs is None else loudness_lufs - SILENCE_BELOW_LU
    quiet = level < limit
    if speech.mean() >= 0.2:
        voice, floor = np.median(level[speech]), np.percentile(_heard(level), 10)
        tonal = per_packet(sound.voiced) >= TONAL
        quiet |= (level < floor + BACKGROUND_ABOVE_DB) & (level < voice - BACKGROUND_BELOW_DB) & ~tonal
    return quiet


def per_packet(seconds: Floats) -> Floats:
    """Values per second, repeated for the packets whose middle lies in them."""
    packets = len(seconds) * 1000 // 60
    return np.asarray(seconds[(np.arange(packets) * 60 + 30) // 1000])


def smooth(flags: Flags) -> Flags:
    """Majority over a second around each packet."""
    half = SMOOTH_PACKETS // 2
    sums = np.concatenate([[0], np.cumsum(np.pad(flags, half, mode="edge"))])
    return np.asarray(sums[SMOOTH_PACKETS:] - sums[:-SMOOTH_PACKETS] > half, np.bool_)


def bridge(flags: Flags, longest: int) -> Flags:
    """The same with gaps of up to `longest` between two runs filled."""
    filled = flags.copy()
    found = runs(flags)
    for (_, stop), (start, _) in pairwise(found):
        if start - stop <= longest:
            filled[stop:start] = True
    return filled


def runs(flags: Flags) -> list[tuple[int, int]]:
    """(start, stop) of each stretch of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def _by_second(speech: Flags, kind: Bytes) -> Bytes:
    """A pause inside speech is silence here: this row says what a second holds, not what it belongs to."""
    spoken = np.repeat(speech, 3).reshape(-1, 50).mean(axis=1)
    sounding = np.repeat(kind == MUSIC, 3).reshape(-1, 50).mean(axis=1)
    second = np.where(sounding >= SECOND_SHARE, MUSIC, SILENCE)
    return np.where(spoken >= SECOND_SHARE, SPEECH, second).astype(np.uint8)


def _relative(level: Floats) -> Floats:
    low, high = np.percentile(_heard(level), (5, 90))
    return np.asarray(np.clip((level - low) / max(high - low, 6.0), 0, 1), np.float32)


def _heard(level: Floats) -> Floats:
    heard = level[level > DIGITAL_DBFS]
    return heard if heard.size else level
