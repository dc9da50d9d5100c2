"""From a sweep to models: every algorithm for every kind of segment, each as the folder that `choose` could open.

    OUT/speech/boosting/model.tflite card.json
    OUT/speech/forest/… kernel/… net/… mixed/… lstm/…
    OUT/speech/phone/…       on what a phone can compute; model.json beside it
    OUT/music/…

`evaluate` says which is best, `export` ships it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from chasqui.errors import BadConfig
from chasqui.models.card import Card
from chasqui.train import fit_card, fit_data, fit_model, fit_net, fit_phone, lstm
from chasqui.train.fit_data import Data, ModelKind
from chasqui.train.fit_spread import Grow

VERSION = "0.1.0"

#: Plain algorithms: a seed gives what grows a regressor.
GROWN: dict[str, Callable[[int], Grow]] = {
    "forest": fit_model.forest,
    "boosting": fit_model.boosting,
    "net": lambda seed: fit_model.net(fit_net.Recipe(seed=seed)),
    "kernel": lambda _: fit_model.kernel(),
    "mixed": lambda seed: fit_model.mixed((0.5, fit_model.boosting(seed)), (0.5, fit_model.kernel())),
}
ALGORITHMS = (*GROWN, "lstm", "phone")


class Step(NamedTuple):
    """One model fitted."""

    kind: ModelKind
    algorithm: str
    card: Card
    size: int  # bytes of the .tflite
    cpu_s: float


def fit(
    sweep: Path, out: Path, kind: ModelKind, algorithms: Sequence[str] = ALGORITHMS, seed: int = 0
) -> Iterator[Step]:
    """Fit these algorithms for one kind of segment, one after the other.

    Raises:
        BadConfig: no such algorithm.
        BadTraining: not enough to learn from.
    """
    if strange := [name for name in algorithms if name not in ALGORITHMS]:
        raise BadConfig(why=f"there is no algorithm {strange[0]!r}; known: {', '.join(ALGORITHMS)}")
    data = fit_data.read(sweep, kind)
    for name in algorithms:
        if name == "phone" and kind == "music":
            continue  # the constant rung of the music model is what a phone takes
        started = time.process_time()
        made = one(data, name, sweep, seed)
        fit_card.write(made, out / kind / name)
        yield Step(kind, name, made.card, len(made.weights), round(time.process_time() - started, 1))


def one(data: Data, algorithm: str, sweep: Path, seed: int = 0, version: str = VERSION) -> fit_card.Made:
    """One model for one kind of segment.

    Raises:
        BadModel, BadTraining: what was written does not work, or does not say what was fitted.
    """
    fitted: fit_card.Model
    if algorithm == "lstm":
        data = fit_data.checked(lstm.with_packets(data, sweep), sweep)
        fitted = lstm.fit(data, seed)
    elif algorithm == "phone":
        data = fit_phone.narrowed(data, seed=seed)
        fitted = fit_phone.fit(data, seed)
    else:
        fitted = fit_model.fit(data, GROWN[algorithm](seed), seed)
    return fit_card.finished(data, fitted, algorithm, version)
