"""Small dense networks, several at once: what runs on phones, and one of the candidates.

Trained in NumPy because they are so small that a framework would spend its time on itself: a few thousand steps of
matrices that fit into the cache. Adam with decoupled weight decay (Loshchilov & Hutter 2019), dropout, a robust loss,
a learning rate that falls as a cosine. Members differ by their start, their dropout and the order of what they saw.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from chasqui.train.export_graph import Graph
from chasqui.train.fit_data import Floats

Layer = tuple[Floats, Floats]  # weights [in, out], bias [out]


@dataclass(frozen=True)
class Recipe:
    """How nets are trained. What is here was found on the calibration recordings of the sweep."""

    hidden: tuple[int, ...] = (64, 32)
    members: int = 6
    epochs: int = 120
    batch: int = 64
    rate: float = 2e-3
    decay: float = 0.02
    dropout: float = 0.2
    blur: float = 0.1  # noise on the features, in their deviations
    robust: float = 1.5  # errors beyond so many deviations count linearly (Huber 1964)
    seed: int = 0


@dataclass(frozen=True)
class Nets:
    """An ensemble of networks; its answer is their mean."""

    members: tuple[tuple[Layer, ...], ...]

    def predict(self, x: Floats) -> Floats:
        """Answers of shape [segments, outputs] to normalised features [segments, features]."""
        return np.asarray(np.mean([_forward(layers, x)[-1] for layers in self.members], axis=0))

    def hidden(self, x: Floats) -> Floats:
        """What stands before the last layer of the first member, shape [segments, width]."""
        return _forward(self.members[0], x)[-2]

    def draw(self, graph: Graph, x: int) -> int:
        """The same as operators; gives a tensor of shape [1, outputs]."""
        total = None
        for layers in self.members:
            at = x
            for weights, bias in layers[:-1]:
                at = graph.dense(at, weights, bias, relu=True)
            weights, bias = layers[-1]
            at = graph.dense(at, weights / len(self.members), bias / len(self.members))
            total = at if total is None else graph.add(total, at)
        if total is None:
            raise ValueError("an ensemble without members")
        return total


def train(x: Floats, z: Floats, recipe: Recipe) -> Nets:
    """Networks from normalised features x [segments, features] to z [segments, outputs]."""
    dice = np.random.default_rng(recipe.seed)
    x, z = x.astype(np.float32), z.astype(np.float32)
    sizes = (x.shape[1], *recipe.hidden, z.shape[1])
    params = [part for pair in pairwise(sizes) for part in _start(pair, recipe.members, dice)]
    moments = [(np.zeros_like(p), np.zeros_like(p)) for p in params]
    per_epoch = max(len(x) // recipe.batch, 1)
    total = recipe.epochs * per_epoch
    step = 0
    for _ in range(recipe.epochs):
        order = np.stack([dice.permutation(len(x)) for _ in range(recipe.members)])
        for part in range(per_epoch):
            step += 1
            chosen = order[:, part * recipe.batch : (part + 1) * recipe.batch]
            slopes = _slopes(params, x[chosen], z[chosen], recipe, dice)
            warm = min(step / (0.05 * total + 1), 1.0)
            _adam(
                params,
                slopes,
                moments,
                step,
                recipe.rate * warm * 0.5 * (1 + np.cos(np.pi * step / total)),
                recipe.decay,
            )
    wide = [p.astype(np.float64) for p in params]
    return Nets(
        tuple(
            tuple((w[member], b[member, 0]) for w, b in zip(wide[::2], wide[1::2], strict=True))
            for member in range(recipe.members)
        )
    )


def _start(pair: tuple[int, int], members: int, dice: np.random.Generator) -> list[NDArray[np.float32]]:
    """He et al. 2015."""
    weights = dice.normal(size=(members, *pair)) * np.sqrt(2 / pair[0])
    return [weights.astype(np.float32), np.zeros((members, 1, pair[1]), np.float32)]


def _slopes(
    params: list[NDArray[np.float32]], x: Floats, z: Floats, recipe: Recipe, dice: np.random.Generator
) -> list[NDArray[np.float32]]:
    """Gradients of the robust loss on one batch per member."""
    at = (x + np.float32(recipe.blur) * dice.standard_normal(x.shape, np.float32)).astype(np.float32)
    inputs, masks = [], []
    last = len(params) // 2 - 1
    for depth, (weights, bias) in enumerate(zip(params[::2], params[1::2], strict=True)):
        inputs.append(at)
        at = at @ weights + bias
        if depth < last:
            keep = (dice.random(at.shape, np.float32) >= recipe.dropout) / np.float32(1 - recipe.dropout)
            masks.append(np.where(at > 0, keep, 0).astype(np.float32))
            at = at * masks[-1]
    back = np.clip(at - z, -recipe.robust, recipe.robust).astype(np.float32) / np.float32(x.shape[1])
    slopes: list[NDArray[np.float32]] = []
    for depth in range(last, -1, -1):
        slopes[:0] = [np.swapaxes(inputs[depth], 1, 2) @ back, back.sum(axis=1, keepdims=True)]
        if depth:
            back = (back @ np.swapaxes(params[2 * depth], 1, 2)) * masks[depth - 1]
    return slopes


def _adam(
    params: list[NDArray[np.float32]],
    slopes: list[NDArray[np.float32]],
    moments: list[tuple[NDArray[np.float32], NDArray[np.float32]]],
    step: int,
    rate: float,
    decay: float,
) -> None:
    for place, (p, slope, (mean, square)) in enumerate(zip(params, slopes, moments, strict=True)):
        mean += np.float32(0.1) * (slope - mean)
        square += np.float32(0.001) * (slope**2 - square)
        move = (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
        if place % 2 == 0:  # weights shrink, biases do not
            p *= np.float32(1 - rate * decay)
        p -= (rate * move).astype(np.float32)


def _forward(layers: tuple[Layer, ...], x: Floats) -> list[Floats]:
    """What stands after each layer."""
    found = []
    for depth, (weights, bias) in enumerate(layers):
        x = x @ weights + bias
        if depth < len(layers) - 1:
            x = np.maximum(x, 0.0)
        found.append(x)
    return found
