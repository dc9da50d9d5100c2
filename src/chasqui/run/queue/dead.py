"""Dead letters: tasks that were delivered too often, because workers died before they could take the job, or that a
worker could not even begin. RabbitMQ puts them into a queue of their own, the embedded queue marks them. Whoever reads
them asks the catalog what to do. What is no letter of ours is told and thrown away: all others wait behind it.
"""

from __future__ import annotations

import logging
from base64 import b64decode
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from chasqui.run.queue.messages import Messages
from chasqui.run.queue.transport import path_of

if TYPE_CHECKING:
    from celery import Celery
    from kombu import Queue

#: RabbitMQ's exchange for them and the queue behind it.
EXCHANGE = QUEUE = "chasqui.dead"
WAIT_S = 10.0

log = logging.getLogger("chasqui.queue")


def declare(channel: Any) -> None:
    """Make the place for them at RabbitMQ, which throws them away where there is none."""
    _queue()(channel).declare()


def letters(app: Celery, broker: str, embedded: bool) -> Iterator[tuple[str, str]]:
    """(job, stage) of each dead letter. One is forgotten when the next is asked for, so whoever fails gets it again."""
    yield from _in_file(broker) if embedded else _at_rabbit(app)


def _queue() -> Queue:
    from kombu import Exchange, Queue

    return Queue(QUEUE, Exchange(EXCHANGE, "fanout", durable=True), queue_arguments={"x-queue-type": "quorum"})


def _at_rabbit(app: Celery) -> Iterator[tuple[str, str]]:
    with app.pool.acquire(block=True, timeout=WAIT_S) as connection:
        connection.ensure_connection(max_retries=1, timeout=WAIT_S)  # it may have been lost since it was last used
        with connection.channel() as channel:
            declare(channel)
            queue = _queue()(channel)
            while (message := queue.get()) is not None:
                yield from _told(lambda message=message: message.payload)  # type: ignore[misc]
                message.ack()


def _in_file(broker: str) -> Iterator[tuple[str, str]]:
    from kombu.utils.json import loads

    queue = Messages(path_of(broker.partition("+")[2]), "postman")
    try:
        for number, _, body in queue.dead():
            yield from _told(lambda body=body: loads(b64decode(loads(body)["body"])))  # type: ignore[misc]
            queue.forget(number)
    finally:
        queue.close()


def _told(read: Callable[[], Any]) -> list[tuple[str, str]]:
    """Celery's body of a task is (args, kwargs, options)."""
    try:
        task = read()[1]
        return [(str(task["job"]), str(task["stage"]))]
    except Exception as error:  # noqa: BLE001 - whatever lies there, it must not lie in the way
        log.warning("a dead letter cannot be read and is thrown away: %s: %s", type(error).__name__, error)
        return []
