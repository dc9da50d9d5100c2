"""What travels between the stages: frozen, JSON-able, a few kB each, pointing to bytes instead of carrying them.

Units stand in the names (`duration_s`, `bitrate_bps`, `loudness_lufs`). Every decision carries its `why`.
Long lists (segments, choices, scores) live in blobs; their line types stand at the end of this file.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from chasqui import errors

Kind = Literal["speech", "music", "silence"]
TargetName = Literal["understood", "comfortable", "clear"]


class Record(BaseModel):
    """Base of everything that travels."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    #: Fields that no stage makes bytes out of: they stay out of the keys of the stages that need this record.
    unkeyed: ClassVar[frozenset[str]] = frozenset()

    @property
    def settled(self) -> bool:
        """False: made in spite of a failure; the same work is worth another try."""
        return True


class Blob(Record):
    """Bytes in the store. `path` is the store's business; everybody else passes the Blob back to the store."""

    path: str
    bytes: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    media_type: str = "application/octet-stream"

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1]


class Request(Record):
    """What somebody handed in, before anybody looked inside. The id comes from the content: known bytes are known."""

    recording_id: str = Field(pattern=r"^[0-9a-f]{16}$")
    path: str  # where it was when it was handed in; only `ingest` reads it
    name: str  # file name as the user knows it
    folder: str = ""  # folder relative to what the user named, kept for batches
    sha256: str
    bytes: int = Field(ge=0)
    title: str = ""  # what the user calls it, if they said

    unkeyed = frozenset({"path", "folder"})  # a recording that was moved is the same recording


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
    damage: Damage | None = None
    why: str  # why this stream


class Treatment(Record):
    """One thing that clean did, or decided not to do, and why."""

    name: str  # downmix, highpass, declick, declip, denoise, level, silence, loudness, limit
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


class Tongue(Record):
    """A language that is spoken in the recording."""

    language: str | None  # ISO 639; None: the recogniser was too unsure for a name
    seconds: float
    probability: float | None = None  # mean, by whoever detected it; None: it was given, or nobody said


class Failure(Record):
    """What a step met that could not do its part, as it can be told in any language."""

    error: str  # a class of errors.py
    evidence: dict[str, str | int | float] = {}

    def as_error(self) -> errors.ChasquiError:
        """The error as it was raised, for whoever tells it."""
        kind: type[errors.ChasquiError] = getattr(errors, self.error, errors.ChasquiError)
        return kind(**self.evidence)


class Transcript(Record):
    """transcribe: what is said, or why nobody knows."""

    recording_id: str
    status: Literal["none", "done", "failed", "given"]  # given: by a person, not heard by a recogniser
    why: str
    failure: Failure | None = None
    words: Blob | None = None  # JSON Lines of Word
    listened: Blob | None = None  # JSON Lines of Listened
    word_count: int = 0
    heard_s: float = 0.0
    languages: tuple[Tongue, ...] = ()  # most spoken first
    dropped: dict[str, int] = {}  # words that nobody said, by sign: silence, repetition, rate
    recogniser: str | None = None  # its identity: what listened

    @property
    def settled(self) -> bool:
        return self.status != "failed"

    @property
    def language(self) -> str | None:
        """The language most of it is in, where that is known."""
        return self.languages[0].language if self.languages else None


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


class Lesson(Record):
    """publish: what is carried to the student."""

    recording_id: str
    slug: str
    title: str
    files: tuple[Blob, ...]
    bytes: int  # of voice.opus
    source_bytes: int


# --- lines inside blobs -----------------------------------------------------------------------------------------------


class Scores(Record):
    """What was measured on one segment at one rung. Metrics that do not apply to its kind are None."""

    estoi: float | None = None
    visqol: float | None = None  # speech mode for speech, audio mode for music
    visqol_skipped: bool = False  # nobody asked for it: says nothing, neither that it is kept nor that it is missed


class Segment(Record):
    """A stretch of 4–15 s cut at a pause; packets count on the 60 ms grid."""

    index: int
    start_packet: int
    packets: int
    kind: Kind
    speech_share: float  # 0–1, of its seconds

    @property
    def end_packet(self) -> int:
        return self.start_packet + self.packets


class Forecast(Record):
    """What a model foretells of one segment at each rung of its ladder, cheap to dear. A metric it does not judge is
    None.
    """

    model: str  # name, version and the first digits of its hash
    estoi: tuple[float, ...] | None
    estoi_low: tuple[float, ...] | None  # reached with nine chances in ten
    visqol: tuple[float, ...]
    visqol_low: tuple[float, ...]
    bytes: tuple[int, ...]  # payload
    chance: tuple[float, ...]  # of keeping the plan's target, 0–1
    difficulty: float  # how far off the model may be here; 1 is usual


class Choice(Record):
    """The rung of one segment, what it is expected to score, and why."""

    segment: int
    rung: str
    expected: Scores
    measured: bool  # expected comes from an encode of this very segment at this rung
    doubtful: bool
    reachable: bool  # False: no rung reaches the promise here
    bytes: int  # expected payload
    why: str
    forecast: Forecast | None = None  # where the rung was predicted, not searched


class Measured(Record):
    """What the encoded segment scored in the finished stream."""

    segment: int
    start_s: float
    end_s: float
    kind: Kind
    rung: str
    bytes: int
    scores: Scores
    kept: TargetName | None
    reachable: bool
    stepped_up: int  # rungs above the plan
    stepped_down: int = 0  # rungs below it
    encodes: int = 1  # rungs encoded until this one was taken


class Word(Record):
    """One spoken word, punctuation attached; times count from the beginning of the recording."""

    text: str
    start_s: float
    end_s: float
    probability: float | None = None  # 0–1, by whoever heard it; None: nobody said


class Listened(Record):
    """A stretch that a recogniser listened to."""

    start_s: float
    end_s: float
    language: str | None
    language_probability: float | None
    confidence: float | None
    words: int
    dropped: dict[str, int] = {}
