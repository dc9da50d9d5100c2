"""`chasqui serve` and `chasqui worker`: the service on this machine, and more hands for it on any other. `chasqui
service`: how it is, and the first operator, for whoever has a terminal on it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from chasqui.catalog import Catalog
    from chasqui.run.service import Service

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


@click.command()
@click.option("--data", type=click.Path(path_type=Path, file_okay=False))
@click.option("--metrics", is_flag=True)
@click.option("--operator", is_flag=True)
def service(data: Path | None, metrics: bool, operator: bool) -> int:
    from chasqui.run.service import read_service

    found = read_service(data=data)
    _installed()
    catalog = _there(found)
    try:
        click.echo(_link(found, catalog) if operator else _seen(found, catalog, metrics))
    finally:
        catalog.close()
    return 0


def _there(service: Service) -> Catalog:
    """The catalog of a service that was begun once: looking makes none.

    Raises:
        BadConfig: there is none.
    """
    from chasqui.errors import BadConfig

    if not service.database_url and not (service.data / "catalog.db").exists():
        raise BadConfig(why=f"there is no service in {service.data}; give its --data or CHASQUI_DATABASE_URL")
    return service.catalog()


def _seen(service: Service, catalog: Catalog, metrics: bool) -> str:
    from chasqui.run.overview import overview
    from chasqui.run.parts import Parts, parts_of
    from chasqui.web.metrics import text

    parts = Parts(parts_of(service, catalog, service.stores().root))
    try:
        seen = overview(service, catalog, parts)
    finally:
        parts.close()
    return text(seen).rstrip("\n") if metrics else json.dumps(seen, indent=1, ensure_ascii=False)


def _link(service: Service, catalog: Catalog) -> str:
    """Whoever has a terminal and the addresses is an operator; this makes an account of it."""
    from chasqui.catalog import accounts
    from chasqui.words import say

    link = accounts.invite(catalog, None, "operator")
    url = f"{service.public_url.rstrip('/') or 'http://localhost:8000'}/invitation#{link}"
    return say("web.operator link", os.environ.get("CHASQUI_LANG", "es"), url=url)


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
