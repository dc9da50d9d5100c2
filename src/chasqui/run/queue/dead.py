"""Dead letters: tasks that were delivered too often, because workers died before they could take the job. RabbitMQ puts
them into a queue of their own, the embedded queue marks them. Whoever reads them asks the catalog what to do.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from chasqui.run.queue.messages import Messages
from chasqui.run.queue.transport import path_of

if TYPE_CHECKING:
    from celery import Celery
    from kombu import Queue

#: RabbitMQ's exchange for them and the queue behind it.
EXCHANGE = QUEUE = "chasqui.dead"
WAIT_S = 10.0


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
                yield _told(message.payload)
                message.ack()


def _in_file(broker: str) -> Iterator[tuple[str, str]]:
    from kombu.utils.json import loads

    queue = Messages(path_of(broker.partition("+")[2]), "postman")
    try:
        for number, _, body in queue.dead():
            yield _told(loads(b64decode(loads(body)["body"])))
            queue.forget(number)
    finally:
        queue.close()


def _told(payload: Any) -> tuple[str, str]:
    """Celery's body of a task is (args, kwargs, options)."""
    task = payload[1]
    return str(task["job"]), str(task["stage"])
