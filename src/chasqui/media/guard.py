"""Opening media so that nothing nested is ever followed and nothing hangs.

A file that somebody handed in is hostile until proved otherwise: playlists and manifests name other files and
addresses, QuickTime may keep its sound elsewhere, headers promise days of sound. So there are four locks:

1. FFmpeg never sees a name or an address: it reads through a Python object that reads one regular file.
2. `format_whitelist`: only containers that carry sound themselves. HLS, DASH, concat, SDP, images, text are not on it.
3. `protocol_whitelist`: names no protocol at all.
4. `io_open`: every attempt to open something else comes to us, is noted, and refused.

Video decoders are not on the codec whitelist: a cover picture of 30,000 × 30,000 pixels is never unpacked.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import av
from av.container import InputContainer

from chasqui.errors import TooSlow, Unreadable

#: Seconds of work without progress before we give up. An ordinary file opens in 0.1 s; the promise is 20 s in all.
LIMIT_S = 15.0

#: Progress that earns more time: decoded sound (we decode 300–3,000 × real time; 10 × is a machine on its knees) …
SLOWEST_DECODE = 10.0
#: … and bytes seen for the first time (a slow USB stick gives 10 MB/s).
SLOWEST_READ_BPS = 5e6

#: Containers that carry sound themselves, by FFmpeg's names. Left out on purpose: everything that points elsewhere
#: (hls, dash, concat, sdp, rtp, imf, webm_dash_manifest), pictures, subtitles, text, raw samples without a header.
CONTAINERS = (
    "3g2,3gp,aa,aac,ac3,ac4,aiff,amr,amrnb,amrwb,ape,asf,ast,au,avi,caf,dsf,dss,dts,dtshd,dv,eac3,flac,flv,gsm,iamf,iff,"
    "kux,live_flv,loas,m4a,matroska,mj2,mlp,mov,mp3,mp4,mpc,mpc8,mpeg,mpegts,mxf,nistsphere,nsv,nut,ogg,oma,osq,qcp,rm,"
    "rka,shn,siff,sln,smjpeg,sox,tak,truehd,tta,voc,vqf,w64,wav,webm,wsd,wtv,wv,wve,xwma"
)

#: No protocol has this name.
PROTOCOLS = "none"

#: Bytes per read. Interleaved video makes FFmpeg jump, so bigger reads would mostly be thrown away.
BUFFER_BYTES = 1 << 16


class Clock:
    """Time spent on one file, against a limit that grows with progress only. Time the consumer takes does not count."""

    def __init__(self, name: str, limit_s: float = LIMIT_S) -> None:
        self.name, self.limit_s = name, limit_s
        self.started = time.monotonic()
        self.decoded_s = 0.0
        self.read_bytes = 0

    @property
    def expired(self) -> bool:
        allowed = self.limit_s + self.decoded_s / SLOWEST_DECODE + self.read_bytes / SLOWEST_READ_BPS
        return time.monotonic() - self.started > allowed

    def check(self) -> None:
        """Raises: TooSlow: the time is up."""
        if self.expired:
            raise TooSlow(name=self.name, limit_s=self.limit_s)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Time in here belongs to somebody else (the consumer of a generator)."""
        left = time.monotonic()
        try:
            yield
        finally:
            self.started += time.monotonic() - left


class GuardedFile:
    """The only thing FFmpeg sees: one regular file, read-only, without a name.

    Never raises: PyAV prints what is raised below C code that asks twice. It ends the file, and `check` raises later.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self.clock = clock
        self.asked_for: list[str] = []  # what the file wanted opened; never was
        self.failure: OSError | None = None
        self._furthest = 0
        self._file = open_regular(path, clock.name)
        self.bytes = os.fstat(self._file.fileno()).st_size

    def read(self, size: int) -> bytes:
        if self.clock.expired or self.failure:
            return b""
        try:
            data = self._file.read(size)
        except OSError as error:  # the disk, the network drive or the stick failed; not the recording
            self.failure = error
            return b""
        self._furthest = max(self._furthest, self._file.tell())
        self.clock.read_bytes = self._furthest
        return data

    def seek(self, offset: int, whence: int) -> int:
        # `whence` may carry AVSEEK_FORCE; broken headers ask for places before the beginning and beyond 2^63.
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._file.tell(), os.SEEK_END: self.bytes}[whence & 3]
        if not 0 <= base + offset <= self.bytes:
            return -errno.EINVAL
        return self._file.seek(base + offset)

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._file.close()

    def refuse(self, url: str, flags: int, options: dict[str, str]) -> Any:
        """FFmpeg's `io_open`: notes what was wanted, opens nothing."""
        self.asked_for.append(url[:200])
        raise PermissionError(errno.EPERM, "Chasqui follows no references")

    def check(self) -> None:
        """Raises: TooSlow, Unreadable: what `read` could not raise."""
        if self.failure:
            raise Unreadable(name=self.clock.name, why=self.failure.strerror or str(self.failure))
        self.clock.check()


def open_regular(path: Path, name: str) -> BinaryIO:
    """A regular file, opened for reading. A pipe or device never blocks us: it is opened without waiting, and refused.

    Raises:
        Unreadable: vanished, no permission, not a regular file.
    """
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise Unreadable(name=name, why=_in_words(error)) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise Unreadable(name=name, why="it is not a regular file")
    return os.fdopen(handle, "rb", buffering=0)


def _in_words(error: OSError) -> str:
    known = {
        errno.ENOENT: "there is no such file (moved, renamed or deleted?)",
        errno.EACCES: "permission is missing",
        errno.EPERM: "permission is missing",
        errno.EISDIR: "it is a folder",
        errno.ENXIO: "it is not a regular file",
    }
    return known.get(error.errno or 0, error.strerror or str(error))


@contextmanager
def opened(path: Path, name: str, limit_s: float = LIMIT_S) -> Iterator[tuple[InputContainer, GuardedFile]]:
    """The container of one file, behind all four locks.

    Raises:
        Unreadable, TooSlow
        av.FFmpegError, OSError: FFmpeg does not know the content, or the header is broken.
    """
    guard = GuardedFile(path, Clock(name, limit_s))
    try:
        try:
            container = av.open(
                guard,
                "r",
                options={
                    "format_whitelist": CONTAINERS,
                    "protocol_whitelist": PROTOCOLS,
                    "codec_whitelist": audio_decoders(),
                    "max_streams": "256",  # a lecture has 2–10; each costs memory before anything is decoded
                },
                metadata_errors="replace",
                buffer_size=BUFFER_BYTES,
                timeout=limit_s,
                io_open=guard.refuse,
            )
        finally:
            guard.check()
        with container:
            yield container, guard
    finally:
        guard.close()


@cache
def audio_decoders() -> str:
    """Names of all audio decoders in this FFmpeg, comma-separated: the only ones that may be opened."""
    names = []
    for name in sorted(av.codecs_available):
        try:
            if av.Codec(name, "r").type == "audio":
                names.append(name)
        except ValueError:  # an encoder only
            continue
    return ",".join(names)
