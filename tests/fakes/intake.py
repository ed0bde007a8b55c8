"""The intake in memory: all or nothing like the real one, and able to fail at each durable step."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, TypeVar

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import RecordId
from bridge.ports.intake import Appended, NewRecord, Quarantined

__all__ = ["MemoryIntake"]

Row = TypeVar("Row", NewRecord, Quarantined)


class MemoryIntake:
    """The port `Intake`; passes tests/contract/test_intake.py."""

    def __init__(self) -> None:
        """Start empty and honest."""
        self.records: list[NewRecord] = []
        self.refused: list[Quarantined] = []
        self.closed: dict[RecordId, RecordId] = {}
        self.fail_at: Literal["", "before-commit", "after-commit"] = ""
        self.unstorable: set[str] = set()
        """Control ids that this database cannot hold."""
        self._open: tuple[list[NewRecord], list[Quarantined]] | None = None

    @contextmanager
    def unit(self) -> Iterator[None]:
        """All or nothing."""
        self._open = (list(self.records), list(self.refused))
        try:
            yield
            if self.fail_at == "before-commit":
                raise _down()
            self.records, self.refused = self._open
            if self.fail_at == "after-commit":
                raise _down()
        finally:
            self._open = None

    def append(self, records: Sequence[NewRecord]) -> tuple[Appended, ...]:
        """Keep what is new."""
        kept, _ = self._unit()
        return tuple(self._append(record, kept) for record in records)

    def holds(self, one: NewRecord) -> RecordId | None:
        """The record with this sender and control id, unless this is a resend."""
        if any(earlier.resend_key == one.resend_key for earlier in self.records):
            return None
        key = (one.sender, one.bundle.control_id)
        same = [r.id for r in self.records if (r.sender, r.bundle.control_id) == key]
        return same[-1] if same else None

    def quarantine(self, refused: Sequence[Quarantined]) -> tuple[Appended, ...]:
        """Keep what is new."""
        _, kept = self._unit()
        return tuple(_keep(one, kept) for one in refused)

    def retried(self, refused: RecordId, stored: RecordId) -> bool:
        """Close an open refusal."""
        self._unit()
        if refused in self.closed or refused not in {one.id for one in self.refused}:
            return False
        self.closed[refused] = stored
        return True

    def dismissed(self, refused: RecordId, reason: str) -> bool:
        """Close an open refusal for good."""
        return self.retried(refused, RecordId(reason))

    def _append(self, record: NewRecord, kept: list[NewRecord]) -> Appended:
        if record.bundle.control_id in self.unstorable:
            raise BridgeError(
                "store-refused", Fault.US, what="cannot hold a row", where="unit", do="mend it"
            )
        return _keep(record, kept)

    def _unit(self) -> tuple[list[NewRecord], list[Quarantined]]:
        if self._open is None:
            raise BridgeError(
                "unit-missing",
                Fault.US,
                what="a write was asked for outside a unit of work",
                where="store",
                do="open store.unit() in the flow",
            )
        return self._open


def _keep(row: Row, kept: list[Row]) -> Appended:
    for earlier in kept:
        if row.resend_key is not None and row.resend_key == earlier.resend_key:
            return Appended(id=earlier.id, answer=earlier.answer, duplicate=True)
    kept.append(row)
    return Appended(id=row.id, answer=row.answer, duplicate=False)


def _down() -> BridgeError:
    return BridgeError(
        "store-unavailable",
        Fault.PEER,
        what="the database did not answer",
        where="store.unit",
        do="see that PostgreSQL runs and store.url is right, then retry",
    )
