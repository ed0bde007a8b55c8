"""Beat: each task by its own interval, by a clock that nobody sets, and with nothing on disk.

Celery's own scheduler reckons in wall-clock time and keeps its state in a file: a clock that is set
back by an hour stops it for an hour, and a full disk or a kill at the wrong moment costs the file.
"""

from functools import cached_property
from time import monotonic
from typing import Any

from celery.beat import Scheduler, SchedulingError

from bridge.telemetry import configure_logs

__all__ = ["Steady"]


class Steady(Scheduler):  # type: ignore[misc]  # celery publishes no types
    """Sends every entry once an interval; an interval that was slept through is not made up for."""

    def __init__(self, *given: Any, **options: Any) -> None:  # noqa: ANN401 - as Celery calls it
        """Each entry is due one interval from now."""
        super().__init__(*given, **options)
        self._due: dict[str, float] = {}
        self._log = configure_logs("beat")
        self._heard = True

    @cached_property
    def producer(self) -> Any:  # noqa: ANN401 - celery publishes no types
        """One whose broker need not be there yet: each sending connects where it must."""
        return self.Producer(self.connection, auto_declare=False)

    def tick(self, *_: object, **__: object) -> float:
        """Send what is due; the seconds until the next is."""
        for name, entry in self.schedule.items():
            now, every = monotonic(), float(entry.schedule.run_every.total_seconds())
            if now < self._due.setdefault(name, now + every):
                continue
            self._due[name] = now + every
            self.apply_entry(entry, producer=self.producer)
        return max(min(self._due.values()) - monotonic(), 0.001)

    def apply_entry(self, entry: Any, producer: Any = None) -> None:  # noqa: ANN401 - as Celery calls it
        """Send a wake-up. A broker that is away is said once, and once that it is back."""
        try:
            self.apply_async(entry, producer=producer, advance=False)
        except SchedulingError:
            self._say(heard=False, task=entry.task)
        else:
            self._say(heard=True, task=entry.task)

    def _say(self, *, heard: bool, task: str) -> None:
        if heard != self._heard:
            self._log.warning("broker-reached" if heard else "broker-away", task=task)
        self._heard = heard
