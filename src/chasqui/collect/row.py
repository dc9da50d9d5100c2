"""The row of one recording: every column out of the records that are there; nothing is measured here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from chasqui import __version__
from chasqui.collect import Options
from chasqui.collect.columns import COLUMNS
from chasqui.collect.schema import SCHEMA_VERSION, blank, write_line
from chasqui.collect.spoken import read, said
from chasqui.errors import ChasquiError
from chasqui.records import (
    Analysis,
    Blob,
    Certificate,
    Master,
    Provenance,
    Recording,
    Request,
    Row,
    Segment,
    Token,
    Tokens,
    Transcript,
    Turns,
)
from chasqui.records.cuts import Cuts
from chasqui.store import Workspace, lines

#: Of the packet grid that segments count in.
PACKET_S = 0.06
#: What people may say in the table beside the recordings and has a column of its own.
OWN = ("language", "speaker", "licence", "license", "consent", "title")
#: Of the extras of a text, those with a column.
NAMED = ("keywords", "entities", "sentiment")


class Outcomes(NamedTuple):
    """What is there of one recording."""

    request: Request
    recording: Recording
    provenance: Provenance | None
    clean: Master | None
    analyze: Analysis | None
    transcribe: Transcript | None
    tokenize: Tokens | None
    diarize: Turns | None
    verify: Certificate | None

    def there(self) -> list[str]:
        """The stages that are there."""
        return ["ingest", *(name for name in OPTIONAL if getattr(self, name) is not None)]


OPTIONAL = ("clean", "analyze", "transcribe", "tokenize", "diarize", "verify")


def collect(got: Outcomes, options: Options, work: Workspace) -> Row:
    """The Row, its line and its sound kept in the store."""
    absent = {name: "not made with these settings" for name in OPTIONAL if getattr(got, name) is None}
    audio, about_audio = _audio(got, options, work)
    if audio is None:
        absent["audio"] = about_audio.pop("why")
    row = {
        **blank(COLUMNS),
        **_source(got.recording),
        **_place(got.request, got.provenance),
        **(_sound(got.clean, work) if got.clean else {}),
        **(_analysis(got.analyze, work) if got.analyze else {}),
        **said(got.transcribe, got.provenance, got.diarize, work),
        **(_tokens(got.tokenize, work) if got.tokenize else {}),
        **(_promise(got.verify) if got.verify else {}),
        **about_audio,
    }
    row |= _given(got, row)
    row["speaking_rate_wpm"] = _rate(row["word_count"], row["speech_s"])
    row |= _status(got)
    row |= {"stages": got.there(), "missing": [{"name": n, "value": why} for n, why in absent.items()]}
    row |= {"tool_version": __version__, "schema_version": SCHEMA_VERSION}
    path = work.folder / "row.json"
    path.write_bytes(write_line(row, COLUMNS))
    return Row(
        recording_id=got.request.recording_id,
        line=work.keep(path, "application/json"),
        audio=audio,
        schema_version=SCHEMA_VERSION,
        present=tuple(got.there()),
        absent=absent,
    )


def failed(
    recording_id: str, path: str, error: ChasquiError, *, stage: str = "", names: Iterable[str] = (), **known: Any
) -> bytes:
    """The line of a recording that could not be collected. `known`: further columns, such as source and etag."""
    row = blank(COLUMNS) | {"id": recording_id, "path": path, "other_names": sorted({*names} - {path}), **known}
    row |= {"status": "failed", "error": error.code, "message": str(error), "failed_stage": stage or None}
    row |= {"transcription_from": "none", "language_from": "none", "speakers_from": "none"}
    row |= {"tool_version": __version__, "schema_version": SCHEMA_VERSION}
    return write_line(row, COLUMNS)


def _place(request: Request, provenance: Provenance | None) -> dict[str, Any]:
    own = f"{request.folder}/{request.name}" if request.folder else request.name
    names = provenance.names if provenance and provenance.names else (own,)
    return {
        "id": request.recording_id,
        "path": names[0],
        "other_names": list(names[1:]),
        "source": provenance.source if provenance else None,
        "etag": provenance.etag if provenance else None,
        "proof": provenance.proof if provenance else None,
        "sha256": request.sha256,
        "source_bytes": request.bytes,
    }


def _source(recording: Recording) -> dict[str, Any]:
    return {
        "duration_s": recording.duration_s,
        "codec": recording.codec,
        "container": recording.container,
        "rate_hz": recording.rate_hz,
        "channels": recording.channels,
        "title": recording.tags.get("title"),
        "damage": recording.damage.why if recording.damage else None,
    }


def _sound(master: Master, work: Workspace) -> dict[str, Any]:
    tops = [t.effect.get("tops", 0) for t in master.treatments if t.name == "declip"]
    return {
        "duration_s": master.duration_s,
        "loudness_lufs": master.source_loudness_lufs,
        "clean_loudness_lufs": master.loudness_lufs,
        "true_peak_dbtp": master.true_peak_dbtp,
        "snr_db": master.snr_db,
        "bandwidth_hz": master.bandwidth_hz,
        "clipped_tops": sum(tops) if tops else None,
        "treatments": [t.model_dump() | {"effect": _numbers(t.effect)} for t in master.treatments],
        "cuts": _cuts(Cuts.model_validate_json(work.path(master.cuts).read_bytes())) if master.cuts else [],
        "damage": master.damage.why if master.damage else None,
    }


def _cuts(cuts: Cuts) -> list[dict[str, Any]]:
    parts, at = [], 0
    for first, samples in cuts.kept:
        start, at = at, at + samples
        rate_hz = cuts.rate_hz
        parts.append({"start_s": start / rate_hz, "end_s": at / rate_hz, "source_start_s": first / rate_hz})
    return parts


def _analysis(analysis: Analysis, work: Workspace) -> dict[str, Any]:
    segments = lines.read(work.path(analysis.segments), Segment)
    total_s = analysis.speech_s + analysis.music_s + analysis.silence_s
    return {
        "segments": [
            {
                "start_s": round(segment.start_packet * PACKET_S, 2),
                "end_s": round(segment.end_packet * PACKET_S, 2),
                "kind": segment.kind,
                "speech_share": segment.speech_share,
            }
            for segment in segments
        ],
        "segment_count": analysis.segment_count,
        "speech_s": analysis.speech_s,
        "music_s": analysis.music_s,
        "silence_s": analysis.silence_s,
        "speech_share": round(analysis.speech_s / total_s, 4) if total_s else None,
        "feature_version": analysis.feature_version,
        "features": _features(work, analysis.features),
        "features_blob": analysis.features.path,
    }


def _features(work: Workspace, blob: Blob) -> list[dict[str, Any]]:
    with np.load(work.path(blob), allow_pickle=False) as table:
        values, weights = table["values"].astype(np.float64), table["packets"].astype(np.float64)
        names = [str(name) for name in table["names"]]
    if not len(values):
        return []
    known = np.isfinite(values)
    weight = np.where(known, weights[:, None], 0.0)
    total = weight.sum(axis=0)
    means = (np.where(known, values, 0.0) * weight).sum(axis=0) / np.where(total > 0, total, 1.0)
    # Seven digits: what float32 features hold, and no more noise in the rows.
    return [
        {"name": name, "value": float(f"{mean:.7g}") if some else None}
        for name, mean, some in zip(names, means, total > 0, strict=True)
    ]


def _tokens(tokens: Tokens, work: Workspace) -> dict[str, Any]:
    extras = json.loads(work.path(tokens.extras).read_bytes()) if tokens.extras else {}
    pieces = json.loads(work.path(tokens.pieces).read_bytes()) if tokens.pieces else []
    rest = {name: value for name, value in extras.items() if name not in NAMED}
    return {
        "tokens": [token.model_dump() for token in read(work, tokens.text, Token)],
        "token_text": work.path(tokens.plain).read_text(encoding="utf-8") if tokens.plain else None,
        "tokenizer": tokens.tokenizer,
        "token_count": tokens.token_count if tokens.text else None,
        "stop_count": tokens.stop_count if tokens.text else None,
        "type_count": tokens.type_count if tokens.text else None,
        "subwords": pieces["ids"] if isinstance(pieces, dict) else pieces,
        "audio_tokens": [
            audio.model_dump(exclude={"blob", "count", "why"})
            | {"units": np.load(work.path(audio.blob), allow_pickle=False).ravel().tolist()}
            for audio in tokens.audio
        ],
        "audio_token_count": sum(audio.count for audio in tokens.audio) if tokens.audio else None,
        "voice": _numbers(tokens.voice),
        "keywords": extras.get("keywords") or [],
        "entities": extras.get("entities") or [],
        "sentiment": extras.get("sentiment"),
        "extras": json.dumps(rest, ensure_ascii=False, sort_keys=True) if rest else None,
    }


def _promise(certificate: Certificate) -> dict[str, Any]:
    return {"target": certificate.promised, "kept": certificate.kept, "scores": _numbers(certificate.overall)}


def _given(got: Outcomes, row: Mapping[str, Any]) -> dict[str, Any]:
    told = got.provenance.facts if got.provenance else {}
    facts = {name: fact.strip() for name, fact in told.items() if fact.strip()}
    return {
        "language": facts.get("language") or row["language"],
        "language_from": "given" if "language" in facts else row["language_from"],
        "licence": facts.get("licence") or facts.get("license"),
        "consent": facts.get("consent"),
        "title": facts.get("title") or got.request.title or row["title"],
        "given": [{"name": name, "value": fact} for name, fact in sorted(facts.items()) if name not in OWN],
    }


def _status(got: Outcomes) -> dict[str, Any]:
    missed = []
    damage = (got.clean.damage if got.clean else None) or got.recording.damage
    if damage:
        missed.append(f"damaged: {damage.why}")
    if got.transcribe and got.transcribe.status == "failed":
        error = got.transcribe.failure.as_error() if got.transcribe.failure else None
        missed.append(f"no transcript: {error or got.transcribe.why}")
    if got.diarize and got.diarize.status == "failed":
        error = got.diarize.failure.as_error() if got.diarize.failure else None
        missed.append(f"no speakers: {error or got.diarize.why}")
    return {"status": "degraded" if missed else "done", "message": "; ".join(missed) or None}


def _audio(got: Outcomes, options: Options, work: Workspace) -> tuple[Blob | None, dict[str, Any]]:
    if options.audio == "none":
        return None, {"why": "none was asked for"}
    if got.clean is None:
        return None, {"why": "there is no clean sound"}
    from chasqui.collect.audio import SUFFIXES, gain_for, render

    gain_db, _ = gain_for(got.clean, options.audio_level)
    out = work.folder / f"{got.request.recording_id}{SUFFIXES[options.audio]}"
    sound = render(work.path(got.clean.audio), gain_db, out, options.audio_rate_hz, options.audio)
    blob = work.keep(sound.path, sound.media_type)
    return blob, {
        "audio_path": f"audio/{out.name}",
        "audio_sha256": blob.sha256,
        "audio_bytes": blob.bytes,
        "audio_rate_hz": sound.rate_hz,
    }


def _numbers(values: Mapping[str, float]) -> list[dict[str, Any]]:
    return [{"name": name, "value": value} for name, value in values.items()]


def _rate(words: int | None, speech_s: float | None) -> float | None:
    return round(words * 60 / speech_s, 2) if words is not None and speech_s else None
