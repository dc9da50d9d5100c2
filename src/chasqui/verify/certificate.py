"""The certificate: what was promised, what is kept, measured how, segment by segment."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from chasqui.errors import PromiseBroken
from chasqui.events import Report
from chasqui.metrics.judge import VERSIONS
from chasqui.metrics.targets import ESTOI_STEP, TARGETS, TARGETS_VERSION, VISQOL_STEP, best_kept, judged, keeps, margin
from chasqui.metrics.threads import one_blas_thread
from chasqui.records import (
    Analysis,
    Blob,
    Certificate,
    Choice,
    Master,
    Measured,
    Plan,
    Relistened,
    Renditions,
    Scores,
    Segment,
    TargetName,
)
from chasqui.store import Workspace, lines
from chasqui.verify import Options, integrity, speech, words

SCHEMA = "chasqui-certificate-1"
#: Segments that keep their promise by less than this many steps are always looked at again.
THIN = 0.5


def make(
    master: Master,
    analysis: Analysis,
    plan: Plan,
    renditions: Renditions,
    *,
    options: Options,
    work: Workspace,
    report: Report,
) -> Certificate:
    """Check the file, score the sample and everything unsure from the published bytes, gate, write the certificate."""
    segments = lines.read(work.path(analysis.segments), Segment)
    choices = lines.read(work.path(plan.choices), Choice)
    measured = lines.read(work.path(renditions.measured), Measured)
    voice = next(rendition for rendition in renditions.renditions if rendition.name == "voice.opus")
    published = work.path(voice.blob)
    integrity.check_pages(published, master)
    looked_at = _sample(measured, choices, plan, options.sample_share)
    with ThreadPoolExecutor(options.threads or 1) as pool, one_blas_thread():
        wanted = [segments[i] for i in looked_at]
        heard = {line.segment for line in measured if not line.scores.visqol_skipped}
        again = speech.scores(published, work.path(master.audio), master, wanted, heard, pool, report)
    measured = _compared(measured, again)
    _gate(measured, plan)
    heard_words = words.relisten(published, segments, renditions, master, options.listening, work, report)
    report_blob = _write(master, plan, measured, voice.blob, set(again), heard_words, work)
    return Certificate(
        recording_id=master.recording_id,
        report=report_blob,
        rendition_sha256=voice.blob.sha256,
        promised=plan.target,
        kept=_kept_by_all(measured),
        degraded=_degraded(plan, measured),
        segments=len(measured),
        scored_again=len(again),
        kept_share=_kept_share(measured),
        visqol_sample=_drawn(measured),
        unreachable=sum(not line.reachable for line in measured),
        overall=_overall(measured),
        duration_s=master.duration_s,
        words=heard_words,
    )


def _sample(measured: list[Measured], choices: list[Choice], plan: Plan, share: float) -> list[int]:
    """Every segment that was searched without certainty, or that took more than one encode, or that keeps its promise
    narrowly; and an even sample of the rest.
    """
    target = TARGETS[plan.promise or plan.target]
    every = max(1, round(1 / share)) if share else len(measured) + 1  # the first segment is always in it
    return [
        line.segment
        for line, choice in zip(measured, choices, strict=True)
        if line.kind != "silence"
        and (
            (choice.measured and choice.doubtful)
            or line.stepped_up
            or margin(target, line.kind, line.scores) < THIN
            or line.segment % every == 0
        )
    ]


def _compared(measured: list[Measured], again: dict[int, Scores]) -> list[Measured]:
    """The lines with what the published bytes scored, which must be what encode measured."""
    compared = []
    for line in measured:
        now = again.get(line.segment)
        if now is None:
            compared.append(line)
            continue
        if _apart(line.scores.estoi, now.estoi) > ESTOI_STEP or _apart(line.scores.visqol, now.visqol) > VISQOL_STEP:
            raise PromiseBroken(
                why=f"segment {line.segment} scores {now} in the file, {line.scores} when it was encoded"
            )
        compared.append(line.model_copy(update={"scores": now, "kept": best_kept(line.kind, now)}))
    return compared


def _apart(a: float | None, b: float | None) -> float:
    if a is None or b is None:
        return 0.0 if a is b else float("inf")
    return abs(a - b)


def _gate(measured: list[Measured], plan: Plan) -> None:
    """Refuse a false promise. What cannot be reached, and what a byte budget leaves out, is no lie: it is said."""
    missed = _missed(measured, plan)
    if missed and plan.budget_bytes is None:
        raise PromiseBroken(
            why=f"{len(missed)} of {len(measured)} segments miss {plan.promise!r}, first at {missed[0].start_s:.0f} s"
        )


def _missed(measured: list[Measured], plan: Plan) -> list[Measured]:
    """Reachable segments that do not keep what the plan promises."""
    if plan.promise is None:
        return []
    target = TARGETS[plan.promise]
    return [line for line in measured if line.reachable and not keeps(target, line.kind, line.scores)]


def _kept_by_all(measured: list[Measured]) -> TargetName | None:
    """The best promise that every reachable segment keeps; none where nothing that was heard could be reached."""
    heard = [line for line in measured if line.reachable and line.scores != Scores()]
    if not heard and not all(line.reachable for line in measured):
        return None
    kept = [name for name, target in TARGETS.items() if all(keeps(target, line.kind, line.scores) for line in heard)]
    return kept[-1] if kept else None


def _degraded(plan: Plan, measured: list[Measured]) -> str | None:
    said = []
    if plan.promise != plan.target:
        said.append(f"the byte budget keeps {plan.promise or 'no promise everywhere'} instead of {plan.target}")
    if missed := _missed(measured, plan):
        said.append(f"the byte budget has no room to raise {len(missed)} segments to {plan.promise}")
    lost = [line for line in measured if not line.reachable]
    if lost and plan.promise:
        seconds = sum(line.end_s - line.start_s for line in lost)
        said.append(f"{len(lost)} segments ({seconds:.0f} s) cannot reach {plan.promise} at any rung")
    return "; ".join(said) or None


def _scored(measured: list[Measured]) -> list[Measured]:
    return [line for line in measured if line.scores != Scores()]


def _kept_share(measured: list[Measured]) -> dict[str, float]:
    """Target → share of the scored seconds at or above it, for the targets that were judged everywhere."""
    lines = _scored(measured)
    total = sum(line.end_s - line.start_s for line in lines)
    return {
        name: round(
            sum(line.end_s - line.start_s for line in lines if keeps(target, line.kind, line.scores)) / total, 4
        )
        for name, target in TARGETS.items()
        if total and all(judged(target, line.kind, line.scores) for line in lines)
    }


def _drawn(measured: list[Measured]) -> int | None:
    """How many speech segments were drawn for ViSQOL; None where the promise needed it of all."""
    if not any(line.scores.visqol_skipped for line in measured):
        return None
    return sum(line.kind == "speech" and line.scores.visqol is not None for line in measured)


def _overall(measured: list[Measured]) -> dict[str, float]:
    """Mean over seconds and worst of each metric, speech and music apart; "sample" where only one was measured."""
    columns: dict[str, list[tuple[float, float]]] = {}
    of_speech = {"estoi": "estoi", "visqol": "visqol" if _drawn(measured) is None else "visqol_sample"}
    for line in _scored(measured):
        for metric in ("estoi", "visqol"):
            value = getattr(line.scores, metric)
            if value is not None:
                name = of_speech[metric] if line.kind == "speech" else f"music_{metric}"
                columns.setdefault(name, []).append((value, line.end_s - line.start_s))
    overall = {}
    for name, rows in columns.items():
        overall[f"{name}_mean"] = round(sum(v * s for v, s in rows) / sum(s for _, s in rows), 4)
        overall[f"{name}_min"] = min(v for v, _ in rows)
    return overall


def _write(
    master: Master,
    plan: Plan,
    measured: list[Measured],
    voice: Blob,
    again: set[int],
    heard: Relistened | None,
    work: Workspace,
) -> Blob:
    facts: dict[str, Any] = {
        "schema": SCHEMA,
        "recording_id": master.recording_id,
        "rendition": {"name": voice.name, "sha256": voice.sha256, "bytes": voice.bytes},
        "promised": plan.target,
        "planned": plan.promise,
        "kept": _kept_by_all(measured),
        "degraded": _degraded(plan, measured),
        "kept_share": _kept_share(measured),
        "visqol_sample": _drawn(measured),
        "overall": _overall(measured),
        "method": {
            "reference": {"what": "the cleaned master", "sha256": master.audio.sha256, "gain_db": master.gain_db},
            "decoder": "libopus, through the published container",
            "metrics": VERSIONS,
            "targets_version": TARGETS_VERSION,
            "targets": {name: vars(target) for name, target in TARGETS.items()},
            "ladder_version": plan.ladder_version,
            "scored": "every segment as it was encoded; those marked 'published' once more from the published bytes",
            "skipped": "where the promise does not need ViSQOL, only the speech of segments drawn by lot has it; the "
            "others say visqol_skipped, and no promise that needs it is claimed of them",
        },
        **({"words": words.facts(heard, work)} if heard else {}),  # where nobody could know them, nothing is said
        "segments": [
            {**line.model_dump(exclude={"scores"}), **line.scores.model_dump(), "published": line.segment in again}
            for line in measured
        ],
    }
    path = work.folder / "certificate.json"
    path.write_text(json.dumps(facts, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return work.keep(path, "application/json")
