"""Tasks: errors of others are a line in the log; defects of our own are not hidden."""

import threading
import time
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import structlog
from structlog.testing import LogCapture

from bridge.core.errors import BridgeError, Fault
from bridge.ports.stamps import Token
from bridge.settings import load
from tests.fakes.anchors import MemoryHeads
from tests.fakes.sources import FixedClock
from tests.fakes.stamps import MemoryStamps
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


class _Waiting:
    """A system that answers only when the other one was asked, too."""

    def __init__(self, kind: str, both: threading.Barrier) -> None:
        self.kind, self._both = kind, both

    def stamp(self, note: bytes) -> Token:
        """Hangs while it is alone."""
        self._both.wait(timeout=20)
        return Token(data=self.kind.encode() + note, complete=True)

    def upgrade(self, token: Token) -> Token | None:
        """Nothing new."""
        del token
        return None


def test_one_stamping_system_does_not_wait_for_another(log: LogCapture) -> None:
    """A calendar that hangs holds up no time-stamp authority."""
    both, book, stamps = threading.Barrier(2), MemoryHeads(), MemoryStamps()
    book.size = 5
    node = SimpleNamespace(
        stampers=tuple((_Waiting(kind, both), timedelta(hours=1)) for kind in ("ots", "rfc3161")),
        book=book,
        stamps=stamps,
        clock=FixedClock(),
    )

    tasks._stamp(cast("Services", node), structlog.wrap_logger(None, processors=[log]))

    assert {kind for kind, _ in stamps.rows} == {"ots", "rfc3161"}
