"""Celery: wake-ups and the clock's beat. Losing its broker loses nothing but a little time.

Every task is idempotent and takes no argument, so a message that is lost, doubled or late changes
nothing; messages expire before the next beat, so a broker that was down does not flood a worker.
"""

from pathlib import Path

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

from bridge.settings import Settings

__all__ = ["QUIET", "configured", "run_beat"]

QUIET = ("--loglevel=WARNING",)

STAMP_S = 60.0
"""How often open promises are asked about: Bitcoin has a block every ten minutes."""


def _folder(data: Path) -> dict[str, object]:
    """One folder that is both ends of the queue; see `bridge.embedded.folderqueue`."""
    folder = data / "queue"
    folder.mkdir(parents=True, exist_ok=True)
    TRANSPORT_ALIASES["folder"] = "bridge.embedded.folderqueue:Transport"
    return {
        "broker_url": "folder://",
        "broker_transport_options": {"folder": str(folder), "polling_interval": 0.1},
    }


def _network(url: str) -> dict[str, object]:
    """Redis or RabbitMQ; short socket timeouts: a broker that is down is found out soon."""
    options = {"socket_timeout": 5, "socket_connect_timeout": 2} if url.startswith("redis") else {}
    return {"broker_url": url, "broker_transport_options": options}


def _beat(settings: Settings) -> dict[str, object]:
    every = {
        "project": 1.0,
        "mark": min(settings.log.mark_s, STAMP_S),
        "sequence": settings.log.max_age_s,
        "anchor": max(settings.anchor.every_s, 0.5),
        "watch": settings.anchor.watch_s,
    }
    legs = (settings.opentimestamps, settings.rfc3161)
    if settings.opentimestamps.calendars or settings.rfc3161.url:
        every["stamp"] = min(STAMP_S, *(leg.every_s for leg in legs))
    if any(one.application_ack_to for one in settings.mllp.listeners):
        every["answer"] = 1.0
    return {
        name: {"task": name, "schedule": seconds, "options": {"expires": max(seconds, 1.0)}}
        for name, seconds in every.items()
    }


def configured(settings: Settings) -> Celery:
    """The Celery app of a node."""
    celery = Celery("fhir-anchor")
    transport = _network(settings.queue.url) if settings.queue.url else _folder(settings.data)
    celery.conf.update(
        transport,
        beat_schedule=_beat(settings),
        beat_schedule_filename=str(settings.data / "beat-schedule"),
        broker_connection_retry_on_startup=True,
        enable_utc=True,
        result_backend=None,
        task_acks_late=False,
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        worker_prefetch_multiplier=1,
        worker_send_task_events=False,
    )
    return celery


def run_beat(settings: Settings) -> None:
    """Celery beat of this node, until SIGTERM."""
    configured(settings).start(["beat", *QUIET])
