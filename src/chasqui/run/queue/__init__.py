"""Work handed from one process to others: RabbitMQ by URL, or a file on this machine that loses nothing either.

| file | what |
|---|---|
| `messages.py` | the file: messages, who holds them, until when |
| `transport.py` | the same as a transport of kombu, so that Celery works with it as with any broker |
"""

from __future__ import annotations

#: The scheme of the embedded queue: `chasqui+sqlite:////var/lib/chasqui/queue.db`.
SCHEME = "chasqui"
TRANSPORT = "chasqui.run.queue.transport:Transport"


def register() -> None:
    """Make the scheme known to kombu."""
    from kombu.transport import TRANSPORT_ALIASES

    TRANSPORT_ALIASES[SCHEME] = TRANSPORT
