"""Celery's configuration: which broker, and messages that may be lost."""

from pathlib import Path

from bridge.settings import load
from workers.celery_app import configured
from workers.tasks import TASKS


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


def test_beat_wakes_every_task_and_its_messages_expire(tmp_path: Path) -> None:
    """A broker that was down for a day does not deliver a day of wake-ups."""
    optional = {"rfc3161.url": "http://tsa", "mllp.application_ack_to": "ris.example:2600"}
    celery = configured(load(environment={}, overrides={"data": tmp_path, **optional}))

    schedule = celery.conf.beat_schedule
    assert {row["task"] for row in schedule.values()} == set(TASKS)
    assert all(row["options"]["expires"] <= 60 for row in schedule.values())


def test_no_task_keeps_a_result(tmp_path: Path) -> None:
    """The database is the truth; nothing is read back from the broker."""
    celery = configured(load(environment={}, overrides={"data": tmp_path}))

    assert celery.conf.task_ignore_result
    assert celery.conf.result_backend is None
