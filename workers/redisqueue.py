"""Celery over Redis with short queues: a wake-up says "look", and a few that wait say it as well.

Redis keeps what no worker takes. A feed wakes the workers many times a second, so a day without
one would fill a server that others may share; here each queue keeps its newest wake-ups alone.
Source of the interface: https://docs.celeryq.dev/projects/kombu/en/stable/reference/kombu.transport.redis.html.
"""

from typing import Any

from kombu.transport import redis

__all__ = ["KEPT", "Channel", "Transport"]

KEPT = 16
"""Wake-ups of one queue: one would do, more let several workers start side by side."""


class Channel(redis.Channel):
    """Kombu's own, but for what a queue keeps."""

    def _put(self, queue: str, message: dict[str, Any], **options: object) -> None:
        """Add a wake-up and forget those that are too many, oldest first."""
        super()._put(queue, message, **options)  # type: ignore[no-untyped-call]  # kombu's
        with self.conn_or_acquire() as client:
            client.ltrim(queue, 0, KEPT - 1)


class Transport(redis.Transport):
    """The transport behind `redis://` and `rediss://`, read by a plain loop.

    In Celery's event loop a worker whose acknowledgement met a dead Redis reconnects and takes no
    message ever after (celery issues 8030, 8091, 10302).
    """

    Channel = Channel
    implements = redis.Transport.implements.extend(asynchronous=False)
