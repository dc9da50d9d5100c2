"""The model that phones run: one small net on what a browser can measure in 16 kHz sound, whatever its gain.

An ensemble of wider nets learns from the segments; the small one learns from the ensemble, which can be asked about as
many mixtures of segments as one likes (Hinton et al. 2015). Weights are rounded before anything is calibrated, so that
JSON and .tflite say the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from chasqui.models.card import Normaliser
from chasqui.train import fit_basis, fit_model, fit_net, fit_spread
from chasqui.train.export_graph import Graph
from chasqui.train.fit_data import Data, Floats
from chasqui.train.fit_net import Layer, Nets, Recipe

#: Features of 16 kHz frames that no gain changes: no levels, no pitch, nothing above 8 kHz, nothing of Silero.
PHONE = re.compile(
    r"dynamic_range_db|active_share|level_skew|level_delta_std_db"
    r"|(zero_crossings|centroid_hz|flatness|rolloff85_hz|flux|slope_db_per_octave|spread_hz)_(mean|std)"
    r"|mfcc_(?!00_mean)\d\d_(mean|std|delta_std)|logmel_\d\d_(mean|std|p10)"
    r"|modulation_\d+hz|steadiness|flux_variance|low_energy_share"
)
FEATURES = 48
TEACHER = Recipe(hidden=(64, 32), members=8, blur=0.2)
PUPIL = Recipe(hidden=(32, 24), members=1, epochs=40, dropout=0.0, blur=0.0, decay=0.0, rate=4e-3)
#: Mixtures that the small net is taught with, and how far they are blurred (deviations of a feature).
LESSONS, BLUR = 16_000, 0.2


@dataclass(frozen=True)
class Small:
    """A fitted small net; the same door as `fit_model.Fitted`."""

    features: tuple[str, ...]
    normaliser: Normaliser
    layers: tuple[Layer, ...]
    rehearsed: None = None

    def outputs(self, values: Floats) -> Floats:
        """What the .tflite gives, shape [segments, outputs], for features as measured [segments, features]."""
        return Nets((self.layers,)).predict(self.normaliser.apply(values).astype(np.float64))

    def tflite(self, said: str) -> bytes:
        """The same as a file."""
        graph = Graph(len(self.features), said)
        return graph.finished(Nets((self.layers,)).draw(graph, graph.input))


def narrowed(data: Data, count: int = FEATURES, seed: int = 0) -> Data:
    """The data with only those features that a phone can have, and of them the most telling."""
    possible = [name for name in data.names if PHONE.fullmatch(name)]
    data = _only(data, possible)
    learn = data.of("fit")
    z = fit_basis.of(learn).coordinates(learn.aims)
    told = _telling(fit_model.normaliser(learn.features).apply(learn.features).astype(np.float64), z, seed)
    best = sorted(np.argsort(-told)[:count].tolist())
    return _only(data, [possible[place] for place in best])


def fit(data: Data, seed: int = 0) -> Small:
    """The small net; `data` is narrowed."""
    learn = data.of("fit")
    normal = fit_model.normaliser(learn.features)
    x = normal.apply(learn.features).astype(np.float64)
    basis = fit_basis.of(learn)
    z = basis.coordinates(learn.aims)
    recipe = replace(TEACHER, seed=seed)
    known = basis.aims(fit_spread.out_of_fold(fit_model.net(recipe), x, z, learn.group))
    wrong = (learn.aims - known)[:, : len(data.metrics) * len(data.rungs)]
    difficulty = fit_spread.difficulty(x, wrong / wrong.std(axis=0), seed)
    teacher = fit_net.train(x, z, recipe)
    lessons = _lessons(x, seed)
    answers = np.concatenate([teacher.predict(lessons), difficulty.predict(lessons)], axis=1)
    pupil = fit_net.train(lessons, answers, replace(PUPIL, seed=seed)).members[0]
    return Small(data.names, normal, _folded(pupil, basis))


def _lessons(x: Floats, seed: int) -> Floats:
    """Points between pairs of segments, blurred."""
    dice = np.random.default_rng(seed)
    a, b = x[dice.integers(0, len(x), (2, LESSONS))]
    share = dice.beta(0.4, 0.4, (LESSONS, 1))
    return np.asarray(share * a + (1 - share) * b + BLUR * dice.standard_normal(a.shape))


def _folded(layers: tuple[Layer, ...], basis: fit_basis.Basis) -> tuple[Layer, ...]:
    """The way from coordinates to outputs becomes part of the last layer: both are linear. Four digits are kept."""
    weights, bias = layers[-1]
    last = np.concatenate([weights[:, :-1] @ basis.directions, weights[:, -1:]], axis=1)
    shift = np.append(basis.aims(bias[:-1]), bias[-1])
    return tuple((_short(w), _short(b)) for w, b in (*layers[:-1], (last, shift)))


def _short(values: Floats) -> Floats:
    return np.asarray(np.vectorize(lambda value: float(f"{value:.4g}"))(values), np.float64)


def _only(data: Data, names: list[str]) -> Data:
    at = [data.names.index(name) for name in names]
    return replace(data, names=tuple(names), features=data.features[:, at])


def _telling(x: Floats, z: Floats, seed: int) -> Floats:
    """How much each feature tells: impurity that it takes away in a forest, coordinates by their weight."""
    from sklearn.ensemble import ExtraTreesRegressor

    model = ExtraTreesRegressor(150, min_samples_leaf=4, max_features=0.4, random_state=seed, n_jobs=1)
    found: Floats = model.fit(x, z).feature_importances_
    return found
