"""One bit of anything that is stored is changed: fsck names the place, the verifier the check."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from sqlalchemy import text

from bridge.chain.recount import transaction_differs
from bridge.core.proof.report import Verdict
from bridge.flows.fsck import Difference, fsck
from bridge.settings import load
from bridge.store.database import Database
from tests.scenarios.engine import letters, send_all
from tests.scenarios.node import Node, start_node
from workers.wiring import Services

POSITIONS = 6
"""Bytes of each value, spread from the first to the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A column that holds bytes, and the row of it that is changed."""

    table: str
    column: str
    row: str
    named: str
    """Part of what fsck says of it."""


PLACES = (
    Place(table="record", column="bundle", row="seq = 2", named="bundle"),
    Place(table="record", column="source", row="seq = 2", named="source"),
    Place(table="record", column="header", row="seq = 2", named="header"),
    Place(table="record", column="salts", row="seq = 2", named="leaf"),
    Place(table="revision", column="header", row="record_seq = 2", named="revision"),
    Place(table="revision", column="salts", row="record_seq = 2", named="leaf"),
    Place(table="revision", column="resources_root", row="record_seq = 2", named="resources"),
    Place(table="resource_version", column="body", row="type = 'Patient'", named="version"),
    Place(table="resource_version", column="salt", row="type = 'Patient'", named="resources"),
    Place(table="leaf", column="leaf", row='"index" = 3', named="leaf"),
    Place(table="tile", column="data", row="level = 0", named="tile"),
    Place(table="head", column="root", row="true", named="head"),
    Place(table="checkpoint", column="note", row="true", named="checkpoint"),
    Place(table="checkpoint", column="root", row="true", named="checkpoint"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """A node with a small feed, its processes stopped and its database open."""

    services: Services
    receipt: bytes
    document: bytes
    node: Node

    def fsck(self) -> Difference | None:
        """Recompute all."""
        return fsck(
            stored=self.services.stored,
            book=self.services.book,
            verifiers=self.services.verifier_keys,
            transaction=transaction_differs,
            progress=lambda _stage, _done: None,
        ).difference

    @contextmanager
    def changed(self, place: Place, position: int) -> Iterator[None]:
        """One bit of the value is other inside the block."""
        # One row of one column of the schema, both constants of this file.
        row = f"ctid = (SELECT min(ctid) FROM {place.table} WHERE {place.row})"  # noqa: S608
        read = f"SELECT {place.column}, ctid::text FROM {place.table} WHERE {row}"  # noqa: S608
        write = f"UPDATE {place.table} SET {place.column} = :value WHERE {row}"  # noqa: S608
        with self._connected() as database:
            before = bytes(database.connection.execute(text(read)).one()[0])
            at = (len(before) - 1) * position // (POSITIONS - 1)
            after = before[:at] + bytes([before[at] ^ 1]) + before[at + 1 :]
            database.connection.execute(text(write), {"value": after})
        yield
        back = f"UPDATE {place.table} SET {place.column} = :before WHERE {place.column} = :after"  # noqa: S608
        with self._connected() as database:
            values = {"before": before, "after": after}
            assert database.connection.execute(text(back), values).rowcount == 1

    @contextmanager
    def _connected(self) -> Iterator[Database]:
        with self.services.database.unit():
            yield self.services.database


@pytest.fixture(scope="module")
def stopped() -> Iterator[Stopped]:
    """Four messages, final; then only the database runs."""
    with start_node() as node:
        send_all(node.mllp, letters("BYTES", 4))
        rows = node.wait_final()
        receipt, document = node.proof(rows[-1]["record"])
        node.wait_quiet()
        node.stop()
        overrides: dict[str, object] = {"data": node.folder, "log.origin": node.origin}
        services = Services(load(environment={}, overrides=overrides))
        yield Stopped(services=services, receipt=receipt, document=document, node=node)
        services.database.close()


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place.table}.{place.column}")
def test_a_changed_bit_is_found_and_named(stopped: Stopped, place: Place) -> None:
    """Wherever in the value it is; put back, everything is clean again."""
    for position in range(POSITIONS):
        with stopped.changed(place, position):
            difference = stopped.fsck()

        assert difference is not None, f"byte {position} of {POSITIONS}"
        assert place.named in str(difference), str(difference)
    assert stopped.fsck() is None


@pytest.mark.parametrize("position", range(POSITIONS))
def test_a_changed_bit_of_the_document_fails_check_3(stopped: Stopped, position: int) -> None:
    """The verifier says `changed` and which check."""
    at = (len(stopped.document) - 1) * position // (POSITIONS - 1)
    changed = bytearray(stopped.document)
    changed[at] ^= 1

    report = stopped.node.verify(stopped.receipt, bytes(changed))

    assert report.verdict is Verdict.CHANGED
    assert [(check.id, check.name) for check in report.failed] == [(3, "claims")]
