"""The log in PostgreSQL: one statement, one round trip a durable step."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import CursorResult, text
from sqlalchemy.exc import DBAPIError

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest, Instant, LeafIndex, TreeSize
from bridge.core.log.tiles import Bundle, Tile, edge_tiles, parse_entries, root_at
from bridge.ports.logbook import Head, PublishedHead
from bridge.store.database import Database

__all__ = ["PostgresLogBook"]

SEQUENCER = 0x666869725F736571
"""Advisory lock of the session that sequences: `fhir_seq` as a number, any other would do."""
STEP = 0x666869725F737470
"""Advisory lock of one step: should a sequencer lose its session, its successor waits."""

TRY_LOCK = text("SELECT pg_try_advisory_lock(:key)")
UNLOCK = text("SELECT pg_advisory_unlock(:key)")
WAIT_LOCK = text("SELECT pg_advisory_xact_lock(:key)")
HEAD = text("SELECT origin, size, root FROM head")
ASSIGNED = text("SELECT coalesce(max(index) + 1, 0) FROM leaf")
ASSIGN = text("""
WITH bound AS (
    SELECT max(id) AS id FROM (SELECT id FROM leaf_queue ORDER BY id LIMIT :limit) AS batch
), moved AS (
    DELETE FROM leaf_queue USING bound WHERE leaf_queue.id <= bound.id
    RETURNING leaf_queue.id, kind, subject, leaf
)
INSERT INTO leaf (index, kind, subject, leaf)
SELECT :size + row_number() OVER (ORDER BY id) - 1, kind, subject, leaf FROM moved
""")
ENTRIES = text("""
SELECT count(*) AS found,
    string_agg(substring(int4send(length(leaf)) FROM 3) || leaf, ''::bytea ORDER BY index) AS data
FROM leaf WHERE index >= :begin AND index < :end
""")
BUNDLES = """
SELECT wanted.place, found.data
FROM unnest(%(n)b::bigint[], %(width)b::int[]) WITH ORDINALITY AS wanted (n, width, place)
CROSS JOIN LATERAL (
    SELECT count(*) AS count, string_agg(
        substring(int4send(length(leaf)) FROM 3) || leaf, ''::bytea ORDER BY index) AS data
    FROM leaf WHERE index >= wanted.n * 256 AND index < wanted.n * 256 + wanted.width
) AS found
WHERE found.count = wanted.width
"""
TILES = """
SELECT wanted.place, substring(found.data FROM 1 FOR wanted.width * 32) AS data
FROM unnest(%(level)b::int[], %(n)b::bigint[], %(width)b::int[])
    WITH ORDINALITY AS wanted (level, n, width, place)
CROSS JOIN LATERAL (
    SELECT data FROM tile
    WHERE tile.level = wanted.level AND tile.n = wanted.n AND tile.width >= wanted.width
    ORDER BY tile.width LIMIT 1
) AS found
"""
WRITE = """
INSERT INTO tile (level, n, width, data)
SELECT * FROM unnest(%(level)b::int[], %(n)b::bigint[], %(width)b::int[], %(data)b::bytea[])
ON CONFLICT (level, n, width) DO NOTHING
"""
FIRST_HEAD = text("""
INSERT INTO head (origin, size, root)
SELECT :origin, :size, :root WHERE NOT EXISTS (SELECT FROM head)
""")
NEXT_HEAD = text("""
UPDATE head SET size = :size, root = :root
WHERE origin = :origin AND size = :before_size AND root = :before_root
""")
PUBLISH = text("""
INSERT INTO checkpoint (size, root, note, at) VALUES (:size, :root, :note, :at)
ON CONFLICT (size) DO NOTHING
""")
PUBLISHED = text("SELECT size, root, note FROM checkpoint WHERE size = :size")
NEWEST = text("SELECT size, root, note FROM checkpoint ORDER BY size DESC LIMIT 1")
FIRST_FROM = text(
    "SELECT size, root, note FROM checkpoint WHERE size >= :size ORDER BY size LIMIT 1"
)
PRUNE = """
DELETE FROM tile USING unnest(%(level)b::int[], %(n)b::bigint[]) AS edge (level, n)
WHERE tile.level = edge.level AND tile.n = edge.n AND EXISTS (
    SELECT FROM tile AS wider
    WHERE wider.level = tile.level AND wider.n = tile.n AND wider.width > tile.width)
"""
INDEX_OF = text("SELECT min(index) FROM leaf WHERE subject = :subject")
LEAF_AT = text("SELECT leaf FROM leaf WHERE index = :index")


class PostgresLogBook:
    """The port `LogBook` over one PostgreSQL, which holds one log."""

    def __init__(self, database: Database) -> None:
        """Share the database's pool and units."""
        self._database = database

    @contextmanager
    def sequencing(self) -> Iterator[bool]:
        """Hold the sequencer's lock on a connection of its own, which frees it if we die."""
        with self._database.session() as session:
            alone = bool(session.execute(TRY_LOCK, {"key": SEQUENCER}).scalar_one())
            try:
                yield alone
            finally:
                # Closing alone would free it a moment later, and the next run would stand back.
                if alone:
                    with suppress(DBAPIError):  # a session that was cut holds no lock
                        session.execute(UNLOCK, {"key": SEQUENCER})

    def head(self) -> Head | None:
        """The newest head; see the port."""
        with self._database.joined() as connection:
            row = connection.execute(HEAD).one_or_none()
        if row is None:
            return None
        return Head(origin=row.origin, size=TreeSize(row.size), root=Digest(row.root))

    def assign(self, head: Head, max_leaves: int) -> TreeSize:
        """Step 1; see the port."""
        with self._database.unit():
            connection = self._database.connection
            connection.execute(WAIT_LOCK, {"key": STEP})
            self._check_head(head)
            assigned: int = connection.execute(ASSIGNED).scalar_one()
            if assigned > head.size:
                return TreeSize(assigned)
            moved = connection.execute(ASSIGN, {"size": head.size, "limit": max_leaves})
            return TreeSize(head.size + moved.rowcount)

    def leaves(self, begin: int, end: int) -> tuple[bytes, ...]:
        """The leaves at these indices; see the port."""
        found = parse_entries(self._entries(begin, end)[1])
        if len(found) != end - begin:
            raise BridgeError(
                "leaf-missing",
                Fault.US,
                what=f"{end - begin} leaves have indices, {len(found)} are stored",
                where=f"leaves {begin} to {end - 1}",
                do="restore the newest copy of the database",
            )
        return found

    def tiles(self, names: Sequence[Tile]) -> Mapping[Tile, bytes]:
        """Contents of tiles in one read; see the port."""
        if not names:
            return {}
        with self._database.joined() as connection:
            rows = connection.exec_driver_sql(TILES, _columns(names)).all()
        return {names[row.place - 1]: row.data for row in rows}

    def write(self, tiles: Mapping[Tile, bytes]) -> None:
        """Step 2; see the port."""
        columns = {**_columns(tuple(tiles)), "data": list(tiles.values())}
        with self._database.unit():
            self._database.connection.exec_driver_sql(WRITE, columns)

    def advance(self, before: Head, after: Head) -> None:
        """Step 3; see the port."""
        values = {
            "origin": after.origin,
            "size": after.size,
            "root": after.root,
            "before_size": before.size,
            "before_root": before.root,
        }
        with self._database.unit():
            connection = self._database.connection
            connection.execute(WAIT_LOCK, {"key": STEP})
            statement = NEXT_HEAD if before.size else FIRST_HEAD
            if connection.execute(statement, values).rowcount != 1:
                raise _raced(before)

    def publish(self, head: PublishedHead, at: Instant) -> None:
        """Step 4; see the port."""
        values = {"size": head.size, "root": head.root, "note": head.note, "at": at}
        with self._database.unit():
            connection = self._database.connection
            before = connection.execute(NEWEST).one_or_none()
            connection.execute(PUBLISH, values)
            stored = connection.execute(PUBLISHED, {"size": head.size}).one()
            if (stored.root, stored.note) != (head.root, head.note):
                raise BridgeError(
                    "checkpoint-differs",
                    Fault.US,
                    what="this size was published with other bytes",
                    where=f"checkpoint of {head.size} leaves",
                    do="keep both notes as evidence, and run fsck",
                )
            if before is not None and (edge := edge_tiles(TreeSize(before.size))):
                connection.exec_driver_sql(PRUNE, _columns(edge))

    def newest(self) -> PublishedHead | None:
        """The newest published checkpoint."""
        with self._database.joined() as connection:
            return _published(connection.execute(NEWEST))

    def published(self, *, size_from: int) -> PublishedHead | None:
        """The smallest published checkpoint of at least this size."""
        with self._database.joined() as connection:
            return _published(connection.execute(FIRST_FROM, {"size": size_from}))

    def checkpoint_text(self) -> bytes | None:
        """The newest signed checkpoint as it is served."""
        newest = self.newest()
        return newest.note if newest else None

    def tile(self, level: int, n: int, width: int) -> bytes | None:
        """A tile as it is served."""
        name = Tile(level=level, n=n, width=width)
        return self.tiles((name,)).get(name)

    def entries(self, n: int, width: int) -> bytes | None:
        """An entry bundle as it is served."""
        name = Bundle(n=n, width=width)
        return self.bundles((name,)).get(name)

    def bundles(self, names: Sequence[Bundle]) -> Mapping[Bundle, bytes]:
        """Entry bundles in one read; see the port."""
        if not names:
            return {}
        columns = {"n": [name.n for name in names], "width": [name.width for name in names]}
        with self._database.joined() as connection:
            rows = connection.exec_driver_sql(BUNDLES, columns).all()
        return {names[row.place - 1]: row.data for row in rows}

    def index_of(self, subject: str) -> LeafIndex | None:
        """Index of the first leaf of a record, revision or event."""
        with self._database.joined() as connection:
            found: int | None = connection.execute(INDEX_OF, {"subject": subject}).scalar_one()
        return None if found is None else LeafIndex(found)

    def leaf_at(self, index: LeafIndex) -> bytes | None:
        """The leaf at an index."""
        with self._database.joined() as connection:
            found: bytes | None = connection.execute(LEAF_AT, {"index": index}).scalar_one_or_none()
        return found

    def root_at(self, size: int) -> Digest | None:
        """The root that the tree had at an earlier size."""
        head = self.head()
        if head is None or size > head.size:
            return None
        return root_at(TreeSize(size), self.tiles)

    def _entries(self, begin: int, end: int) -> tuple[int, bytes]:
        with self._database.joined() as connection:
            row = connection.execute(ENTRIES, {"begin": begin, "end": end}).one()
        return row.found, row.data or b""

    def _check_head(self, head: Head) -> None:
        stored = self.head()
        if stored != head and (stored is not None or head.size):
            raise _raced(head)


def _columns(names: Sequence[Tile]) -> dict[str, list[int]]:
    """One array a column."""
    return {
        "level": [name.level for name in names],
        "n": [name.n for name in names],
        "width": [name.width for name in names],
    }


def _published(rows: CursorResult[Any]) -> PublishedHead | None:
    row = rows.one_or_none()
    if row is None:
        return None
    return PublishedHead(size=TreeSize(row.size), root=Digest(row.root), note=row.note)


def _raced(head: Head) -> BridgeError:
    return BridgeError(
        "sequencer-raced",
        Fault.PEER,
        what="another sequencer moved the head",
        where=f"head of {head.size} leaves",
        do="nothing: the other one goes on, the next run starts from its head",
    )
