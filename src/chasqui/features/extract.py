"""Features of a batch of clips, framed: the front door's `extract`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import array_api_compat

from chasqui.errors import BadConfig, BadSound
from chasqui.features.arrays import Array, namespace, padded
from chasqui.features.catalogue import CATALOGUE, find
from chasqui.features.settings import Settings
from chasqui.features.sheet import Sheet

LOUDEST = 1000.0  # 60 dB above full scale is no sound but integers read as real numbers


@dataclass(frozen=True)
class Frames:
    """Features of a batch. `values[name]` is [clips, frames, width], or [clips, width] for features per clip.

    A shorter clip has only its first `counts[clip]` frames; what stands behind them means nothing.
    """

    values: dict[str, Array]
    counts: tuple[int, ...]
    settings: Settings

    def clip(self, index: int) -> dict[str, Array]:
        """One clip's features without what lies behind its end."""
        return {
            name: value[index, : self.counts[index], :] if CATALOGUE[name].grid == "frame" else value[index, :]
            for name, value in self.values.items()
        }

    @property
    def seconds_per_frame(self) -> float:
        """From one frame to the next."""
        return self.settings.hop / self.settings.rate_hz


def extract(
    audio: Array | Sequence[Array], rate_hz: int, names: Iterable[str], *, settings: Settings | None = None
) -> Frames:
    """Features of one clip [samples], of equally long clips [clips, samples], or of a list of clips of any length.

    Arrays may come from NumPy, PyTorch (CPU or CUDA), CuPy or any library of the array-API standard; what comes back is
    of the same library, on the same device, float32. Every value is finite, of digital silence too. In a batch each
    clip has the numbers that it has alone.

    Args:
        audio: mono, full scale ±1.
        rate_hz: of all clips; nothing is resampled.
        names: as in `CATALOGUE`.
        settings: by default `Settings.at(rate_hz)`.

    Raises:
        BadConfig: an unknown name (with the nearest known one), or settings for another rate.
        BadSound: a clip that is empty, shorter than one window, holds NaN or infinity, or is 60 dB above full scale.
    """
    features = find(names)
    chosen = settings or Settings.at(rate_hz)
    if chosen.rate_hz != rate_hz:
        raise BadConfig(why=f"the settings are for {chosen.rate_hz} Hz and the sound has {rate_hz} Hz")
    sound, samples = stacked(audio, chosen.window)
    sheet = Sheet(sound, samples, chosen)
    return Frames({feature.name: feature.measure(sheet) for feature in features}, tuple(sheet.counts), chosen)


def stacked(audio: Array | Sequence[Array], least: int = 1) -> tuple[Array, list[int]]:
    """([clips, samples] float32 with zeros behind shorter clips, samples of each).

    Raises:
        BadSound: as for `extract`; `least` samples are enough.
    """
    clips = list(audio) if isinstance(audio, list | tuple) else _rows(audio)
    if not clips:
        raise BadSound(name="the batch", why="there is no clip in it")
    whole = [_checked(clip, f"clip {index + 1}", least) for index, clip in enumerate(clips)]
    samples = [clip.shape[0] for clip in whole]
    longest = max(samples)
    xp = namespace(whole[0])
    rows = [clip if clip.shape[0] == longest else padded(clip, 0, longest - clip.shape[0]) for clip in whole]
    return xp.stack(rows), samples


def _rows(audio: Array) -> list[Array]:
    if not array_api_compat.is_array_api_obj(audio) or audio.ndim not in (1, 2):
        raise BadSound(name="the sound", why="clips are arrays of shape [samples] or [clips, samples]")
    return [audio] if audio.ndim == 1 else [audio[index, :] for index in range(audio.shape[0])]


def _checked(clip: Any, name: str, least: int) -> Array:
    if not array_api_compat.is_array_api_obj(clip) or clip.ndim != 1:
        raise BadSound(name=name, why="it is not an array of shape [samples]")
    xp = namespace(clip)
    if not xp.isdtype(clip.dtype, "real floating"):
        raise BadSound(name=name, why=f"its samples are {clip.dtype}, not real numbers with full scale ±1")
    if clip.shape[0] == 0:
        raise BadSound(name=name, why="it is empty")
    if clip.shape[0] < least:
        raise BadSound(name=name, why=f"it has {clip.shape[0]} samples, and one window takes {least}")
    if not bool(xp.all(xp.isfinite(clip))):
        raise BadSound(name=name, why="it holds NaN or infinity")
    highest = float(xp.max(xp.abs(clip)))
    if highest > LOUDEST:
        raise BadSound(name=name, why=f"its samples reach {highest:.6g}, and full scale is 1")
    return xp.astype(clip, xp.float32, copy=False)
