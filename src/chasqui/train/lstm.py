"""A long short-term memory over the packets of a segment (Hochreiter & Schmidhuber 1997), by Keras.

It hears how a segment goes on instead of its averages. A segment is brought to STEPS steps, each the mean of its share
of the packets; input of the .tflite is all of them in one row. Keras trains with a free batch; a twin for one segment
at a time gets its weights and is converted, because only that needs no operators beyond LiteRT's own.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from chasqui.errors import BadTraining
from chasqui.models.card import Normaliser
from chasqui.train import fit_basis, fit_model
from chasqui.train.fit_basis import Basis
from chasqui.train.fit_data import Data, Floats, lacks, table

STEPS = 48
WIDTH = 32
EPOCHS, BATCH, RATE = 60, 32, 3e-3
NEEDED = ("segment_id", "packets", "values")


@dataclass(frozen=True)
class Recurrent:
    """A fitted network; the same door as `fit_model.Fitted`."""

    features: tuple[str, ...]
    normaliser: Normaliser
    basis: Basis
    width: int
    net: Any  # keras.Model: [segments, STEPS, columns] → coordinates
    rehearsed: None = None

    def outputs(self, values: Floats) -> Floats:
        """What the .tflite gives, shape [segments, outputs], for features as measured [segments, features]."""
        x = self.normaliser.apply(values).reshape(len(values), STEPS, -1)
        aims = self.basis.aims(np.asarray(self.net.predict(x, verbose=0), np.float64))
        return np.concatenate([aims, np.zeros((len(aims), 1))], axis=1)

    def tflite(self, said: str) -> bytes:
        """The twin for one segment, with the way from coordinates to outputs behind it."""
        import keras
        import tensorflow as tf

        twin = _net(len(self.features) // STEPS, len(self.basis.directions), self.width, batch=1)
        twin.set_weights(self.net.get_weights())
        given = keras.Input((len(self.features),), batch_size=1)
        last = keras.layers.Dense(self.basis.directions.shape[1] + 1)
        whole = keras.Model(given, last(twin(keras.layers.Reshape((STEPS, -1))(given))), name="lstm")
        last.set_weights([np.pad(self.basis.directions, ((0, 0), (0, 1))), np.append(self.basis.mean, 0.0)])
        return bytes(tf.lite.TFLiteConverter.from_keras_model(whole).convert())


def with_packets(data: Data, sweep: Path) -> Data:
    """The same segments with their packets for features; those that have none are left out.

    Raises:
        BadTraining: the sweep has no packets, or other columns than it says.
    """
    held = table(sweep / "frames.parquet", NEEDED)
    names = _columns(sweep / "frames.parquet")
    at = {name: place for place, name in enumerate(held["segment_id"])}
    lines = np.array([at.get(name, -1) for name in data.ids])
    if missed := int((lines < 0).sum()):
        data = replace(data.where(lines >= 0), left_out={**data.left_out, "packets missing": missed})
    rows = []
    for line in lines[lines >= 0]:
        values = np.asarray(held["values"][line], np.float64)
        if values.size != held["packets"][line] * len(names):
            raise BadTraining(path=str(sweep / "frames.parquet"), why=lacks(list(names)))
        rows.append(steps(values.reshape(-1, len(names))).reshape(-1))
    said = tuple(f"{name}@{step:02d}" for step in range(STEPS) for name in names)
    features = np.stack(rows) if rows else np.empty((0, len(said)))
    return replace(data, names=said, features=features, feature_version=f"{data.feature_version}/{STEPS}")


def steps(values: Floats, count: int = STEPS) -> Floats:
    """Packets of shape [packets, columns] brought to [count, columns]: means of equal shares, packets cut where need
    be.
    """
    edges = np.linspace(0, len(values), count + 1)
    sums = np.vstack([np.zeros(values.shape[1]), np.cumsum(values, axis=0)])
    whole = np.floor(edges).astype(int)
    above = np.minimum(whole + 1, len(values))
    at = sums[whole] + (edges - whole)[:, None] * (sums[above] - sums[whole])
    return np.asarray(np.diff(at, axis=0) / np.diff(edges)[:, None], np.float64)


def normaliser(values: Floats) -> Normaliser:
    """Mean and deviation of each column, over all segments and steps alike."""
    columns = values.shape[1] // STEPS
    each = fit_model.normaliser(values.reshape(-1, columns))
    return Normaliser(mean=each.mean * STEPS, scale=each.scale * STEPS)


def fit(data: Data, seed: int = 0, epochs: int = EPOCHS) -> Recurrent:
    """The network; `data` holds packets for features."""
    learn = data.of("fit")
    normal, basis = normaliser(learn.features), fit_basis.of(learn)
    x = normal.apply(learn.features).astype(np.float64)
    net = train(x, basis.coordinates(learn.aims), epochs=epochs, seed=seed)
    return Recurrent(data.names, normal, basis, WIDTH, net)


def train(x: Floats, z: Floats, width: int = WIDTH, epochs: int = EPOCHS, seed: int = 0) -> Any:
    """The Keras model from normalised steps x [segments, STEPS · columns] to coordinates z."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow talks to stderr otherwise
    import keras

    keras.utils.set_random_seed(seed)
    net = _net(x.shape[1] // STEPS, z.shape[1], width)
    total = epochs * (-(-len(x) // BATCH))
    falling = keras.optimizers.schedules.CosineDecay(RATE, total)
    net.compile(
        optimizer=keras.optimizers.AdamW(falling, weight_decay=0.01, clipnorm=1.0), loss=keras.losses.Huber(1.5)
    )
    steps_in = x.reshape(len(x), STEPS, -1).astype(np.float32)
    net.fit(steps_in, z.astype(np.float32), epochs=epochs, batch_size=BATCH, verbose=0)
    return net


def _net(columns: int, outputs: int, width: int, batch: int | None = None) -> Any:
    import keras

    given = keras.Input((STEPS, columns), batch_size=batch)
    blurred = keras.layers.GaussianNoise(0.2)(given)
    heard = keras.layers.LSTM(width, return_sequences=True)(blurred)
    mean = keras.layers.Dropout(0.2)(keras.layers.GlobalAveragePooling1D()(heard))
    return keras.Model(given, keras.layers.Dense(outputs)(mean))


def _columns(path: Path) -> tuple[str, ...]:
    """Names of the numbers per packet."""
    import pyarrow.parquet as pq

    said = (pq.read_schema(path).metadata or {}).get(b"columns")
    if said is None:
        raise BadTraining(path=str(path), why="it does not name its columns")
    return tuple(json.loads(said))
