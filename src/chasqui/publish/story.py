"""What the page tells, in order: how small, at what price, with which promise and which warnings, by what means.

Gives plain values and ready-made bilingual texts; the template only puts them in their places.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from chasqui.codecs.opus import RUNGS
from chasqui.metrics.targets import Target, keeps
from chasqui.publish import Options
from chasqui.publish.chapters import Parts
from chasqui.publish.excerpt import hardest
from chasqui.publish.picture import Block, Picture, colour_of
from chasqui.publish.price import megabytes, price_of, soles, times_smaller
from chasqui.publish.sources import Sources, rank
from chasqui.publish.speech import Word, both, clock, kbps, short, spoken
from chasqui.records import Blob, Measured, Transcript, Treatment
from chasqui.words import LANGUAGES, catalogue

#: Rows of the table of hardest parts; all others are in certificate.json.
HARDEST_ROWS = 10
#: Tags can be long and many; the manifest has them all.
MOST_TAGS, TAG_CHARACTERS = 8, 120


def sizes(sources: Sources, options: Options) -> dict[str, Any]:
    """The big numbers."""
    before, after = sources.request.bytes, sources.voice.bytes
    price = price_of(before, after, options)
    was = price.source_per_pack
    most = max(before, after, 1)
    return {
        "size_before": megabytes(before),
        "size_after": megabytes(after),
        "bar_before": round(100 * before / most, 2),
        "bar_after": round(max(100 * after / most, 0.4), 2),  # never thinner than a hair
        "times": times_smaller(before, after),
        "pen_before": soles(price.source_pen),
        "pen_after": soles(price.lesson_pen),
        "pen_per_mb": f"{options.pen_per_mb:g}",
        "pack_mb": f"{options.pack_mb:,g}",
        "fits": f"{price.lessons_per_pack:,}",
        "fits_before": f"{was:,}",
        "fits_before_key": {0: "fits_before_none", 1: "fits_before_one"}.get(was, "fits_before"),
        "spoken": spoken(sources.certificate.duration_s),
    }


def promise(sources: Sources, measured: Sequence[Measured]) -> dict[str, Any]:
    """The promise in plain words, in how many parts it was found kept, and the honest warnings."""
    certificate = sources.certificate
    judged = [m for m in measured if m.kind != "silence"]
    # Where nothing is kept as a whole, the page counts the parts that keep what was promised.
    wanted = rank(certificate.kept or certificate.promised)
    met = sum(rank(m.kept) >= wanted for m in judged)
    warnings = _warnings(sources)
    return {
        "promise_key": f"promise_{certificate.kept or 'none'}",
        "means_key": f"means_{certificate.kept or 'none'}",
        "judged": len(judged),
        "met": met,
        "again": certificate.scored_again,
        "sampled": certificate.visqol_sample,
        "warnings": warnings,
        "sound": certificate.kept is not None and not certificate.degraded,
    }


def _warnings(sources: Sources) -> list[Markup]:
    said = []
    if damage := sources.recording.damage or sources.master.damage:
        known = damage.declared_s is not None and damage.declared_s > damage.kept_s + 1
        facts = {"kept": spoken(damage.kept_s), "declared": spoken(damage.declared_s or 0)}
        said.append(both("warn_damage_of" if known else "warn_damage", **facts))
    if sources.transcript.refused:
        said.append(both("warn_captions"))
    if (certificate := sources.certificate).degraded:
        asked = Word(f"target_{sources.plan.target}")
        if certificate.kept is None:
            text = both("warn_degraded_none", asked=asked)
        else:
            text = both("warn_degraded", asked=asked, kept=Word(f"target_{certificate.kept}"))
        if sources.plan.budget_bytes is not None:
            text += " " + both("warn_budget", budget=megabytes(sources.plan.budget_bytes))
        said.append(text)
    if count := certificate.unreachable:
        said.append(both("warn_unreachable_one" if count == 1 else "warn_unreachable", count=count))
    return said


def rungs(sources: Sources, measured: Sequence[Measured]) -> list[dict[str, Any]]:
    """One row per rung in use, cheap to dear."""
    total = sum(m.end_s - m.start_s for m in measured) or 1.0
    rows = []
    for rung in sorted({m.rung for m in measured}, key=lambda name: (RUNGS[name].bitrate_bps, name)):
        own = [m for m in measured if m.rung == rung]
        seconds = sum(m.end_s - m.start_s for m in own)
        rows.append(
            {
                "audio": RUNGS[rung].application == "audio",
                "kbps": kbps(RUNGS[rung].bitrate_bps),
                "colour": colour_of(rung),
                "time": clock(seconds),
                "parts": len(own),
                "share": f"{100 * seconds / total:.0f}",
            }
        )
    return rows


def hard(measured: Sequence[Measured], picture: Picture, target: Target) -> list[dict[str, Any]]:
    """The parts that came closest to the edge, the hardest first."""
    metrics = [panel.metric for panel in picture.panels]
    return [
        {
            "at": f"{clock(m.start_s)}–{clock(m.end_s)}",
            "kind": m.kind,
            "kbps": kbps(RUNGS[m.rung].bitrate_bps),
            "scores": [_score(getattr(m.scores, metric)) for metric in metrics],
            "low": not keeps(target, m.kind, m.scores),
        }
        for m in hardest(measured, target)[:HARDEST_ROWS]
    ]


def describe(block: Block) -> str:
    """One line about a part, made of numbers that need no language."""
    scores = [f"{'ESTOI' if name == 'estoi' else 'ViSQOL'} {_score(value)}" for name, value in block.scores.items()]
    number = f"{block.first + 1}" if block.first == block.last else f"{block.first + 1}–{block.last + 1}"
    rate = f"{kbps(RUNGS[block.rung].bitrate_bps)} kb/s"
    return " · ".join([f"{number}", f"{clock(block.start_s)}–{clock(block.end_s)}", rate, *scores])


def treatments(sources: Sources) -> dict[str, list[dict[str, Any]]]:
    """What was done to the sound and what was not, each with its reason in words."""
    return {
        "done": [_treatment(t) for t in sources.master.treatments if t.applied],
        "left": [_treatment(t) for t in sources.master.treatments if not t.applied],
    }


def _treatment(treatment: Treatment) -> dict[str, Any]:
    known = catalogue("report", LANGUAGES[0])
    name, why = f"do_{treatment.name}", f"{'why' if treatment.applied else 'not'}_{treatment.name}"
    numbers = {f"num_{treatment.name}_{effect}": value for effect, value in treatment.effect.items()}
    return {
        # A treatment that is younger than this catalogue is told in its own words rather than left out.
        "name": both(name) if name in known else treatment.name,
        "why": both(why) if why in known else treatment.why,
        # Only the numbers that mean something to a teacher have words; all of them are in lesson.json.
        "numbers": [both(key, value=short(abs(value))) for key, value in numbers.items() if key in known and value],
    }


def downloads(sources: Sources, said: Sequence[Blob]) -> list[dict[str, str]]:
    """The files that a listener or reader may want, with their sizes."""
    wanted = [(r.name, r.blob.bytes) for r in sources.renditions.renditions] + [(b.name, b.bytes) for b in said]
    return [{"name": name, "size": megabytes(size)} for name, size in wanted]


def chapters(parts: Parts | None) -> dict[str, Any] | None:
    """Each chapter with the moment it begins, and who named them."""
    if parts is None:
        return None
    rows = [
        {"at": clock(chapter.start_s), "start_s": chapter.start_s, "title": chapter.title} for chapter in parts.chapters
    ]
    return {"how": both(f"chapters_{parts.source}"), "rows": rows}


def _transcript(transcript: Transcript) -> Markup:
    if transcript.status == "none":
        return both("transcript_refused" if transcript.refused else "transcript_none")
    if transcript.status == "failed":
        return both("transcript_failed", error=transcript.failure.error if transcript.failure else "?")
    if not transcript.word_count:
        return both("transcript_empty")
    language = transcript.language or "?"
    return both(
        "transcript_given" if transcript.status == "given" else "transcript_done",
        words=f"{transcript.word_count:,}",
        language=language,
    )


def facts(sources: Sources) -> list[dict[str, Any]]:
    """The facts of the file, for whoever wants to check."""
    recording, master, plan = sources.recording, sources.master, sources.plan
    rows: list[tuple[str, Any]] = [
        ("name", sources.request.name),
        ("bytes", f"{megabytes(sources.request.bytes)} ({sources.request.bytes:,} bytes)"),
        (
            "format",
            both(
                "fact_mono" if recording.channels == 1 else "fact_channels",
                codec=recording.codec,
                container=recording.container,
                rate=kbps(recording.rate_hz),
                channels=recording.channels,
            ),
        ),
        ("duration", spoken(recording.duration_s)),
        ("loudness", _loudness(sources)),
    ]
    rows.append(("transcript", _transcript(sources.transcript)))
    if master.snr_db is not None:
        rows.append(("noise", f"{short(master.snr_db)} dB"))
    if recording.tags:
        rows.append(("tags", _tags(recording.tags)))
    method = {"ladder": plan.ladder_version, "targets": plan.targets_version, "predictor": plan.predictor_version}
    rows.append(("method", both("method", **method)))
    rows.append(("hash", sources.voice.sha256))
    return [{"name": both(f"fact_{name}"), "value": value} for name, value in rows]


def _loudness(sources: Sources) -> Markup:
    master = sources.master
    if master.loudness_lufs is None or master.source_loudness_lufs is None:
        return both("loudness_unknown")
    before, after, peak = (short(v) for v in (master.source_loudness_lufs, master.loudness_lufs, master.true_peak_dbtp))
    return both("loudness_change", before=before, after=after, peak=peak)


def _tags(tags: dict[str, str]) -> str:
    shown = [f"{name}: {value}"[:TAG_CHARACTERS] for name, value in sorted(tags.items())[:MOST_TAGS]]
    return " · ".join(shown) + (" …" if len(tags) > MOST_TAGS else "")


def _score(value: float | None) -> str:
    return "–" if value is None else f"{int(value * 100 + 1e-9) / 100:.2f}"  # rounded down: 0.799 is not 0.80
