"""lesson.json: what is in a lesson's folder, exactly, for whoever carries it on. Described in docs/manifest.md.

The same records give the same bytes: no clock, no paths of the machine that packed it.
"""

from __future__ import annotations

import json
from typing import Literal

from pydantic import Field

from chasqui import __version__
from chasqui.publish import Options, words
from chasqui.publish.chapters import Parts
from chasqui.publish.price import Price, price_of
from chasqui.publish.sources import PROMISES, Sources, rank
from chasqui.publish.words import WordsHeard
from chasqui.records import Blob, Damage, Failure, Laid, Record, Rendition, TargetName, Tongue, Treatment


class File(Record):
    """Another file of the lesson's folder."""

    name: str
    bytes: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    media_type: str


class Sound(File):
    """One encoded form of the lesson, with what a feed or an app must know before it downloads."""

    codec: str
    container: str
    bitrate_bps: float = Field(description="bytes × 8 ÷ duration, container included")
    duration_s: float
    samples: int
    rate_hz: int
    targets: tuple[TargetName, ...] = Field(
        description="promises verified on these very bytes; empty: none was measured"
    )
    why: str


class Promise(Record):
    """What was asked for, what was promised, what is kept."""

    asked: TargetName
    promised: TargetName
    kept: TargetName | None
    degraded: str | None
    kept_share: dict[str, float] = Field(
        description="target → share of seconds of speech and music at or above it, 0–1; only targets judged everywhere"
    )
    visqol_sample: int | None = Field(
        default=None, description="parts of speech drawn by lot for ViSQOL, where the promise does not need it of all"
    )
    segments: int
    scored_again: int = Field(description="segments scored from the published bytes")
    unreachable: int = Field(description="segments that no rung brings to the target")
    overall: dict[str, float]
    ladder_version: str
    targets_version: str
    predictor_version: str


class Loudness(Record):
    """EBU R128; null where the sound is too quiet or too short to measure."""

    integrated_lufs: float | None
    true_peak_dbtp: float
    source_lufs: float | None


class Said(Record):
    """What is known of the words. The files are `transcript.*`; there are none where there are no words."""

    status: Literal["none", "done", "failed", "given"] = Field(
        description="none: nobody was asked; done: heard by a recogniser; failed: it could not; given: by a person"
    )
    why: str
    words: int
    language: str | None = Field(description="ISO 639 code of what most of it is in; null: not known")
    languages: tuple[Tongue, ...]
    dropped: dict[str, int] = Field(description="words thrown out because nobody said them, by sign")
    recogniser: str | None = Field(description="model and version of what listened")
    captions: Laid | None = Field(default=None, description="of words that a person brought: how they lie on the sound")
    refused: Failure | None = Field(default=None, description="captions that were brought and not used: why")


class Source(Record):
    """The recording that was handed in."""

    name: str
    bytes: int
    sha256: str
    container: str
    codec: str
    rate_hz: int
    channels: int
    duration_s: float = Field(description="counted by decoding to the end")
    declared_duration_s: float | None
    bandwidth_hz: float
    snr_db: float | None
    damage: Damage | None
    tags: dict[str, str]


class Tool(Record):
    name: Literal["chasqui"] = "chasqui"
    version: str


class Manifest(Record):
    """A lesson: `lesson.json`."""

    schema_: Literal["chasqui-lesson-1"] = Field(default="chasqui-lesson-1", alias="schema")
    id: str
    slug: str
    title: str
    duration_s: float
    renditions: tuple[Sound, ...]
    files: tuple[File, ...] = Field(description="everything else in the folder, this manifest excepted")
    promise: Promise
    transcript: Said | None = Field(default=None, description="null in lessons of earlier versions")
    chapters: Parts | None = Field(default=None, description="null: there are none")
    words: WordsHeard | None = Field(default=None, description="null: there was no transcript to compare with")
    loudness: Loudness
    treatments: tuple[Treatment, ...]
    source: Source
    price: Price
    tool: Tool


def build(sources: Sources, files: list[Blob], slug: str, parts: Parts | None, options: Options) -> Manifest:
    """The manifest of the lesson whose other files are `files`."""
    sounds = tuple(_sound(r, sources) for r in sources.renditions.renditions)
    heard = {sound.name for sound in sounds}
    return Manifest(
        id=sources.request.recording_id,
        slug=slug,
        title=sources.title,
        duration_s=sources.certificate.duration_s,
        renditions=sounds,
        files=tuple(
            File(name=b.name, bytes=b.bytes, sha256=b.sha256, media_type=b.media_type)
            for b in files
            if b.name not in heard
        ),
        promise=_promise(sources),
        transcript=_said(sources),
        chapters=parts,
        words=words.manifest(sources.certificate.words),
        loudness=Loudness(
            integrated_lufs=sources.master.loudness_lufs,
            true_peak_dbtp=sources.master.true_peak_dbtp,
            source_lufs=sources.master.source_loudness_lufs,
        ),
        treatments=sources.master.treatments,
        source=_source(sources),
        price=price_of(sources.request.bytes, sources.voice.bytes, options),
        tool=Tool(version=__version__),
    )


def to_bytes(manifest: Manifest) -> bytes:
    """UTF-8 JSON, fields in the order of the schema, maps sorted by key, a line feed at the end."""
    facts = _sorted_maps(manifest.model_dump(mode="json", by_alias=True))
    if manifest.chapters is None:  # what nobody asked for leaves no trace
        del facts["chapters"]
    if manifest.words is None:
        del facts["words"]
    return (json.dumps(facts, ensure_ascii=False, indent=1) + "\n").encode()


def json_schema() -> bytes:
    """The JSON Schema that docs/manifest.schema.json holds."""
    return (json.dumps(Manifest.model_json_schema(by_alias=True), ensure_ascii=False, indent=1) + "\n").encode()


def _sound(rendition: Rendition, sources: Sources) -> Sound:
    measured = rendition.blob.sha256 == sources.certificate.rendition_sha256
    kept = PROMISES[: rank(sources.certificate.kept)] if measured else ()
    return Sound(
        bytes=rendition.blob.bytes,
        sha256=rendition.blob.sha256,
        targets=kept,
        **rendition.model_dump(exclude={"blob"}),
    )


def _promise(sources: Sources) -> Promise:
    wanted = set(Promise.model_fields)
    planned, proved = sources.plan.model_dump(include=wanted), sources.certificate.model_dump(include=wanted)
    return Promise(asked=sources.plan.target, **{**planned, **proved})  # what was proved outranks what was planned


def _said(sources: Sources) -> Said:
    transcript = sources.transcript
    facts = transcript.model_dump(
        include={"status", "why", "languages", "dropped", "recogniser", "captions", "refused"}
    )
    return Said(words=transcript.word_count, language=transcript.language, **facts)


def _source(sources: Sources) -> Source:
    recording, request = sources.recording, sources.request
    return Source(
        name=request.name,
        bytes=request.bytes,
        sha256=request.sha256,
        bandwidth_hz=sources.master.bandwidth_hz,
        snr_db=sources.master.snr_db,
        damage=recording.damage or sources.master.damage,
        **recording.model_dump(
            include={"container", "codec", "rate_hz", "channels", "duration_s", "declared_duration_s", "tags"}
        ),
    )


def _sorted_maps(facts: dict[str, object]) -> dict[str, object]:
    """Tags and shares come as maps whose order is nobody's business: sorted, so that it cannot change the bytes."""
    for holder, name in (("source", "tags"), ("promise", "kept_share"), ("promise", "overall")):
        inner = facts[holder]
        assert isinstance(inner, dict)  # noqa: S101 - written as maps a few lines above
        inner[name] = dict(sorted(inner[name].items()))
    return facts
