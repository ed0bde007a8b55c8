"""Beat by a clock that nobody sets: what is due is sent, whatever the time of day becomes."""

from datetime import timedelta
from typing import Any

import pytest
from celery import Celery
from kombu.connection import Connection

from workers import beating
from workers.beating import Steady

NOBODY = "amqp://127.0.0.1:1"


class _Beat(Steady):
    """Counts instead of sending."""

    producer = None

    def __init__(self, app: Celery) -> None:
        super().__init__(app=app)
        self.sent: list[str] = []

    def apply_entry(self, entry: Any, producer: object = None) -> None:
        """Sent."""
        assert producer is None
        self.sent.append(entry.task)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The steady clock."""
    at = [1000.0]
    monkeypatch.setattr(beating, "monotonic", lambda: at[0])
    return at


@pytest.fixture
def beat() -> _Beat:
    """A task a second and one every two."""
    celery = Celery("test", set_as_current=False)
    celery.conf.beat_schedule = {
        "project": {"task": "project", "schedule": 1.0},
        "sequence": {"task": "sequence", "schedule": timedelta(seconds=2)},
    }
    return _Beat(celery)


def test_each_task_is_sent_once_an_interval(beat: _Beat, now: list[float]) -> None:
    """Ten seconds are ten of one and five of the other; beat sleeps in between."""
    slept = [beat.tick()]
    for _ in range(10):
        now[0] += 1
        slept.append(beat.tick())

    assert (beat.sent.count("project"), beat.sent.count("sequence")) == (10, 5)
    assert all(0 < one <= 1 for one in slept)


def test_time_of_day_is_not_asked(
    beat: _Beat, now: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that was set back by an hour stops nothing."""
    monkeypatch.setattr(Celery, "now", lambda _: pytest.fail("beat looked at the clock"))
    beat.tick()
    now[0] += 2

    beat.tick()

    assert sorted(beat.sent) == ["project", "sequence"]


def test_intervals_that_were_slept_through_are_one(beat: _Beat, now: list[float]) -> None:
    """After an hour without a broker each task is sent once, not 3,600 times."""
    beat.tick()
    now[0] += 3600
    for _ in range(3):
        beat.tick()

    assert sorted(beat.sent) == ["project", "sequence"]


def test_broker_that_is_away_is_said_once_and_that_it_is_back(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A line each, for the night shift; not a traceback a wake-up."""
    celery = Celery("test", broker="memory://", set_as_current=False)
    celery.conf.beat_schedule = {"project": {"task": "project", "schedule": 1.0}}
    beat = Steady(app=celery)
    (entry,) = beat.schedule.values()

    for url in (NOBODY, NOBODY, "memory://", "memory://"):
        with Connection(url) as broker, celery.amqp.Producer(broker) as producer:
            beat.apply_entry(entry, producer=producer)

    said = capsys.readouterr().err
    assert [line.count("broker-") for line in said.splitlines()] == [1, 1]
    assert said.index("broker-away") < said.index("broker-reached")
    assert "Traceback" not in said
