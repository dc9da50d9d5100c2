"""`chasqui serve` and `chasqui worker`: the service on this machine, and more hands for it on any other."""

from __future__ import annotations

import os
from pathlib import Path

import click

#: As many recordings at once as there are cores: each stage is one thread then.
PROCESSES = os.cpu_count() or 1


@click.command()
@click.option("--host", default="127.0.0.1")
@click.option("--port", default=8000, type=click.IntRange(0, 65535))
@click.option("--data", type=click.Path(path_type=Path, file_okay=False))
@click.option("--no-worker", is_flag=True)
@click.option("--only", metavar="PARTS")
def serve(host: str, port: int, data: Path | None, no_worker: bool, only: str | None) -> int:
    from chasqui.run.service import read_service

    service = read_service(data=data)
    _installed()
    from chasqui.web.app import BLUEPRINTS
    from chasqui.web.server import serve as start

    parts = [part.strip() for part in only.split(",") if part.strip()] if only else list(BLUEPRINTS)
    start(service, host, port, worker=not no_worker, only=parts)
    return 0


@click.command()
@click.option("--data", type=click.Path(path_type=Path, file_okay=False))
@click.option("--queues", default="voice,words,video")
@click.option("--processes", default=PROCESSES, type=click.IntRange(1, 256))
def worker(data: Path | None, queues: str, processes: int) -> int:
    from chasqui.run.service import read_service

    service = read_service(data=data)
    _installed()
    from chasqui.web.server import worker as start

    os.environ.setdefault("CHASQUI_THREADS", "1" if processes > 1 else "0")
    return start(service, [queue.strip() for queue in queues.split(",") if queue.strip()], processes)


def _installed() -> None:
    """Raises NotInstalled where the extra `serve` is not there."""
    from chasqui.errors import NotInstalled

    try:
        import celery  # noqa: F401
        import cheroot  # noqa: F401
        import flask_openapi3  # noqa: F401
        import sqlalchemy  # noqa: F401
    except ImportError as error:
        raise NotInstalled(what="chasqui serve", extra="serve", missing=error.name) from error
