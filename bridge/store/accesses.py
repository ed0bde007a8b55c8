"""Who saw what: access events, each with its pending leaf."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text

from bridge.core.ids import Instant
from bridge.core.record.claims import Kind
from bridge.core.record.merge import ResourceRef
from bridge.ports.reading import Access, Page, Served
from bridge.store.records import MAX_PAGE, RecordReading

__all__ = ["AccessReading"]

KEEP_ACCESS = text("""
WITH kept AS (
    INSERT INTO access (id, at, event, salts) VALUES (:id, :at, :event, :salts) RETURNING seq
), patients AS (
    INSERT INTO access_patient (patient, access)
    SELECT DISTINCT p.patient, kept.seq FROM kept, unnest(CAST(:patients AS text[])) AS p (patient)
)
INSERT INTO leaf_queue (kind, subject, leaf) VALUES (:kind, :id, :leaf)
""")

ACCESS = text("SELECT id, at, event FROM access WHERE id = :id")

ACCESSES = text("""
SELECT a.seq, a.id, a.at, a.event FROM access a
WHERE (CAST(:before AS bigint) IS NULL OR a.seq < :before)
  AND (cardinality(CAST(:patients AS text[])) = 0 OR a.seq IN (
      SELECT access FROM access_patient WHERE patient = ANY(CAST(:patients AS text[]))))
ORDER BY a.seq DESC LIMIT :size
""")


class AccessReading(RecordReading):
    """The part of the port `Reading` that is of the access log."""

    def keep_access(self, access: Access) -> None:
        """Store who saw what, and its pending leaf."""
        self._database.connection.execute(
            KEEP_ACCESS,
            {
                "id": access.id,
                "at": access.at,
                "event": access.event,
                "salts": access.salts,
                "patients": list(access.patients),
                "kind": int(Kind.AUDIT),
                "leaf": access.leaf,
            },
        )

    def access(self, name: str) -> Served | None:
        """One access event as AuditEvent."""
        row = self._database.connection.execute(ACCESS, {"id": name.replace("\0", "")}).first()
        return _event(row) if row else None

    def accesses(
        self, *, patients: Sequence[str] = (), count: int = 50, before: int | None = None
    ) -> Page:
        """Access events as AuditEvents, newest first; the next token is a sequence number."""
        size = min(max(count, 1), MAX_PAGE)
        values = {"patients": list(patients), "before": before, "size": size + 1}
        rows = list(self._database.connection.execute(ACCESSES, values))
        shown = tuple(_event(row) for row in rows[:size])
        return Page(matches=shown, next=str(rows[size - 1].seq) if len(rows) > size else "")


def _event(row: Row[Any]) -> Served:
    ref = ResourceRef("AuditEvent", row.id)
    return Served(ref=ref, version=1, at=Instant(row.at), body=bytes(row.event))
