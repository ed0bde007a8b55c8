"""Tasks: errors of others are a line in the log; defects of our own are not hidden."""

import time
from pathlib import Path
from typing import cast

import pytest
import structlog
from structlog.testing import LogCapture

from bridge.core.errors import BridgeError, Fault
from bridge.settings import load
from workers import tasks
from workers.celery_app import configured
from workers.wiring import Services


@pytest.fixture
def log() -> LogCapture:
    """What was logged."""
    return LogCapture()


def _run(body: object, log: LogCapture) -> None:
    logger = structlog.wrap_logger(None, processors=[log])
    services = cast("Services", object())
    tasks._guarded("project", body, lambda: services, logger)()  # type: ignore[arg-type]  # a stub body


def test_a_database_that_is_down_is_logged_and_left_to_the_next_beat(log: LogCapture) -> None:
    """The task ends; code and place are said, content is not."""

    def body(*_: object) -> bool:
        raise BridgeError(
            "store-unavailable", Fault.PEER, what="it is down", where="store.unit", do="retry"
        )

    _run(body, log)

    (entry,) = log.entries
    assert (entry["event"], entry["task"], entry["code"], entry["fault"]) == (
        "postponed",
        "project",
        "store-unavailable",
        "peer",
    )


def test_a_defect_of_our_own_is_not_swallowed(log: LogCapture) -> None:
    """Celery reports it as a failed task."""

    def body(*_: object) -> bool:
        raise KeyError("bug")

    with pytest.raises(KeyError):
        _run(body, log)


def test_a_body_runs_until_nothing_is_left(log: LogCapture) -> None:
    """A burst is worked off in one task, not in one task a beat."""
    left = [True, True, False]

    _run(lambda *_: left.pop(0), log)

    assert left == []


def test_a_body_that_never_ends_gives_way(log: LogCapture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Projection of a long queue does not starve anchoring."""
    monkeypatch.setattr(tasks, "LONGEST_S", 0.05)
    started = time.monotonic()

    _run(lambda *_: True, log)

    assert time.monotonic() - started < 5


def test_every_task_is_registered_under_its_name(tmp_path: Path) -> None:
    """Beat and waker send by name."""
    settings = load(environment={}, overrides={"data": tmp_path})
    celery = configured(settings)

    tasks.register(celery, settings)

    assert set(tasks.TASKS) <= set(celery.tasks)
