"""The story of a lesson: each decision that was made about it, and why, out of the records in the store."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from chasqui.codecs.opus import FRAME_MS, LADDER
from chasqui.errors import Ambiguous, UnknownLesson
from chasqui.pipeline import GIVES
from chasqui.records import (
    Analysis,
    Blob,
    Certificate,
    Choice,
    Given,
    Lesson,
    Master,
    Measured,
    Plan,
    Record,
    Recording,
    Renditions,
    Request,
    Segment,
    Transcript,
    Turns,
)
from chasqui.run.heard import told
from chasqui.run.size import show_size, show_time
from chasqui.store import Store
from chasqui.words import explain, reason, say

R = TypeVar("R", bound=Record)
PACKET_S = FRAME_MS / 1000
BAR_CHARS = 30
#: Fewer characters than this are no part of a name or id, only a typing mistake.
ENOUGH_CHARS = 3


def resolve(wanted: str, store: Store) -> str:
    """The recording id meant by an id, a name (of the file or the folder, or the title), or a part of one.

    Raises:
        UnknownLesson, Ambiguous: none or several are meant.
    """
    ids = store.recordings()
    if wanted in ids:
        return wanted
    names = {recording_id: _names(recording_id, store) for recording_id in ids}
    lower = wanted.lower()
    found = [recording_id for recording_id in ids if lower in (name.lower() for name in names[recording_id])]
    if len(wanted) >= ENOUGH_CHARS:
        found = found or [recording_id for recording_id in ids if recording_id.startswith(lower)]
        found = found or [i for i in ids if any(lower in name.lower() for name in names[i])]
    if len(found) == 1:
        return found[0]
    known = ", ".join(f"{recording_id} ({names[recording_id][0]})" for recording_id in found or ids)
    raise (Ambiguous if found else UnknownLesson)(wanted=wanted, store=store.url, known=known or "-")


def _names(recording_id: str, store: Store) -> list[str]:
    request = store.get(recording_id, "request", Request)
    lesson = store.get(recording_id, "publish", Lesson)
    names = [request.name, request.name.rpartition(".")[0], request.path, request.title] if request else []
    names += [lesson.slug, lesson.title] if lesson else []
    return [name for name in names if name] or [recording_id]


def records(recording_id: str, store: Store) -> dict[str, Record]:
    """Every record of a recording that is present, by name, in the order of the stages."""
    found = ((name, store.get(recording_id, name, kind)) for name, kind in GIVES.items())
    return {name: record for name, record in found if record is not None}


def lines(blob: Blob, kind: type[R], store: Store) -> Iterator[R]:
    """The lines of a JSON Lines blob."""
    with store.path(blob).open(encoding="utf-8") as file:
        yield from (kind.model_validate_json(line) for line in file if line.strip())


@dataclass(frozen=True)
class Teller:
    """Tells one recording's story in one language, a line at a time; `segments` adds a line for each segment."""

    store: Store
    lang: str
    segments: bool = False

    def tell(self, recording_id: str) -> Iterator[str]:
        """Lines of text: a heading per stage that is done, and what it decided below."""
        present = records(recording_id, self.store)
        for name, record in present.items():
            tell: Callable[..., Iterator[str]] = getattr(self, f"_{name}", self._plain)
            if name != "request":
                yield ""
            yield f"{say(f'cli.stage.{name}', self.lang)}"
            if name in ("choose", "encode"):
                yield from (f"  {line}" for line in tell(record, present.get("analyze")))
            else:
                yield from (f"  {line}" for line in tell(record))

    def _plain(self, record: Record) -> Iterator[str]:
        """Records that nobody wrote a story for: their fields."""
        yield from readable(record.model_dump(mode="json", exclude={"recording_id"}))

    def _say(self, key: str, **facts: object) -> str:
        return say(f"cli.story.{key}", self.lang, **facts)

    def _request(self, request: Request) -> Iterator[str]:
        yield self._say("request", name=request.name, size=show_size(request.bytes), id=request.recording_id)
        yield f"sha256 {request.sha256}"

    def _ingest(self, recording: Recording) -> Iterator[str]:
        yield self._say(
            "ingest",
            container=recording.container,
            codec=recording.codec,
            rate_hz=recording.rate_hz,
            channels=recording.channels,
            duration=show_time(recording.duration_s),
        )
        yield self._why(recording.why)
        if damage := recording.damage:
            yield self._say("damage", kept=show_time(damage.kept_s), errors=damage.errors, why=self._reason(damage.why))

    def _clean(self, master: Master) -> Iterator[str]:
        yield self._say(
            "clean",
            before=_number(master.source_loudness_lufs),
            after=_number(master.loudness_lufs),
            peak=_number(master.true_peak_dbtp),
            snr=_number(master.snr_db),
            bandwidth=f"{master.bandwidth_hz:.0f}",
        )
        for treatment in master.treatments:
            effect = ", ".join(f"{name} {value:g}" for name, value in treatment.effect.items())
            mark = "✓" if treatment.applied else "–"
            yield f"{mark} {treatment.name}{f' ({effect})' if effect else ''}: {self._reason(treatment.why)}"

    def _analyze(self, analysis: Analysis) -> Iterator[str]:
        count: Counter[str] = Counter()
        seconds: Counter[str] = Counter()
        for segment in lines(analysis.segments, Segment, self.store):
            count[segment.kind] += 1
            seconds[segment.kind] += round(segment.packets * PACKET_S)
        yield self._say("analyze", count=analysis.segment_count, duration=show_time(analysis.packets * PACKET_S))
        for kind in count:
            yield self._say("kind", kind=self._say(kind), count=count[kind], duration=show_time(seconds[kind]))

    def _captions(self, given: Given) -> Iterator[str]:
        if given.source:
            yield self._say("captions", name=given.name, size=show_size(given.source.bytes))
        elif given.failure:
            yield self._say("refused", why=explain(given.failure.as_error(), self.lang))
        else:
            yield self._say("captions gone", name=given.name)

    def _transcribe(self, transcript: Transcript) -> Iterator[str]:
        if transcript.refused:
            yield self._say("refused", why=explain(transcript.refused.as_error(), self.lang))
        if laid := transcript.captions:
            facts = {"offset": f"{laid.offset_s:+.1f}", "rate": f"{laid.rate:.4f}"}
            yield self._say(
                "given", words=transcript.word_count, **laid.model_dump(include={"name", "used", "cues"}), **facts
            )
            yield self._why(transcript.why)
            return
        if failure := transcript.failure:
            yield self._say("no transcript", why=explain(failure.as_error(), self.lang))
            return
        if transcript.words is None:
            yield self._say("no transcript", why=self._reason(transcript.why))
            return
        tongues = ", ".join(f"{t.language or '?'} {show_time(t.seconds)}" for t in transcript.languages) or "–"
        yield self._say("transcribe", words=transcript.word_count, heard=show_time(transcript.heard_s), tongues=tongues)
        if transcript.dropped:
            yield self._say("dropped", count=sum(transcript.dropped.values()))
        if transcript.recogniser:
            yield self._say("recogniser", name=transcript.recogniser)

    def _diarize(self, turns: Turns) -> Iterator[str]:
        if turns.status != "done":
            why = explain(turns.failure.as_error(), self.lang) if turns.failure else self._reason(turns.why)
            yield self._say("no speakers", why=why)
            return
        spoken = ", ".join(f"{name}: {show_time(seconds)}" for name, seconds in turns.spoken_s.items()) or "–"
        yield self._say("diarize", count=turns.speakers, spoken=spoken)
        if turns.overlap_s:
            yield self._say("overlap", duration=show_time(turns.overlap_s))
        yield self._why(turns.why)

    def _choose(self, plan: Plan, analysis: Analysis | None) -> Iterator[str]:
        promise = self._say(plan.promise or "nothing")
        yield self._say("choose", target=self._say(plan.target), promise=promise, size=show_size(plan.expected_bytes))
        if plan.budget_bytes:
            yield self._say("budget", size=show_size(plan.budget_bytes))
        yield self._why(plan.why)
        if not plan.cards:
            yield self._say("search", encodes=plan.encodes, scored=plan.scored, remembered=plan.remembered)
        yield self._say("hard", doubtful=plan.doubtful, unreachable=plan.unreachable)
        yield self._say(
            "tables", ladder=plan.ladder_version, targets=plan.targets_version, predictor=plan.predictor_version
        )
        choices = list(lines(plan.choices, Choice, self.store))
        spans = {s.index: s for s in lines(analysis.segments, Segment, self.store)} if analysis else {}
        seconds: defaultdict[str, float] = defaultdict(float)
        for choice in choices:
            seconds[choice.rung] += spans[choice.segment].packets * PACKET_S if choice.segment in spans else 0.0
        yield from _histogram(seconds)
        if self.segments:
            yield from (self._choice(choice, spans.get(choice.segment)) for choice in choices)

    def _encode(self, made: Renditions, analysis: Analysis | None) -> Iterator[str]:
        for rendition in made.renditions:
            rate = f"{rendition.bitrate_bps / 1000:.1f} kb/s"
            yield f"{rendition.name}: {show_size(rendition.blob.bytes)}, {rate}. {self._reason(rendition.why)}"
        yield self._say("stepped", encodes=made.encodes, up=made.stepped_up, down=made.stepped_down)
        if self.segments:
            for measured in lines(made.measured, Measured, self.store):
                yield self._measured(measured)

    def _verify(self, certificate: Certificate) -> Iterator[str]:
        kept = self._say(certificate.kept or "nothing")
        yield self._say("verify", promised=self._say(certificate.promised), kept=kept)
        if certificate.degraded:
            yield self._why(certificate.degraded)
        shares = ", ".join(f"{self._say(name)} {share:.0%}" for name, share in certificate.kept_share.items())
        yield self._say("shares", shares=shares)
        yield self._say("scored", again=certificate.scored_again, segments=certificate.segments)
        if certificate.visqol_sample is not None:
            yield self._say("sampled", count=certificate.visqol_sample)
        yield ", ".join(f"{name} {value:.3f}" for name, value in certificate.overall.items())
        if certificate.words:
            yield from told(certificate.words, self.store, self.lang, self.segments)

    def _publish(self, lesson: Lesson) -> Iterator[str]:
        times = lesson.source_bytes / max(lesson.bytes, 1)
        before, after = show_size(lesson.source_bytes), show_size(lesson.bytes)
        yield self._say("publish", title=lesson.title, before=before, after=after, times=f"{times:.1f}")
        for blob in lesson.files:
            yield f"{blob.name}: {blob.bytes:,} bytes, sha256 {blob.sha256[:16]}…"

    def _why(self, why: str) -> str:
        return self._say("why", why=self._reason(why))

    def _reason(self, why: str) -> str:
        return reason(why, self.lang)

    def _choice(self, choice: Choice, segment: Segment | None) -> str:
        place = f"{show_time(segment.start_packet * PACKET_S)} {self._say(segment.kind)}" if segment else ""
        return f"#{choice.segment} {place} {choice.rung}, {choice.bytes} bytes: {self._reason(choice.why)}"

    def _measured(self, measured: Measured) -> str:
        values = (("estoi", measured.scores.estoi), ("visqol", measured.scores.visqol))
        scores = ", ".join(f"{name} {value:.3f}" for name, value in values if value is not None)
        kind = self._say(measured.kind)
        return f"#{measured.segment} {show_time(measured.start_s)} {kind} {measured.rung}: {scores or '–'}"


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:.1f}"


def _histogram(seconds: dict[str, float]) -> Iterator[str]:
    """A bar per rung that is used, in the ladder's order, cheap to dear."""
    order = {rung.name: place for place, rung in enumerate(LADDER)}
    longest = max(seconds.values(), default=0) or 1
    for rung in sorted(seconds, key=lambda name: (order.get(name, len(order)), name)):
        bar = "█" * max(1, round(BAR_CHARS * seconds[rung] / longest))
        yield f"{rung:>10} {bar} {show_time(seconds[rung])}"


def readable(value: Any, indent: str = "") -> Iterator[str]:
    """A record as indented `name: value` lines."""
    items = value.items() if isinstance(value, dict) else ((f"[{place}]", inner) for place, inner in enumerate(value))
    for name, inner in items:
        if isinstance(inner, dict | list) and inner:
            yield f"{indent}{name}:"
            yield from readable(inner, indent + "  ")
        else:
            yield f"{indent}{name}: {'-' if inner in (None, [], {}) else inner}"
