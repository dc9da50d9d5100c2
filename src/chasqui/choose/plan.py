"""From segments to a Plan, by prediction or by search."""

from __future__ import annotations

from collections.abc import Sequence
from shutil import copyfile
from typing import NamedTuple

from chasqui.choose import Options, prediction, predictor, search
from chasqui.choose.trial import Counts
from chasqui.codecs.opus import LADDER_VERSION
from chasqui.events import Report
from chasqui.media import ogg
from chasqui.metrics.targets import TARGETS_VERSION
from chasqui.records import Analysis, Blob, Choice, Master, Plan, Segment, TargetName
from chasqui.store import Workspace, lines


class _Chosen(NamedTuple):
    choices: Sequence[Choice]
    promise: TargetName | None
    why: str
    counts: Counts
    by: str
    cards: tuple[Blob, ...] = ()


def make(master: Master, analysis: Analysis, *, options: Options, work: Workspace, report: Report) -> Plan:
    """The Plan, after the method asked for."""
    segments = lines.read(work.path(analysis.segments), Segment)
    asked: TargetName = options.target or ("clear" if options.budget_bytes else "understood")
    room = container_bytes(analysis.packets)
    if options.method == "search":
        found = search.choices(master, segments, asked, options, room, work, report)
        chosen = _Chosen(found.choices, found.promise, found.why, found.counts, predictor.PREDICTOR_VERSION)
    else:
        chosen = _foretold(analysis, segments, asked, options, room, work)
    ceiling = asked if options.budget_bytes else None
    if options.budget_bytes:  # a budget alone asks for the best that it can keep
        asked = options.target or chosen.promise or "understood"
    out = lines.write(work.folder / "choices.jsonl", chosen.choices)
    return Plan(
        recording_id=master.recording_id,
        choices=work.keep(out, "application/jsonl"),
        target=asked,
        promise=chosen.promise,
        budget_bytes=options.budget_bytes,
        ceiling=ceiling,
        expected_bytes=sum(choice.bytes for choice in chosen.choices) + room,
        doubtful=sum(choice.doubtful for choice in chosen.choices),
        unreachable=sum(not choice.reachable for choice in chosen.choices),
        encodes=chosen.counts.encodes,
        scored=chosen.counts.encodes,
        remembered=chosen.counts.remembered,
        ladder_version=LADDER_VERSION,
        targets_version=TARGETS_VERSION,
        predictor_version=chosen.by,
        cards=chosen.cards,
        why=chosen.why,
    )


def container_bytes(packets: int) -> int:
    """Ogg bytes beside the packets and their lacing, at most: headers, a page header per 83 packets, and room for the
    tags.
    """
    # A pair does not fit where one packet would: such pages are one packet shorter.
    return 2 * 28 + 19 + 2 + ogg.TAG_BYTES + 27 * -(-(packets + 1) // (ogg.PAGE_PACKETS - 1))


def _foretold(
    analysis: Analysis, segments: list[Segment], asked: TargetName, options: Options, room: int, work: Workspace
) -> _Chosen:
    found = prediction.choices(work.path(analysis.features), segments, asked, options, room)
    cards = []
    for kind in prediction.cards(options.models):
        copy = work.folder / f"card-{kind}.json"
        copyfile(prediction.folder(options.models) / kind / "card.json", copy)
        cards.append(work.keep(copy, "application/json"))
    by = ", ".join(card.title for card in prediction.cards(options.models).values())
    return _Chosen(found.choices, found.promise, found.why, Counts(), by, tuple(cards))
