"""FFmpeg's filters on a stream of mono float32, through PyAV."""

from __future__ import annotations

from collections.abc import Iterator

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.filter import Graph

Samples = npt.NDArray[np.float32]

RATE_HZ = 48_000


class Filter:
    """One filter by FFmpeg's name and options, as `Filter("afftdn", "nr=12")`. Blocks in, blocks out, then `flush`."""

    def __init__(self, name: str, options: str) -> None:
        self._graph = Graph()
        source = self._graph.add_abuffer(sample_rate=RATE_HZ, format="fltp", layout="mono")
        filtered = self._graph.add(name, options)
        sink = self._graph.add("abuffersink")
        source.link_to(filtered)
        filtered.link_to(sink)
        self._graph.configure()
        self._samples = 0

    def process(self, block: Samples) -> Iterator[Samples]:
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(block[None]), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = RATE_HZ, self._samples
        self._samples += block.size
        self._graph.push(frame)
        yield from self._pull()

    def flush(self) -> Iterator[Samples]:
        self._graph.push(None)
        yield from self._pull()

    def _pull(self) -> Iterator[Samples]:
        while True:
            try:
                frame = self._graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return
            if isinstance(frame, AudioFrame):
                yield frame.to_ndarray()[0]
