"""Mappings by their digests: what old records are made again with."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager

from sqlalchemy import text

from bridge.core.ids import Digest
from bridge.store.database import Database

__all__ = ["PostgresMappings"]

KNOWN = text("SELECT digest FROM mapping WHERE digest = ANY(:digests)")
KEEP = text("""
INSERT INTO mapping (digest, document) VALUES (:digest, :document) ON CONFLICT DO NOTHING
""")
ONE = text("SELECT document FROM mapping WHERE digest = :digest")
ALL = text("SELECT digest FROM mapping ORDER BY digest")


class PostgresMappings:
    """The port `MappingArchive` over one PostgreSQL, and the side that keeps."""

    def __init__(self, database: Database) -> None:
        """Share the database's pool and units."""
        self._database = database
        self._kept: set[Digest] = set()

    def unit(self) -> AbstractContextManager[None]:
        """One transaction."""
        return self._database.unit()

    def hold(self, digests: Iterable[Digest], document: Callable[[Digest], bytes | None]) -> None:
        """Keep each mapping that is not kept, in the transaction of the records that name it.

        Only what was found there is remembered: what this transaction writes may yet be undone.
        """
        new = sorted(set(digests) - self._kept)  # one order, so that two processes never cross
        if not new:
            return
        rows = self._database.connection.execute(KNOWN, {"digests": new})
        found = {Digest(row.digest) for row in rows}
        self._kept |= found
        for digest in new:
            told = None if digest in found else document(digest)
            if told is not None:
                self._database.connection.execute(KEEP, {"digest": digest, "document": told})

    def document(self, mapping: Digest) -> bytes | None:
        """What is kept under this digest."""
        found = self._database.connection.execute(ONE, {"digest": mapping}).scalar_one_or_none()
        return bytes(found) if found is not None else None

    def documents(self) -> Iterator[tuple[Digest, bytes]]:
        """Everything that is kept, one after another."""
        for row in self._database.connection.execute(ALL).all():
            document = self.document(Digest(row.digest))
            if document is not None:
                yield Digest(row.digest), document
