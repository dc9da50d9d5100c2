"""A link that is cut: a proxy in front of a server, whose connections end after as many bytes as somebody says.

Used by tests and by `bench/load.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread
from urllib.parse import urlsplit

BLOCK = 1 << 14


class Cuts:
    """`url` leads to `to`. Each connection asks `allowed()` how many bytes, sent and answered together, it may carry;
    None is as many as it likes. `up` counts bytes on the way to the server, `broken` the connections that were cut.

    `rate` is how many bytes a second each of them carries; None is as fast as they come.

    The client's end is reset. The server's end is, too, if the cut is `hard`: then it loses what it has not read yet.
    """

    def __init__(
        self, to: str, allowed: Callable[[], int | None], hard: bool = False, rate: float | None = None
    ) -> None:
        self.hard, self.rate = hard, rate
        self.to = to
        self.allowed = allowed
        self.up = self.broken = 0
        self._loop = asyncio.new_event_loop()
        ready = Event()
        self._thread = Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        ready.wait()
        self.url = f"http://127.0.0.1:{self._port}"

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    def _run(self, ready: Event) -> None:
        self._loop.run_until_complete(self._serve(ready))
        self._loop.close()

    async def _serve(self, ready: Event) -> None:
        self._over = asyncio.Event()
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, backlog=512)
        self._port = server.sockets[0].getsockname()[1]
        ready.set()
        await self._over.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0)

    async def _connected(self, near: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        to, left = urlsplit(self.to), [self.allowed()]
        try:
            far, far_out = await asyncio.open_connection(to.hostname, to.port)
        except OSError:
            near_out.transport.abort()
            return
        ways = [
            asyncio.ensure_future(self._carry(near, far_out, left, up=True)),
            asyncio.ensure_future(self._carry(far, near_out, left, up=False)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            cut = left[0] is not None and left[0] <= 0
            for end, harsh in ((near_out, cut), (far_out, cut and self.hard)):
                end.transport.abort() if harsh else end.close()

    async def _carry(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, left: list[int | None], up: bool
    ) -> None:
        with suppress(OSError):
            while block := await source.read(BLOCK):
                if left[0] is not None:
                    block, left[0] = block[: left[0]], left[0] - len(block)
                sink.write(block)
                await sink.drain()
                if self.rate is not None:
                    await asyncio.sleep(len(block) / self.rate)
                self.up += len(block) * up
                if left[0] is not None and left[0] <= 0:
                    self.broken += 1
                    return
