"""Celery: wake-ups and the clock's beat. Losing its broker loses nothing but a little time.

Every task is idempotent and takes no argument, so a message that is lost, doubled or late changes
nothing. Each task has a queue of its own that keeps a few messages: a long projection holds up no
sequencing, and a broker without workers does not fill. No message expires: machines whose clocks
differ would throw each other's wake-ups away.
"""

from pathlib import Path

from celery import Celery
from kombu.entity import Exchange, Queue
from kombu.exceptions import OperationalError
from kombu.transport import TRANSPORT_ALIASES

from bridge.settings import Settings
from bridge.telemetry import configure_logs

__all__ = ["QUIET", "TASKS", "broker_errors", "configured", "queue_of", "run_beat"]

QUIET = ("--loglevel=WARNING",)

TASKS = ("project", "sequence", "anchor", "watch", "mark", "stamp", "answer")
"""What workers do; `workers.tasks` says how."""
CONNECT_S = 2
"""For a connection to the broker."""
KEPT = 16
"""Wake-ups that RabbitMQ keeps of one task; see `workers.redisqueue`."""
LONGEST_TASK_S = 300
"""A task gives way after a second and waits for nothing that long: it hangs. Its process is ended,
PostgreSQL lets its locks go, and the next beat starts over."""
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
    if not url.startswith("redis"):
        return {"broker_url": url, "broker_connection_timeout": CONNECT_S}
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = "workers.redisqueue:Transport"
    options = {"socket_timeout": 5, "socket_connect_timeout": CONNECT_S}
    return {"broker_url": url, "broker_transport_options": options}


def queue_of(task: str) -> str:
    """The queue of one task; the prefix keeps it apart from others on the same broker."""
    return f"fhir-anchor.{task}"


def _queue(task: str) -> Queue:
    name = queue_of(task)
    kept = {"x-max-length": KEPT}
    return Queue(name, Exchange("fhir-anchor"), routing_key=name, queue_arguments=kept)


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
    return {name: {"task": name, "schedule": seconds} for name, seconds in every.items()}


def configured(settings: Settings) -> Celery:
    """The Celery app of a node."""
    celery = Celery("fhir-anchor")
    transport = _network(settings.queue.url) if settings.queue.url else _folder(settings.data)
    celery.conf.update(
        transport,
        beat_schedule=_beat(settings),
        beat_scheduler="workers.beating:Steady",
        broker_connection_max_retries=None,  # for ever
        broker_connection_retry_on_startup=True,
        enable_utc=True,
        result_backend=None,
        task_acks_late=False,
        task_default_delivery_mode="transient",
        task_ignore_result=True,
        task_queues=[_queue(task) for task in TASKS],
        task_routes={task: {"queue": queue_of(task)} for task in TASKS},
        task_store_errors_even_if_ignored=False,
        task_time_limit=LONGEST_TASK_S,
        worker_enable_prefetch_count_reduction=False,
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        worker_prefetch_multiplier=1,
        worker_redirect_stdouts=False,
        worker_send_task_events=False,
    )
    return celery


def broker_errors(celery: Celery) -> tuple[type[Exception], ...]:
    """What a broker raises that is down, or up and refuses us: a wrong password, no such vhost."""
    with celery.connection_for_write() as connection:  # lazy: nothing is asked of the broker
        return (
            OperationalError,
            OSError,
            *connection.connection_errors,
            *connection.channel_errors,
        )


def run_beat(settings: Settings) -> None:
    """Celery beat of this node, until SIGTERM."""
    configure_logs("beat")
    configured(settings).start(["beat", *QUIET])
