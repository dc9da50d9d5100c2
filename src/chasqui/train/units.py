"""Codebooks of acoustic units: k-means of what stands around each 20 ms of many voices, and what they are worth.

Which voices: all speech of the folder, every speaker on one side of the split, at most two minutes of one. What is
clustered is what `tokenize` describes: cepstra made alike per recording, through a projection that is learnt here.
Nothing says what a sound is called, so nothing is said about phones; `bench/tokens.py` asks a recogniser.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chasqui.errors import ChasquiError, NoSpeech, OneSpeaker
from chasqui.tokenize import units
from chasqui.tokenize.listen import CEPSTRA, RATE_HZ, Block, Floats, Frames, frames
from chasqui.tokenize.units import Codebook, Likeness
from chasqui.train.extra import need
from chasqui.train.material import split
from chasqui.train.mixing import sent, whole
from chasqui.train.sources import Source, sources
from chasqui.train.split import Part

#: Cepstra that are looked at; the higher ones are more of a voice's pitch than of what it says.
USED = 13
#: Frames of 10 ms whose cepstra describe a unit: 130 ms, about as far as neighbours colour a sound.
CONTEXT = (-6, -4, -2, 0, 2, 4, 6)
WIDTH = 30
#: Centres that stand for classes while the projection is learnt.
CLASSES = 200
#: Seconds of one recording and of one speaker.
RECORDING_S, SPEAKER_S = 60, 120
#: Frames that far below the loudest of a recording are left out of training: silence needs few centres.
ACTIVE_DB = 40.0
#: The messenger that sends recordings on, to see which units stay: Opus at 8 kb/s.
CHANNEL = "opus-8"


class Heard(NamedTuple):
    """One recording."""

    source: Source
    part: Part
    frames: Frames

    @property
    def likeness(self) -> Likeness:
        return units.likeness_of(self.frames.cepstra, self.frames.level_dbfs)


def listen_to(folder: Path, seed: int, told: Callable[[float], None] = lambda _: None) -> list[Heard]:
    """The frames of everything that can be learnt from; `told` hears seconds.

    Raises:
        NoSpeech, OneSpeaker: nothing to learn from, or nobody to hold out.
    """
    found = [source for source in sources(folder)[0] if source.content == "speech"]
    if not found:
        raise NoSpeech(path=str(folder))
    parts = split(found, seed)
    if "test" not in {parts[source.group] for source in found}:
        raise OneSpeaker(path=str(folder), speaker=found[0].group)
    heard: list[Heard] = []
    spent: defaultdict[str, float] = defaultdict(float)
    for source in found:
        if spent[source.group] >= SPEAKER_S:
            continue
        try:
            sound = whole(folder / source.path)[: RECORDING_S * RATE_HZ]
        except ChasquiError:
            continue  # a damaged file more or less; sources() told of what cannot be read at all
        spent[source.group] += len(sound) / RATE_HZ
        heard.append(Heard(source, parts[source.group], frames(Block(sound, 0, len(sound), 0))))
        told(len(sound) / RATE_HZ)
    return heard


def fit(heard: Sequence[Heard], size: int, seed: int, version: str) -> Codebook:
    """A codebook of the recordings to fit with.

    Raises:
        NoSpeech: fewer frames than a codebook of that size needs.
    """
    from threadpoolctl import threadpool_limits

    learnt = [one for one in heard if one.part == "fit"]
    points = np.concatenate([_points(one) for one in learnt])
    if len(points) < 20 * max(size, CLASSES):
        raise NoSpeech(path=learnt[0].source.path if learnt else "-")
    with threadpool_limits(1):  # sums in one order: the same seed gives the same codebook
        projection = _projection(points, seed)
        centres = _centres(points @ projection, size, seed)
    usual = Likeness(
        np.mean([one.likeness.mean for one in learnt], axis=0),
        np.mean([one.likeness.deviation for one in learnt], axis=0),
    )
    return Codebook(f"units-{size}", version, CONTEXT, projection, centres, usual, _card(learnt, seed))


def _points(one: Heard) -> Floats:
    """What is described of the moments that are loud enough."""
    described = units.describe(one.frames, one.likeness, CONTEXT)
    middles = one.frames.first + units.MIDDLE + units.HOP * np.arange(len(described))
    level = one.frames.level_dbfs[np.clip(middles, 0, len(one.frames.level_dbfs) - 1)]
    return np.asarray(described[level > one.frames.level_dbfs.max() - ACTIVE_DB], np.float32)


def _projection(points: Floats, seed: int) -> Floats:
    """[width of a description, WIDTH]: the directions in which clusters lie apart most for their size (Fisher's
    discriminants, with k-means clusters for classes)."""
    import scipy.linalg

    used = np.tile(np.arange(CEPSTRA) < USED, len(CONTEXT))
    chosen = points[:, used].astype(np.float64)
    whole_cov = np.cov(chosen.T)
    classes = _clusters(chosen @ _leading(whole_cov), CLASSES, seed).labels_
    within = np.zeros_like(whole_cov)
    for label in range(CLASSES):
        members = chosen[classes == label]
        if len(members) > 1:
            within += np.cov(members.T) * len(members)
    within /= len(chosen)
    within += np.eye(len(within)) * 0.05 * np.trace(within) / len(within)  # what few points say by chance
    _, vectors = scipy.linalg.eigh(whole_cov, within)
    projection = np.zeros((points.shape[1], WIDTH), np.float32)
    projection[used] = vectors[:, ::-1][:, :WIDTH]
    return projection


def _leading(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors[:, np.argsort(-values)[:WIDTH]])


def _clusters(points: NDArray[Any], count: int, seed: int) -> Any:
    cluster = need("sklearn.cluster")
    means = cluster.MiniBatchKMeans(count, random_state=seed, n_init=1, batch_size=8192, max_iter=60)
    return means.fit(points)


def _centres(points: Floats, count: int, seed: int) -> Floats:
    found = np.asarray(_clusters(points, count, seed).cluster_centers_, np.float32)
    return np.ascontiguousarray(found[np.lexsort(found.T[::-1])])  # numbered by place, not by chance


def _card(learnt: Sequence[Heard], seed: int) -> dict[str, Any]:
    return {
        "what": "acoustic units: nearest centre of the cepstra around each 20 ms; no sound can be made of them",
        "licence": "CC BY 4.0",
        "seed": seed,
        "data": {
            "recordings": len(learnt),
            "speakers": len({one.source.group for one in learnt}),
            "hours": round(sum(one.frames.own for one in learnt) / 360_000, 3),
            "language": dict(Counter(one.source.language for one in learnt).most_common()),
            "corpus": dict(Counter(one.source.corpus for one in learnt).most_common()),
            "licence": dict(Counter(one.source.licence for one in learnt).most_common()),
        },
    }


def judge(book: Codebook, heard: Sequence[Heard], folder: Path) -> dict[str, float]:
    """What a codebook is worth on voices that it did not hear.

    `bits_per_s`: entropy of the units by how often each occurs. `used`: share of the units that occur. `run_ms`: how
    long one stays. `kept`: share of the units that are the same after a messenger sent the recording on, and
    `by_chance` what two moments drawn at random have in common. `speaker`: how often the units of the second half of a
    recording are most like those of the first half of the same one, among `speakers`: less is better, 1 / `speakers`
    is nothing.
    """
    held = [one for one in heard if one.part == "test"]
    lines = [book.units(one.frames, one.likeness) for one in held]
    counts = np.bincount(np.concatenate(lines), minlength=book.vocabulary)
    shares = counts / counts.sum()
    present = shares[shares > 0]
    edges = sum(int(np.count_nonzero(np.diff(line))) + 1 for line in lines)
    speaker, speakers = _speaker(lines, held, book.vocabulary)
    return {
        "bits_per_s": round(float(-(present * np.log2(present)).sum()) * units.UNITS_PER_S, 1),
        "used": round(len(present) / book.vocabulary, 3),
        "run_ms": round(1000 * sum(map(len, lines)) / edges / units.UNITS_PER_S, 1),
        "kept": round(_kept(book, held, lines, folder), 3),
        "by_chance": round(float((shares**2).sum()), 4),
        "speaker": round(speaker, 3),
        "speakers": speakers,
        "minutes": round(sum(map(len, lines)) / units.UNITS_PER_S / 60, 1),
    }


def _kept(book: Codebook, held: Sequence[Heard], lines: Sequence[NDArray[Any]], folder: Path) -> float:
    same = total = 0
    for one, line in zip(held, lines, strict=True):
        sound = whole(folder / one.source.path)[: RECORDING_S * RATE_HZ]
        again = np.asarray(sent(sound, CHANNEL, np.random.default_rng(0)), np.float32)[: len(sound)]
        other = frames(Block(again, 0, len(again), 0))
        heard = book.units(other, units.likeness_of(other.cepstra, other.level_dbfs))
        size = min(len(line), len(heard))
        same += int((line[:size] == heard[:size]).sum())
        total += size
    return same / max(total, 1)


def _speaker(lines: Sequence[NDArray[Any]], held: Sequence[Heard], size: int) -> tuple[float, int]:
    """One recording of at least 10 s of each speaker; likeness is the Bhattacharyya coefficient."""
    first: dict[str, NDArray[Any]] = {}
    for one, line in zip(held, lines, strict=True):
        if len(line) >= 10 * units.UNITS_PER_S:
            first.setdefault(one.source.group, line)
    if len(first) < 2:
        return 1.0, len(first)
    halves = [
        [np.sqrt(np.bincount(half, minlength=size) / len(half)) for half in np.array_split(line, 2)]
        for line in first.values()
    ]
    before, after = np.array([half[0] for half in halves]), np.array([half[1] for half in halves])
    return float(((after @ before.T).argmax(axis=1) == np.arange(len(halves))).mean()), len(halves)
