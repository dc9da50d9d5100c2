"""The same numbers from every library, to 1e-4 of each feature's range."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chasqui import features
from chasqui.features import CATALOGUE
from chasqui.features.arrays import numpy_of as plain

from .conftest import MUSIC, SPANISH, SPEECH, Read

NAMES = tuple(CATALOGUE)
Library = Callable[[np.ndarray], Any]


def test_every_feature_is_the_same(read: Read, library: Library) -> None:
    clips = [read(SPEECH), read(MUSIC)[:30_000], read(SPANISH)[:12_345]]
    ours = features.extract(clips, 16_000, NAMES)
    theirs = features.extract([library(clip) for clip in clips], 16_000, NAMES)
    assert theirs.counts == ours.counts
    for name in NAMES:
        assert type(theirs.values[name]) is type(library(clips[0]))
        for index in range(len(clips)):
            same(plain(theirs.clip(index)[name]), ours.clip(index)[name], name)


def test_sums_and_normalised_sums_are_the_same(read: Read, library: Library) -> None:
    clips = [read(SPEECH), read(MUSIC)[:30_000]]
    names, wanted = ("mfcc", "log_mel", "level_dbfs", "snr_db"), ("mean", "std", "skew", "p05", "p90", "max")
    ours = features.aggregate(features.extract(clips, 16_000, names), wanted)
    theirs = features.aggregate(features.extract([library(clip) for clip in clips], 16_000, names), wanted)
    assert theirs.names == ours.names
    same(plain(theirs.values), ours.values, "table")
    normal = features.Normaliser.fit(ours.names, [ours.values, ours.values * 2])
    again = features.Normaliser.fit(ours.names, [library(ours.values), library(ours.values * 2)])
    assert again == normal
    same(plain(normal.apply(theirs.values)), normal.apply(ours.values), "normalised")


def test_packets_are_the_same(read: Read, library: Library) -> None:
    sound = read(SPEECH, 48_000)
    same(plain(features.packet_features(library(sound))), features.packet_features(sound), "packets")


def same(theirs: np.ndarray, ours: np.ndarray, name: str) -> None:
    assert theirs.shape == ours.shape, name
    assert theirs.dtype == ours.dtype == np.float32, name
    scale = np.abs(ours).max() + 1e-9
    np.testing.assert_allclose(theirs / scale, ours / scale, atol=1e-4, err_msg=name)
