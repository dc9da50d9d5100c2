"""Every feature by name: what it is, its unit, its width, where it comes from, and how it is taken from a sheet."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

from chasqui.errors import BadConfig
from chasqui.features import levels, modulation, pitch, shapes, spectrum
from chasqui.features.arrays import Array
from chasqui.features.settings import Settings
from chasqui.features.sheet import Sheet

Grid = Literal["frame", "clip"]


class Feature(NamedTuple):
    """One line of the catalogue. `measure` gives [clips, frames, width], or [clips, width] per clip."""

    name: str
    what: str
    unit: str
    source: str
    width: Callable[[Settings], int]
    measure: Callable[[Sheet], Array]
    grid: Grid = "frame"


def _one(_: Settings) -> int:
    return 1


def _bins(settings: Settings) -> int:
    return settings.fft // 2 + 1


def _mels(settings: Settings) -> int:
    return settings.mels


def _mfccs(settings: Settings) -> int:
    return settings.mfccs


def _column(values: Array) -> Array:
    return values[..., None]


_STANDARD = "definition"
_LIBROSA = "as librosa.feature with Settings.librosa"
_HTK = "The HTK Book 5.4; Slaney's Auditory Toolbox (1998)"
_YIN = "de Cheveigné & Kawahara 2002"
_FEATURES = (
    Feature("spectrogram", "power spectrum", "power", _LIBROSA, _bins, lambda s: s.power),
    Feature("magnitude", "magnitude spectrum", "amplitude", _LIBROSA, _bins, lambda s: spectrum.magnitude(s.power)),
    Feature("mel", "power in mel bands", "power", _HTK, _mels, lambda s: s.mels),
    Feature("log_mel", "logarithm of the mel bands", "ln or dB", _HTK, _mels, lambda s: s.log_mels),
    Feature("log_mel_delta", "change of log_mel", "per frame", _HTK, _mels, lambda s: s.delta(s.log_mels)),
    Feature("log_mel_delta2", "curvature of log_mel", "per frame²", _LIBROSA, _mels, lambda s: s.delta(s.log_mels, 2)),
    Feature("mfcc", "cepstra: orthonormal DCT-II of log_mel", "", _HTK, _mfccs, lambda s: s.mfcc),
    Feature("mfcc_delta", "change of mfcc", "per frame", _HTK, _mfccs, lambda s: s.delta(s.mfcc)),
    Feature("mfcc_delta2", "curvature of mfcc", "per frame²", _LIBROSA, _mfccs, lambda s: s.delta(s.mfcc, 2)),
    Feature("f0_hz", "pitch of voiced frames, else 0", "Hz", _YIN, _one, lambda s: _column(pitch.voiced_only(*s.yin))),
    Feature("f0_any_hz", "best period, voiced or not", "Hz", _YIN, _one, lambda s: _column(s.yin[0])),
    Feature("aperiodicity", "difference at the best period", "0–1", _YIN, _one, lambda s: _column(s.yin[1])),
    Feature(
        "voiced",
        f"1 where the aperiodicity is below {pitch.VOICED}",
        "0 or 1",
        _YIN,
        _one,
        lambda s: _column(s.xp.astype(s.yin[1] < pitch.VOICED, s.sound.dtype)),
    ),
    Feature("energy", "mean square of a window", "power", _STANDARD, _one, lambda s: _column(s.energy)),
    Feature("rms", "root of energy", "amplitude", _LIBROSA, _one, lambda s: _column(s.xp.sqrt(s.energy))),
    Feature("level_dbfs", "energy in dB", "dBFS", _STANDARD, _one, lambda s: _column(spectrum.decibels(s.energy))),
    Feature("peak", "highest sample", "amplitude", _STANDARD, _one, lambda s: _column(levels.peak(s.windows))),
    Feature(
        "zero_crossings",
        "share of samples with another sign than the one before",
        "0–1",
        _LIBROSA,
        _one,
        lambda s: _column(levels.zero_crossings(s.windows)),
    ),
    Feature("centroid_hz", "mean frequency", "Hz", _LIBROSA, _one, lambda s: _column(s.centroid)),
    Feature(
        "spread_hz",
        "deviation of frequency: the spectrum's bandwidth",
        "Hz",
        _LIBROSA,
        _one,
        lambda s: _column(shapes.spread(s.weights, s.hertz, s.centroid)),
    ),
    Feature(
        "rolloff_hz",
        "85 % of the spectrum lie below (Settings.rolloff)",
        "Hz",
        _LIBROSA,
        _one,
        lambda s: _column(shapes.rolloff(s.weights, s.hertz, s.settings.rolloff)),
    ),
    Feature(
        "flatness",
        "geometric over arithmetic mean of the power",
        "0–1",
        _LIBROSA,
        _one,
        lambda s: _column(s.flatness),
    ),
    Feature(
        "flux",
        "one minus the cosine with the magnitude spectrum of the frame before",
        "0–1",
        _STANDARD,
        _one,
        lambda s: _column(shapes.flux(s.units)),
    ),
    Feature(
        "slope_db_per_octave",
        "regression of level on octaves",
        "dB per octave",
        _STANDARD,
        _one,
        lambda s: _column(shapes.slope(s.logs, s.settings.rate_hz, s.settings.fft)),
    ),
    Feature(
        "snr_db", "mean power against the quietest tenth of the frames", "dB", _STANDARD, _one, lambda s: s.snr, "clip"
    ),
    Feature(
        "bandwidth_hz",
        "upper edge of what the recording holds, 50 dB below the loudest band",
        "Hz",
        _STANDARD,
        _one,
        lambda s: s.bandwidth,
        "clip",
    ),
    *(
        Feature(
            name,
            f"depth of the energy's swing at {low}–{high} Hz, mean over whole seconds",
            "depth",
            "after Houtgast & Steeneken 1985",
            _one,
            lambda s, name=name: s.modulations[name],  # type: ignore[misc]
            "clip",
        )
        for name, (low, high) in modulation.BANDS.items()
    ),
)

CATALOGUE: dict[str, Feature] = {feature.name: feature for feature in _FEATURES}


def find(names: Iterable[str]) -> list[Feature]:
    """The lines of these names, in their order.

    Raises:
        BadConfig: no name at all, or one that is not in the catalogue, with the nearest that is.
    """
    wanted = list(names)
    if not wanted:
        raise BadConfig(why="no feature was named")
    for name in wanted:
        if name not in CATALOGUE:
            near = difflib.get_close_matches(name, CATALOGUE, n=1)
            meant = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(CATALOGUE)}"
            raise BadConfig(why=f"there is no feature {name!r}" + meant)
    return [CATALOGUE[name] for name in wanted]
