"""Neural codecs as tokenizers: the codes of a codec are symbols from which it makes sound again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from chasqui.codecs import lyra
from chasqui.errors import BadConfig
from chasqui.metrics.filters import lowpass
from chasqui.metrics.resample import Resampler, third
from chasqui.tokenize.listen import MARGIN, RATE_HZ, Block, Floats

Codes = NDArray[Any]

#: A codec of transformers hears blocks of 12 s, each after the 2 s before it: causal networks need no more to say
#: nearly what they would say in one go, and memory stays that of a block.
PAST_S = 2


class Codec(Protocol):
    """Sound to codes and back."""

    name: str
    rate_hz: int  # of what `decode` gives
    frames_per_s: float
    vocabulary: int
    levels: int
    why: str
    context: tuple[int, int]  # samples at 48 kHz that it wants to hear before and after a block

    def encode(self, blocks: Iterable[Block]) -> Iterator[Codes]:
        """Codes [frames, levels] of block after block of one recording."""
        ...

    def decode(self, codes: Codes) -> Floats:
        """Sound at `rate_hz` of codes [frames, levels]."""
        ...


def open_codec(kind: str, folder: Path, levels: int | None) -> Codec:
    """
    Raises:
        BadConfig: the folder does not hold that codec, it has fewer levels, or a package is missing.
    """
    return LyraCodes(folder, levels) if kind == "lyra" else Hugging(kind, folder, levels)


class LyraCodes:
    """Lyra v2: the first stages of its quantiser, four bits each, 50 frames a second."""

    rate_hz, frames_per_s, vocabulary = lyra.RATE_HZ, float(lyra.FRAMES_PER_S), lyra.LEVELS
    context = (MARGIN, MARGIN)  # what the resampler rings

    def __init__(self, folder: Path, levels: int | None) -> None:
        self._lyra = lyra.Lyra(folder)
        self.levels = levels or lyra.STAGES
        if self.levels > lyra.STAGES:
            raise BadConfig(why=f"lyra has {lyra.STAGES} levels, not {self.levels}")
        self.name = f"lyra-{self.levels}@{lyra.MODEL_VERSION}"
        self.why = "the indices of Lyra's quantiser; Lyra makes sound of them again"

    def encode(self, blocks: Iterable[Block]) -> Iterator[Codes]:
        for codes in self._lyra.encode_pieces(_at(block, third(), 3) for block in blocks):
            yield codes[:, : self.levels]

    def decode(self, codes: Codes) -> Floats:
        whole = np.full((len(codes), lyra.STAGES), lyra.ABSENT, np.int8)
        whole[:, : self.levels] = codes
        return self._lyra.decode(whole)


class Hugging:
    """EnCodec or Mimi as transformers has them, from a folder that somebody put there."""

    CLASSES = {"encodec": "EncodecModel", "mimi": "MimiModel"}  # noqa: RUF012 - never changed

    def __init__(self, kind: str, folder: Path, levels: int | None) -> None:
        self._model: Any = _network(self.CLASSES[kind], kind, folder)
        config = self._model.config
        self.rate_hz = int(config.sampling_rate)
        if RATE_HZ % self.rate_hz:
            raise BadConfig(why=f"{kind} in {folder} wants {self.rate_hz} Hz, which is no part of {RATE_HZ}")
        if getattr(config, "audio_channels", 1) != 1:
            raise BadConfig(why=f"{kind} in {folder} wants stereo, and masters are mono")
        self.frames_per_s = float(config.frame_rate)
        most = int(config.num_quantizers)
        self.levels = levels or most
        if self.levels > most:
            raise BadConfig(why=f"{kind} in {folder} has {most} levels, not {self.levels}")
        self.vocabulary = int(config.codebook_size)
        self.name = f"{kind}-{self.levels}@{folder.name}"
        self.why = "the codes of a codec that was named, in pieces of 12 s; it makes sound of them again"
        self.context = (PAST_S * RATE_HZ, MARGIN)
        self._down = RATE_HZ // self.rate_hz

    def encode(self, blocks: Iterable[Block]) -> Iterator[Codes]:
        import torch

        for block in blocks:
            sound = _resampled(block.sound, self._down)
            before = block.before // self._down
            count = -(-block.samples * self.frames_per_s // RATE_HZ)  # frames of the block itself
            heard = sound[: before + -(-block.samples // self._down)]
            with _alone(torch), torch.inference_mode():
                codes = self._codes(torch.from_numpy(heard)[None, None])
            first = round(before / self.rate_hz * self.frames_per_s)
            yield codes[first : first + int(count)]

    def _codes(self, sound: Any) -> Codes:
        config = self._model.config
        if config.model_type == "mimi":
            found = self._model.encode(sound, num_quantizers=self.levels).audio_codes[0]
        else:
            # The bandwidths that it was trained for, cheap to dear: the first that has the levels.
            steps = sorted(config.target_bandwidths)
            enough = [step for step in steps if self._stages(step) >= self.levels] or steps[-1:]
            answer = self._model.encode(sound, bandwidth=enough[0])
            found = answer.audio_codes[0, 0]  # one piece: the mono models do not cut
        return np.asarray(found[: self.levels].T.numpy(), np.int64)

    def _stages(self, bandwidth: float) -> int:
        return int(self._model.quantizer.get_num_quantizers_for_bandwidth(bandwidth))

    def decode(self, codes: Codes) -> Floats:
        import torch

        given = torch.from_numpy(np.ascontiguousarray(codes.T, np.int64))
        with _alone(torch), torch.inference_mode():
            if self._model.config.model_type == "mimi":
                sound = self._model.decode(given[None]).audio_values
            else:
                sound = self._model.decode(given[None, None], [None]).audio_values
        return np.asarray(sound.reshape(-1).numpy(), np.float32)


def _network(wanted: str, kind: str, folder: Path) -> Any:
    if not folder.is_dir():
        raise BadConfig(why=f"{kind}: there is no folder {folder}; nothing is downloaded")
    try:
        import torch  # noqa: F401 - transformers offers its models without it, and fails later
        import transformers
    except ImportError:
        raise BadConfig(why=f"{kind} needs packages that are missing: pip install 'chasqui[neural]'") from None
    bars: Any = transformers.utils.logging
    bars.disable_progress_bar()  # run/progress.py alone draws
    try:
        config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
        if config.model_type != kind:
            raise BadConfig(why=f"{folder} holds {config.model_type}, not {kind}")
        made = getattr(transformers, wanted)
        model = made.from_pretrained(folder, local_files_only=True, use_safetensors=True)
    except (OSError, ValueError, KeyError) as error:
        raise BadConfig(why=f"{kind}: there is no such codec in {folder}") from error
    return model.eval()


@contextmanager
def _alone(torch: Any) -> Iterator[None]:
    """One thread: the codes must not depend on how many there are, and workers run side by side."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@cache
def _down(factor: int) -> Resampler:
    return (
        third()
        if factor == 3
        else Resampler(1, factor, tuple(lowpass(20 * factor + 1, 1 / factor, kaiser=5.0).tolist()))
    )


def _resampled(sound: Floats, factor: int) -> Floats:
    return sound if factor == 1 else _down(factor)(sound)


def _at(block: Block, resampler: Resampler, factor: int) -> Floats:
    """The block alone at a lower rate, its neighbours heard at the edges."""
    first = block.before // factor
    return resampler(block.sound)[first : first + -(-block.samples // factor)]
