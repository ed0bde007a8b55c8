"""Beat: each task by its own interval, by a clock that nobody sets, and with nothing on disk.

Celery's own scheduler reckons in wall-clock time and keeps its state in a file: a clock that is set
back by an hour stops it for an hour, and a full disk or a kill at the wrong moment costs the file.
"""

from time import monotonic
from typing import Any

from celery.beat import Scheduler

__all__ = ["Steady"]


class Steady(Scheduler):  # type: ignore[misc]  # celery publishes no types
    """Sends every entry once an interval; an interval that was slept through is not made up for."""

    def __init__(self, *given: Any, **options: Any) -> None:  # noqa: ANN401 - as Celery calls it
        """Each entry is due one interval from now."""
        super().__init__(*given, **options)
        self._due: dict[str, float] = {}

    def tick(self, *_: object, **__: object) -> float:
        """Send what is due; the seconds until the next is."""
        for name, entry in self.schedule.items():
            now, every = monotonic(), float(entry.schedule.run_every.total_seconds())
            if now < self._due.setdefault(name, now + every):
                continue
            self._due[name] = now + every
            self.apply_entry(entry, producer=self.producer)
        return max(min(self._due.values()) - monotonic(), 0.001)
