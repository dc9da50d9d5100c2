"""From segments to a Plan: runs the search over all segments in parallel, always with the same outcome."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from chasqui.choose import Options, budget, predictor
from chasqui.choose.opus import Tried, cheapest
from chasqui.choose.trial import Bench, Counts
from chasqui.codecs.opus import LADDER_VERSION, RUNGS
from chasqui.events import Report
from chasqui.media import ogg
from chasqui.media.memory import EVERY, give_back
from chasqui.metrics.targets import TARGETS, TARGETS_VERSION, Target
from chasqui.metrics.threads import one_blas_thread
from chasqui.records import Analysis, Choice, Master, Plan, Segment, TargetName
from chasqui.store import Workspace, lines

#: A segment starts from what the segments up to this many before it have shown: far enough back that they are finished
#: whatever the number of threads, so that the outcome does not depend on timing.
LAG = 12
MEMORY = 24  # how many of those count


def make(master: Master, analysis: Analysis, *, options: Options, work: Workspace, report: Report) -> Plan:
    """Search every segment, then fit the budget if there is one."""
    segments = lines.read(work.path(analysis.segments), Segment)
    asked: TargetName = options.target or ("clear" if options.budget_bytes else "understood")
    targets = budget.considered(asked) if options.budget_bytes else (TARGETS[asked],)
    counts = Counts()
    with one_blas_thread():
        found = _search(master, segments, targets, options, counts, work, report)
        if options.budget_bytes:
            room = container_bytes(analysis.packets)
            fitted = budget.fit([tried for tried, _ in found], segments, asked, options.budget_bytes, room)
            choices, promise, why = fitted.choices, fitted.promise, fitted.why
            asked = options.target or promise or "understood"  # a budget alone asks for the best that it can keep
        else:  # the trials are of no more use, and those of ten hours would fill memory
            choices, promise = [choice for _, choice in found], asked
            why = f"each segment at the cheapest rung that keeps {asked!r}, found by trial"
    missed = sum(not choice.reachable for choice in choices)
    out = lines.write(work.folder / "choices.jsonl", choices)
    return Plan(
        recording_id=master.recording_id,
        choices=work.keep(out, "application/jsonl"),
        target=asked,
        promise=promise,
        budget_bytes=options.budget_bytes,
        expected_bytes=sum(choice.bytes for choice in choices) + container_bytes(analysis.packets),
        doubtful=sum(choice.doubtful for choice in choices),
        unreachable=missed,
        encodes=counts.encodes,
        scored=counts.encodes,
        remembered=counts.remembered,
        ladder_version=LADDER_VERSION,
        targets_version=TARGETS_VERSION,
        predictor_version=predictor.PREDICTOR_VERSION,
        why=why,
    )


def container_bytes(packets: int) -> int:
    """Ogg bytes beside the packets and their lacing, at most: headers, a page header per 83 packets, and room for the
    tags.
    """
    # A pair does not fit where one packet would: such pages are one packet shorter.
    return 2 * 28 + 19 + 2 + ogg.TAG_BYTES + 27 * -(-(packets + 1) // (ogg.PAGE_PACKETS - 1))


def _search(
    master: Master,
    segments: list[Segment],
    targets: tuple[Target, ...],
    options: Options,
    counts: Counts,
    work: Workspace,
    report: Report,
) -> Iterator[tuple[Tried, Choice]]:
    """Each segment with its trials and its choice for the last target, in order."""
    path = work.path(master.audio)
    waiting: deque[Future[tuple[Tried, Choice]]] = deque()
    history: dict[str, deque[predictor.Offset]] = {
        kind: deque(maxlen=MEMORY) for kind in ("speech", "music", "silence")
    }
    done_s = 0.0
    with ThreadPoolExecutor(options.threads or 1) as pool:
        try:
            for segment in [*segments, *[None] * LAG]:
                if len(waiting) >= LAG or segment is None:
                    if not waiting:
                        break
                    tried, choice = waiting.popleft().result()
                    _learn(history, tried, choice)
                    done_s += segments[tried.index].packets * 0.06
                    report.advanced(done_s, master.duration_s)
                    if tried.index % EVERY == EVERY - 1:
                        give_back()
                    yield tried, choice
                if segment is not None:
                    bench = Bench(path, master, segment, work, counts)
                    job = Tried(
                        segment.index,
                        segment.kind,
                        _prior(history[segment.kind]),
                        bench.attempt,
                        words=segment.speech_share > 0,
                    )
                    waiting.append(pool.submit(_search_one, job, targets, options.trials))
        finally:
            pool.shutdown(cancel_futures=True)


def _search_one(job: Tried, targets: tuple[Target, ...], trials: int) -> tuple[Tried, Choice]:
    for target in targets:
        choice = cheapest(job, target, trials)
    job.close()
    return job, choice


def _learn(history: dict[str, deque[predictor.Offset]], tried: Tried, choice: Choice) -> None:
    if tried.kind != "silence" and choice.reachable and choice.expected.estoi != choice.expected.visqol:
        history[tried.kind].append(predictor.offset(tried.kind, RUNGS[choice.rung], choice.expected))


def _prior(seen: deque[predictor.Offset]) -> predictor.Offset:
    """The median of what came before; a cautious middle where nothing did."""
    if not seen:
        return predictor.Offset()
    return predictor.Offset(
        statistics.median(offset.estoi for offset in seen), statistics.median(offset.visqol for offset in seen)
    )
