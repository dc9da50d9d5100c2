"""A unit of lessons under one byte budget: what each of them gets, so that all keep the same promise where possible."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from chasqui.config import Config
from chasqui.errors import BadConfig, ChasquiError
from chasqui.events import Listener
from chasqui.models.budget import Offer
from chasqui.records import Analysis, Request, Segment, TargetName
from chasqui.run import run_stage
from chasqui.run.local import Packed, pack_one, with_captions
from chasqui.run.story import lines
from chasqui.store import Store

Offers = tuple[list[Offer], int]


def packing_unit(
    paths: Sequence[Path],
    budget_bytes: int,
    out: Path,
    store: Store,
    config: Config,
    listener: Listener | None = None,
    captions: str | Path | None = None,
) -> Iterator[Packed]:
    """Lessons whose voices together weigh no more than `budget_bytes`, one Packed at a time.

    The bytes are split by forecast before the first encode; what a lesson leaves of its share goes to the ones after
    it. A recording that is refused takes no share.

    Raises:
        BadConfig: the budget is smaller than the cheapest possible encode, or plans are to be searched.
    """
    from chasqui.choose.budget import split

    if config.options("choose").method != "predict":
        raise BadConfig(why="a budget for a unit is split by forecast: choose.method must be predict")
    asked: TargetName = config.options("choose").target or "clear"
    found = list(with_captions(paths, captions, config))
    waiting = {}
    for path, folder, _ in found:
        if (offers := _offered(path, folder, asked, store, config, listener)) is not None:
            waiting[str(path)] = offers
    left = budget_bytes
    for path, folder, brought in found:
        own = config
        if str(path) in waiting:
            share = split(waiting, asked, left)[str(path)]
            del waiting[str(path)]
            own = _with_budget(config, share.bytes if waiting else left)
        packed = pack_one(path, folder, out, store, own, listener, brought)
        left -= packed.lesson.bytes if packed.lesson else 0
        yield packed


def _offered(
    path: Path, folder: str, asked: TargetName, store: Store, config: Config, listener: Listener | None
) -> Offers | None:
    """What a recording may cost and score; None where it is refused, which packing it will say again."""
    from chasqui.ingest import accept

    try:
        request: Request = accept(path, store, folder=folder)
        for stage in ("ingest", "clean", "analyze"):
            record = run_stage(stage, request.recording_id, store, config, listener)
        assert isinstance(record, Analysis)  # noqa: S101 - what analyze gives
        return _offers(record, asked, store, config)
    except BadConfig:
        raise
    except ChasquiError:
        return None


def _offers(analysis: Analysis, asked: TargetName, store: Store, config: Config) -> Offers:
    from chasqui.choose import prediction
    from chasqui.choose.plan import container_bytes

    segments = list(lines(analysis.segments, Segment, store))
    own = config.options("choose").models
    curves = prediction.foretell(store.path(analysis.features), segments, own)
    offers = prediction.offers(segments, curves, prediction.cards(own), asked)
    return offers, container_bytes(analysis.packets)


def _with_budget(config: Config, budget_bytes: int) -> Config:
    choose = {**config.stages.get("choose", {}), "budget_bytes": max(budget_bytes, 1)}
    return config.model_copy(update={"stages": {**config.stages, "choose": choose}})
