"""Celery as we use it: the same tasks on RabbitMQ and on the embedded queue. The catalog is the truth about jobs, so
there is no result backend, and a message that comes twice or late does no harm.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any

from chasqui.errors import NotInstalled
from chasqui.run.queue import register
from chasqui.run.queue.messages import DELIVERY_LIMIT

if TYPE_CHECKING:
    from celery import Celery
    from kombu import Queue

    from chasqui.run.queue.work import Worker
    from chasqui.run.service import Service

#: Name of the one task. Which stage it is stands in the message: two strings.
TASK = "chasqui.stage"
#: Workers that are asked to end have this long to finish; what they hold goes back to the queue.
SOFT_END_S = 5.0


def make_app(service: Service) -> Celery:
    """The app on the service's broker.

    Raises:
        NotInstalled: the extra `serve` is not there.
    """
    try:
        from celery import Celery
    except ImportError as error:
        raise NotInstalled(what="workers", extra="serve", missing=error.name) from error
    from chasqui.run.service import QUEUES

    register()
    app = Celery("chasqui", broker=service.broker)
    rabbit = not service.embedded
    app.conf.update(
        task_queues=[_queue(name, rabbit) for name in QUEUES],
        task_default_queue=QUEUES[0],
        task_default_exchange=QUEUES[0],
        task_default_routing_key=QUEUES[0],
        task_ignore_result=True,
        task_acks_late=True,  # a worker that dies leaves its message
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,  # minutes of work each: nobody hoards
        worker_soft_shutdown_timeout=SOFT_END_S,
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_transport_options={"confirm_publish": True} if rabbit else {"delivery_limit": DELIVERY_LIMIT},
        broker_native_delayed_delivery_queue_type="quorum",
    )
    _add_task(app, service)
    return app


def _queue(name: str, rabbit: bool) -> Queue:
    from kombu import Exchange, Queue

    arguments: dict[str, Any] = {}
    if rabbit:
        arguments = {
            "x-queue-type": "quorum",
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-dead-letter-exchange": "chasqui.dead",
            "x-dead-letter-routing-key": name,
        }
    return Queue(name, Exchange(name, type="direct", durable=True), routing_key=name, queue_arguments=arguments)


def _add_task(app: Celery, service: Service) -> None:
    opened: list[Worker] = []

    @app.task(name=TASK)  # type: ignore[untyped-decorator]
    def stage(job: str, stage: str) -> None:
        if not opened:  # once per process, after the fork: connections do not survive one
            opened.append(open_worker(service))
        opened[0].perform(job, stage)


def open_worker(service: Service) -> Worker:
    """What performs, in this process."""
    from chasqui.run.queue.work import Worker

    name = f"{socket.gethostname()}:{os.getpid()}"
    return Worker(name, service.catalog(migrate=False), service.store(), slice_s=service.slice_s)


def send(app: Celery, queue: str, body: dict[str, Any]) -> None:
    """Put a letter's task into its queue; on return the broker has it."""
    app.send_task(TASK, kwargs={"job": body["job"], "stage": body["stage"]}, queue=queue, retry=False)
