"""Celery's consumer without its 28 queues for delayed tasks (what is due later waits in our outbox), and with a place
for dead letters. Found by its name, in the setting `worker_consumer`.
"""

from __future__ import annotations

import warnings
from typing import Any

from celery import bootsteps
from celery.exceptions import CPendingDeprecationWarning
from celery.worker import consumer
from celery.worker.consumer.connection import Connection

from chasqui.run.queue import dead


class Dead(bootsteps.StartStopStep):  # type: ignore[misc]
    """Declares the queue of dead letters whenever the worker has connected."""

    requires = (Connection,)

    def start(self, worker: Any) -> None:
        if worker.connection.transport.driver_type == "amqp":
            with worker.connection.channel() as channel:
                dead.declare(channel)


class Consumer(consumer.Consumer):  # type: ignore[misc]
    """What a worker listens with."""

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Work goes on while the broker is away, although its message will come again: the catalog bears that."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CPendingDeprecationWarning)  # that Celery 6 will cancel it by default
            super().on_connection_error_after_connected(exc)

    class Blueprint(consumer.Consumer.Blueprint):  # type: ignore[misc]
        default_steps = (
            *(step for step in consumer.Consumer.Blueprint.default_steps if not step.endswith(":DelayedDelivery")),
            "chasqui.run.queue.consumer:Dead",
        )
