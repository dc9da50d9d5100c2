"""The search: encodes and scores the rungs of every segment that it needs to, always with the same outcome.

Slow and sure: the oracle that predictions are measured against.
"""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from chasqui.choose import Options, budget, predictor
from chasqui.choose.opus import Tried, cheapest
from chasqui.choose.trial import Bench, Counts
from chasqui.codecs.opus import RUNGS
from chasqui.events import Report
from chasqui.media.memory import EVERY, give_back
from chasqui.metrics.targets import TARGETS, Target
from chasqui.metrics.threads import one_blas_thread
from chasqui.records import Choice, Master, Segment, TargetName
from chasqui.store import Workspace

#: A segment starts from what the segments up to this many before it have shown: far enough back that they are finished
#: whatever the number of threads, so that the outcome does not depend on timing.
LAG = 12
MEMORY = 24  # how many of those count


@dataclass(frozen=True)
class Found:
    """What a search came to."""

    choices: list[Choice]
    promise: TargetName | None
    why: str
    counts: Counts


def choices(
    master: Master,
    segments: list[Segment],
    asked: TargetName,
    options: Options,
    container_bytes: int,
    work: Workspace,
    report: Report,
) -> Found:
    """Search every segment, then fit the budget if there is one."""
    counts = Counts()
    targets = budget.considered(asked) if options.budget_bytes else (TARGETS[asked],)
    with one_blas_thread():
        found = _search(master, segments, targets, options, counts, work, report)
        if options.budget_bytes is None:  # the trials are of no more use, and those of ten hours would fill memory
            why = f"each segment at the cheapest rung that keeps {asked!r}, found by trial"
            return Found([choice for _, choice in found], asked, why, counts)
        fitted = budget.fit([tried for tried, _ in found], segments, asked, options.budget_bytes, container_bytes)
    return Found(fitted.choices, fitted.promise, fitted.why, counts)


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
