"""What each stage gives, in their order; `words.py` has what is said."""

from __future__ import annotations

from typing import Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from chasqui.records.base import Blob, Record, TargetName
from chasqui.records.words import Relistened


class Request(Record):
    """What somebody handed in, before anybody looked inside. The id comes from the content: known bytes are known."""

    recording_id: str = Field(pattern=r"^[0-9a-f]{16}$")
    path: str  # where it was when it was handed in; only `ingest` reads it
    name: str  # file name as the user knows it
    folder: str = ""  # folder relative to what the user named, kept for batches
    sha256: str
    bytes: int = Field(ge=0)
    title: str = ""  # what the user calls it, if they said
    url: str = ""  # s3://bucket/key, where it came from a bucket; `path` is its copy here
    handed: Blob | None = None  # the bytes themselves, where they were handed over to the store; `path` is gone then

    unkeyed = frozenset({"path", "folder", "url", "handed"})  # a recording that was moved is the same recording


class Stream(Record):
    """One stream of the source, as the container describes it."""

    index: int
    kind: str  # audio, video, subtitle, data, attachment
    codec: str
    rate_hz: int | None = None
    channels: int | None = None
    bitrate_bps: int | None = None
    width: int | None = None
    height: int | None = None


class Chapter(Record):
    """A part of a recording with a name, by whoever made the file, or told from the words."""

    start_s: float
    end_s: float | None = None  # None: until the next
    title: str


class Damage(Record):
    """What was lost of a damaged source. A recording damaged at minute 40 still gives 40 minutes, marked so."""

    kept_s: float
    declared_s: float | None
    errors: int  # decoding errors met
    first_error_s: float | None
    why: str


class Recording(Record):
    """ingest: one source file with its facts."""

    recording_id: str
    source: Blob
    container: str
    audio_index: int  # stream index that will be used
    codec: str
    rate_hz: int
    channels: int
    duration_s: float  # counted by decoding to the end, not taken from the header
    declared_duration_s: float | None
    streams: tuple[Stream, ...]
    tags: dict[str, str]
    chapters: tuple[Chapter, ...] = ()  # as they stand in the file
    damage: Damage | None = None
    why: str  # why this stream


class Treatment(Record):
    """One thing that clean did, or decided not to do, and why."""

    name: str  # downmix, highpass, declick, declip, denoise, level, silence, loudness, limit … (docs/clean.md)
    applied: bool
    effect: dict[str, float] = {}  # numbers with units in their names
    why: str


class Master(Record):
    """clean: the lossless reference that every score compares with. Mono, 48 kHz FLAC.

    Readers multiply by `gain_db` (media.flac.read_master does): loudness and peak below are after that gain.
    """

    recording_id: str
    audio: Blob
    rate_hz: int
    samples: int
    duration_s: float
    gain_db: float
    loudness_lufs: float | None  # None: too quiet or too short to measure (EBU R128 gates everything out)
    true_peak_dbtp: float
    source_loudness_lufs: float | None
    snr_db: float | None  # estimated speech-to-noise ratio of the source
    bandwidth_hz: float  # highest frequency with content in the source
    damage: Damage | None = None
    treatments: tuple[Treatment, ...]
    cuts: Blob | None = None  # JSON of Cuts, where something was cut out; None: the master is as long as the recording

    @model_serializer(mode="wrap")
    def _without_no_cuts(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A master without cuts reads as it did before there were any: nothing made from it is made again."""
        told: dict[str, Any] = handler(self)
        if self.cuts is None:
            told.pop("cuts", None)
        return told


class Analysis(Record):
    """analyze: where speech, music and silence are, the segments, and their features."""

    recording_id: str
    segments: Blob  # JSON Lines of Segment
    features: Blob  # .npz, see docs/analyze.md
    segment_count: int
    packets: int  # whole master on the 60 ms grid, last packet padded
    speech_s: float
    music_s: float
    silence_s: float
    feature_version: str


class Plan(Record):
    """choose: the rung of each segment, and why."""

    recording_id: str
    choices: Blob  # JSON Lines of Choice
    target: TargetName  # what was asked for
    promise: TargetName | None  # what this plan expects to keep (lower than asked, or None, under a tight budget)
    budget_bytes: int | None
    ceiling: TargetName | None = None  # of a budget: the highest promise that its bytes are spent on
    expected_bytes: int
    doubtful: int  # choices that encode must measure with care
    unreachable: int  # segments that no rung brings to the target
    encodes: int  # trial encodes made
    scored: int  # scores computed now
    remembered: int  # scores found in the cache
    ladder_version: str
    targets_version: str
    predictor_version: str
    cards: tuple[Blob, ...] = ()  # of the models that foretold the choices: what encode needs to go on from them
    why: str

    unkeyed = frozenset({"encodes", "scored", "remembered"})  # how the plan was found; the plan is the same


class Rendition(Record):
    """encode: one encoded form of the lesson."""

    name: str  # voice.opus, voice.mp3
    blob: Blob
    codec: str
    container: str
    media_type: str  # with codecs parameter, as feeds want it
    bitrate_bps: float  # bytes × 8 ÷ duration, container included
    duration_s: float
    samples: int
    rate_hz: int
    why: str


class Renditions(Record):
    """encode: everything that was made, and the measured score of each segment."""

    recording_id: str
    renditions: tuple[Rendition, ...]
    measured: Blob  # JSON Lines of Measured, for voice.opus
    encodes: int  # encodes of segments made, those thrown away included
    stepped_up: int  # segments that ended above the rung first encoded
    stepped_down: int  # and below it
    rung_seconds: dict[str, float]
    words: Relistened | None = None  # None: there was nothing to compare with

    @property
    def settled(self) -> bool:
        return self.words is None or self.words.status != "failed"


class Certificate(Record):
    """verify: which promise the published bytes keep."""

    recording_id: str
    report: Blob  # certificate.json: method, versions, per segment scores
    rendition_sha256: str
    promised: TargetName
    kept: TargetName | None  # the best promise that is kept by every reachable segment
    degraded: str | None = None  # in words, when less than what was asked is kept
    segments: int
    scored_again: int  # segments decoded and scored from the published bytes
    kept_share: dict[str, float]  # target → share of speech and music seconds at or above it; only what was judged
    visqol_sample: int | None = None  # speech segments drawn for ViSQOL, where the promise does not need it of all
    unreachable: int
    overall: dict[str, float]  # metric → mean and worst values: estoi_mean, estoi_min, visqol_mean, visqol_sample_mean
    duration_s: float
    words: Relistened | None = None  # which words are still heard; None: there was no transcript to compare with

    @property
    def settled(self) -> bool:
        return self.words is None or self.words.status != "failed"


class Lesson(Record):
    """publish: what is carried to the student."""

    recording_id: str
    slug: str
    title: str
    files: tuple[Blob, ...]
    bytes: int  # of voice.opus
    source_bytes: int
