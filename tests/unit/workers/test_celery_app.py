"""Celery's configuration: which broker, and messages that may be lost."""

from pathlib import Path

from bridge.settings import load
from workers.celery_app import TASKS, configured
from workers.tasks import TASKS as BODIES


def test_without_url_the_broker_is_a_folder_of_the_node(tmp_path: Path) -> None:
    """A person with nothing installed has a queue."""
    celery = configured(load(environment={}, overrides={"data": tmp_path}))

    assert celery.conf.broker_url == "folder://"
    assert (tmp_path / "queue").is_dir()


def test_a_url_names_the_broker(tmp_path: Path) -> None:
    """Redis in production, with socket timeouts so that an outage is found out soon."""
    overrides = {"data": tmp_path, "queue.url": "redis://127.0.0.1:6379/3"}

    celery = configured(load(environment={}, overrides=overrides))

    assert celery.conf.broker_url == "redis://127.0.0.1:6379/3"
    assert celery.conf.broker_transport_options["socket_connect_timeout"] <= 5


def test_beat_wakes_every_task_and_no_wake_up_expires(tmp_path: Path) -> None:
    """A worker whose clock runs ahead of beat's would throw every message of it away."""
    optional = {"rfc3161.url": "http://tsa", "mllp.application_ack_to": "ris.example:2600"}
    celery = configured(load(environment={}, overrides={"data": tmp_path, **optional}))

    schedule = celery.conf.beat_schedule
    assert {row["task"] for row in schedule.values()} == set(TASKS) == set(BODIES)
    assert all("options" not in row for row in schedule.values())


def test_each_task_has_a_short_queue_of_its_own(tmp_path: Path) -> None:
    """A burst of projections stands before no checkpoint, and no worker means no flood."""
    celery = configured(load(environment={}, overrides={"data": tmp_path}))

    queues = {queue.name: queue.queue_arguments for queue in celery.conf.task_queues}
    routes = {task: route["queue"] for task, route in celery.conf.task_routes.items()}
    assert sorted(routes.values()) == sorted(queues)
    assert set(routes) == set(TASKS)
    assert all(0 < kept["x-max-length"] <= 100 for kept in queues.values())


def test_no_task_keeps_a_result(tmp_path: Path) -> None:
    """The database is the truth; nothing is read back from the broker."""
    celery = configured(load(environment={}, overrides={"data": tmp_path}))

    assert celery.conf.task_ignore_result
    assert celery.conf.result_backend is None
