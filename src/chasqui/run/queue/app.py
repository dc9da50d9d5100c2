"""Celery as we use it: the same tasks on RabbitMQ and on the embedded queue. The catalog is the truth about jobs, so
there is no result backend, and a message that comes twice or late does no harm.
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from chasqui.errors import CatalogAway, CatalogNewer, NotInstalled
from chasqui.run.queue import register
from chasqui.run.queue.beat import Ending
from chasqui.run.queue.dead import EXCHANGE
from chasqui.run.queue.messages import DELIVERY_LIMIT

if TYPE_CHECKING:
    from celery import Celery
    from kombu import Queue

    from chasqui.run.queue.work import Worker
    from chasqui.run.service import Service

log = logging.getLogger("chasqui.queue")

#: Name of the one task. Which stage it is stands in the message: two strings.
TASK = "chasqui.stage"
#: A broker that took a letter says so at once; one that does not in this time has not taken it.
CONFIRM_S = 10.0
#: A connection that was lost since it was last used is opened again; a broker that is away is the outbox's to wait for.
ONCE = {"max_retries": 1, "interval_start": 0.0, "interval_step": 0.0}


def make_app(service: Service, queues: Iterable[str] = ()) -> Celery:
    """The app on the service's broker. `queues`: those that a worker made of it takes from.

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
    embedded = {"delivery_limit": DELIVERY_LIMIT, "lease_s": service.lease_s}
    app.conf.update(
        task_queues=[_queue(name, rabbit) for name in QUEUES],
        task_default_queue=QUEUES[0],
        task_default_exchange=QUEUES[0],
        task_default_routing_key=QUEUES[0],
        task_ignore_result=True,
        task_acks_late=True,  # a worker that dies leaves its message
        task_reject_on_worker_lost=True,
        task_acks_on_failure_or_timeout=False,  # what could not be noted is no end: it comes back by way of the dead
        worker_prefetch_multiplier=1,  # minutes of work each: nobody hoards
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        worker_consumer="chasqui.run.queue.consumer:Consumer",
        broker_connection_retry_on_startup=True,
        worker_cancel_long_running_tasks_on_connection_loss=False,  # they go on; see the consumer
        broker_connection_max_retries=None,  # whoever waits for a broker waits as long as it takes
        broker_transport_options={"confirm_publish": True} if rabbit else embedded,
    )
    _add_task(app, service, frozenset(queues))
    return app


def _queue(name: str, rabbit: bool) -> Queue:
    from kombu import Exchange, Queue

    arguments: dict[str, Any] = {}
    if rabbit:
        arguments = {
            "x-queue-type": "quorum",
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-dead-letter-exchange": EXCHANGE,
            "x-dead-letter-routing-key": name,
        }
    return Queue(name, Exchange(name, type="direct", durable=True), routing_key=name, queue_arguments=arguments)


def _add_task(app: Celery, service: Service, queues: frozenset[str]) -> None:
    from celery.exceptions import Reject
    from celery.signals import worker_shutting_down

    from chasqui.run.queue.work import patiently

    opened: list[Worker] = []
    ending, family = Ending(), secrets.token_hex(4)
    worker_shutting_down.connect(lambda **_: ending.tell(), weak=False)

    @app.task(name=TASK)  # type: ignore[untyped-decorator]
    def stage(job: str, stage: str) -> None:
        if ending():
            raise Reject("this worker ends", requeue=True)
        try:
            if not opened:  # once per process, after the fork: connections do not survive one
                opened.append(patiently(lambda: open_worker(service, queues, ending, family), ending))
            opened[0].perform(job, stage)
        except CatalogAway as error:
            raise Reject(str(error), requeue=True) from error
        except CatalogNewer as error:  # a server was updated and this worker was not: others shall have the work
            log.error("%s", error)
            os.kill(os.getppid(), signal.SIGTERM)
            raise Reject(str(error), requeue=True) from error


def open_worker(service: Service, queues: frozenset[str], ending: Ending, family: str) -> Worker:
    """What performs, in this process. `family`: the same for all processes of one worker, and for no others."""
    from chasqui.run.queue.work import Worker

    return Worker(
        name=f"{socket.gethostname()}:{os.getpid()}:{family}",
        catalog=service.catalog(migrate=False),
        stores=service.stores(),
        slice_s=service.slice_s,
        stuck_s=service.stuck_s,
        queues=queues,
        ending=ending,
        dead=lambda name: _dead(name, family),
    )


def _dead(name: str, family: str) -> bool:
    """Whether that worker is known to have died: a process like this one, of the same parent, that is not there."""
    _, _, rest = name.partition(":")
    pid, _, whose = rest.partition(":")
    if whose != family:
        return False
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, PermissionError):  # not there, or somebody else's by now
        return True
    return False


def send(app: Celery, queue: str, body: dict[str, Any]) -> None:
    """Put a letter's task into its queue; on return the broker has it."""
    task = {"job": body["job"], "stage": body["stage"]}
    app.send_task(TASK, kwargs=task, queue=queue, retry=True, retry_policy=ONCE, confirm_timeout=CONFIRM_S)
