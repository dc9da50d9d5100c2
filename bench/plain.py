"""One bare libopus encode, the yardstick for speed: decode, resample, encode (16 kb/s, complexity 10), one thread.

python bench/plain.py SOURCE TARGET.opus
"""

from __future__ import annotations

import sys
from typing import Any

import av

PACKET_SAMPLES = 2880  # 60 ms at 48 kHz


def encode(source: str, target: str) -> None:
    """`target` becomes an Ogg Opus file of `source`."""
    with av.open(source) as container, av.open(target, "w", format="ogg") as out:
        container.streams.audio[0].codec_context.thread_count = 1
        stream: Any = out.add_stream("libopus", rate=48_000)
        stream.layout, stream.bit_rate = "mono", 16_000
        stream.options = {"application": "voip", "frame_duration": "60", "compression_level": "10"}
        stream.codec_context.thread_count = 1
        resampler = av.AudioResampler(format="s16", layout="mono", rate=48_000)
        for frame in container.decode(audio=0):
            for ready in resampler.resample(frame):
                out.mux(stream.encode(ready))
        for ready in resampler.resample(None):
            out.mux(stream.encode(ready))
        out.mux(stream.encode(None))


if __name__ == "__main__":
    encode(*sys.argv[1:])
