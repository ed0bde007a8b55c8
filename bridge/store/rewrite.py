"""What a dishonest administrator can do with a record, done: for the demo and for tests.

It changes a name in the stored bundle and makes record, leaf and lowest tile agree with it again,
so that nothing inside the database looks wrong by itself. What it cannot change is what others
hold: signed checkpoints, anchored heads, receipts.
"""

from sqlalchemy import select, update

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest, sha256
from bridge.core.log.merkle import leaf_hash
from bridge.core.log.tiles import WIDTH
from bridge.core.record.claims import RECORD_NAMES, SALT_SIZE, Kind, claim, commitment
from bridge.core.record.claims import leaf as leaf_of
from bridge.store.database import Database
from bridge.store.packing import pack, unpack
from bridge.store.schema import leaf, record, tile

__all__ = ["rewrite_history"]

HASH_SIZE = 32


def rewrite_history(database: Database, subject: str) -> int:
    """Change a sequenced record as if it had always been so; returns the index of its leaf.

    Raises:
        BridgeError: `rewrite-subject` when the record is not in the log.
    """
    with database.unit():
        connection = database.connection
        columns = (record.c.bundle, record.c.header, record.c.mapping, record.c.source_digest)
        kept = connection.execute(
            select(*columns, record.c.salts, leaf.c.index.label("place"))
            .join(leaf, leaf.c.subject == record.c.id)
            .where(record.c.id == subject)
        ).one_or_none()
        if kept is None:
            raise BridgeError(
                "rewrite-subject",
                Fault.OPERATOR,
                what="the record is not in the log yet",
                where=f"record {subject}",
                do="wait until it is sequenced",
            )
        bundle = unpack(kept.bundle).replace(b'"family":"', b'"family":"X', 1)
        values = (sha256(bundle), sha256(kept.header), kept.mapping, kept.source_digest)
        made = leaf_of(Kind.RECORD, commitment(_claims(values, kept.salts)))
        connection.execute(
            update(record)
            .where(record.c.id == subject)
            .values(bundle=pack(bundle), bundle_digest=sha256(bundle))
        )
        connection.execute(update(leaf).where(leaf.c.index == kept.place).values(leaf=made))
        _rewrite_tiles(database, kept.place, leaf_hash(made))
        return int(kept.place)


def _claims(values: tuple[bytes, ...], salts: bytes) -> dict[str, Digest]:
    return {
        name: claim(name, salts[at : at + SALT_SIZE], Digest(value))
        for name, value, at in zip(
            RECORD_NAMES, values, range(0, len(salts), SALT_SIZE), strict=True
        )
    }


def _rewrite_tiles(database: Database, index: int, digest: Digest) -> None:
    n, place = divmod(index, WIDTH)
    mine = (tile.c.level == 0) & (tile.c.n == n)
    for row in database.connection.execute(select(tile.c.width, tile.c.data).where(mine)).all():
        if place < row.width:
            at = place * HASH_SIZE
            data = row.data[:at] + digest + row.data[at + HASH_SIZE :]
            database.connection.execute(
                update(tile).where(mine & (tile.c.width == row.width)).values(data=data)
            )
