"""The treatments that somebody has to ask for, and where in the pass they stand. None of them is imported otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from chasqui.clean.step import RATE_HZ, Samples, Step
from chasqui.records import Treatment
from chasqui.records.cuts import Cuts

if TYPE_CHECKING:
    from chasqui.clean import Options
    from chasqui.clean.silence import Silence
    from chasqui.clean.trim import Trim


class Near:
    """The recording as blocks [channels, n]; with an echo to cancel, the near channel alone, less the far end in it."""

    def __init__(self, options: Options) -> None:
        self._echo: Step | None = None
        self._channels = 0
        self._reference = options.echo
        if options.echo != "off":
            from chasqui.clean.echo import Echo

            self._echo = Echo(("left", "right").index(options.echo))

    def blocks(self, source: Iterator[npt.NDArray[np.float32]]) -> Iterator[npt.NDArray[np.float32]]:
        if self._echo is None:
            yield from source
            return
        for block in source:
            self._channels = block.shape[0]
            if self._channels == 1:
                yield block
            else:
                yield from (left[None] for left in self._echo.process(block))
        yield from (left[None] for left in self._echo.flush())

    def treatments(self) -> list[Treatment]:
        if self._echo is None:
            return []
        if self._channels == 1:
            return [Treatment(name="echo", applied=False, why="one channel only: there is no far end to compare with")]
        return self._echo.treatments()


def first(options: Options) -> list[Step]:
    """Before the high-pass, which takes away what tells wind and pops."""
    if not (options.depop or options.dewind):
        return []
    from chasqui.clean.low import Air

    return [Air(options.depop, options.dewind)]


def before_noise(options: Options) -> list[Step]:
    """The room, while it still is as linear as it came: RNNoise bends what prediction lives on."""
    if not options.dereverb:
        return []
    from chasqui.clean.room import Dereverb

    return [Dereverb()]


def behind_noise(options: Options) -> list[Step]:
    """Sibilants, once the noise in their band is gone."""
    if options.denoise == "afftdn":
        from chasqui.clean.spectral import Afftdn

        steps: list[Step] = [Afftdn()]
    else:
        steps = []
    if options.deess:
        from chasqui.clean.sibilants import Deess

        steps.append(Deess())
    return steps


class End:
    """What comes behind levelling: compression, and the two that cut."""

    def __init__(self, options: Options) -> None:
        self.steps: list[Step] = []
        self._silence: Silence | None = None
        self._trim: Trim | None = None
        if options.compress:
            from chasqui.clean.dynamics import Compress

            self.steps.append(Compress())
        if options.silence_max_s is not None:
            from chasqui.clean.silence import Silence

            self.steps.append(silence := Silence(options.silence_max_s))
            self._silence = silence
        if options.trim_silence:
            from chasqui.clean.trim import Trim

            self.steps.append(trim := Trim())
            self._trim = trim

    def span(self, samples: int) -> tuple[int, int]:
        """Which of the samples that were written are kept. Asked once all has been written."""
        return (0, samples) if self._trim is None else self._trim.span()

    def cuts(self, samples: int) -> Cuts | None:
        """What of the recording is kept; None: everything. `samples` were written, before the ends were cut."""
        start, stop = self.span(samples)
        kept = Cuts(rate_hz=RATE_HZ, kept=((0, samples),)) if self._silence is None else self._silence.cuts()
        kept = kept.within(start, stop)
        return None if len(kept.kept) == 1 and kept.kept[0] == (0, samples) else kept


def between(source: Iterator[Samples], start: int, stop: int) -> Iterator[Samples]:
    """Samples `start` to `stop` of a stream."""
    at = 0
    for block in source:
        part = block[max(start - at, 0) : max(stop - at, 0)]
        at += block.size
        if part.size:
            yield part
        if at >= stop:
            return
