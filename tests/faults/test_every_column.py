"""Any value of any column of any table is changed: fsck names it, or its reason stands here."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, text
from sqlalchemy.exc import DBAPIError

from bridge.chain.opentimestamps import OpenTimestamps
from bridge.chain.recount import transaction_differs
from bridge.chain.rfc3161 import TimeStampAuthority
from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import sha256
from bridge.core.log.note import VerifierKey
from bridge.core.policy.access import Caller, Role
from bridge.core.record.events import KeyAction
from bridge.core.record.merge import ResourceRef
from bridge.flows.anchor import anchor
from bridge.flows.disclose import disclose_version
from bridge.flows.fsck import Difference, fsck
from bridge.flows.mark import mark, note_key
from bridge.flows.project import project
from bridge.flows.receive import Inbound, receive
from bridge.flows.sequence import sequence
from bridge.flows.stamp import stamp
from bridge.flows.watch import watch
from bridge.store.anchors import PostgresAnchors
from bridge.store.database import Database
from bridge.store.events import PostgresEvents
from bridge.store.intake import PostgresIntake
from bridge.store.logbook import PostgresLogBook
from bridge.store.reading import PostgresReading
from bridge.store.schema import metadata
from bridge.store.stamps import PostgresStamps
from bridge.store.stored import PostgresStored
from bridge.store.tallies import Tally, keep_tallies
from bridge.store.versions import PostgresVersions
from tests.fakes.bundles import bundle, observation, patient
from tests.fakes.dialect import LineDialect, line
from tests.fakes.signer import KnownSigner
from tests.fakes.sources import CountedEntropy, FixedClock
from tests.integration.test_receipt_on_chain import _chain as chain_of
from tests.stamping import Calendar, Tsa, serving

SIGNER, CLOCK, ENTROPY = KnownSigner(), FixedClock(), CountedEntropy()
READER = Caller(subject="clinic", roles=frozenset({Role.READER}))
NOTES = "a note for people that no proof rests on: kept beside the records, in no leaf"
REFUSED = "what was refused is in no leaf: it is kept to be retried, and is no evidence"
UNNAMED = {
    "leaf_queue.id": "the order of what waits; the log gives the lasting one, which is sealed",
    "resource.indexed_by": "whose rules the search rows are of; the rows are compared whatever it "
    "says, and differ under this name alone",
    "lane_stalled.code": NOTES,
    "lane_stalled.reason": NOTES,
    "lane_stalled.since": NOTES,
    "feed_tally.feed": NOTES,
    "feed_tally.at": NOTES,
    "feed_tally.counts": NOTES,
    "feed_note.seq": NOTES,
    "feed_note.at": NOTES,
    "feed_note.feed": NOTES,
    "feed_note.sender": NOTES,
    "feed_note.code": NOTES,
    "feed_note.detail": NOTES,
    "sender_sequence.sender": NOTES,
    "sender_sequence.last": NOTES,
    **{
        f"{table}.{name}": "a list of work, no evidence: counted anew from the records that come"
        for table, more in (("work_item", ("state", "reason")), ("unmapped_code", ()))
        for name in (
            *("id", "sender", "field", "system", "code", "times", "first", "last", "since", "seen"),
            *more,
        )
    },
    "owed_answer.address": "where to send what is still owed; the answer itself is checked",
    "owed_answer.owed": NOTES,
    "owed_answer.due": NOTES,
    "owed_answer.tries": NOTES,
    "quarantine.id": REFUSED,
    "quarantine.feed": REFUSED,
    "quarantine.number": REFUSED,
    "quarantine.pinned": REFUSED,
    "quarantine.charset": REFUSED,
    "quarantine.dialect": REFUSED,
    "quarantine.message_type": REFUSED,
    "quarantine.received": REFUSED,
    "quarantine.code": REFUSED,
    "quarantine.answer": REFUSED,
    "quarantine.times": REFUSED,
    "checkpoint.at": "the time of signing by our own clock, which proves nothing and is not signed",
    "stamp.at": "the time of asking by our own clock; the token has its own",
    "anchor_attempt.id": "the order of attempts; the chain has its own, the nonce, which is signed",
    "anchor_attempt.version": "counts the changes of a row, for workers that race",
    "anchor_attempt.round": "counts replacements at one nonce; which one won, the chain says",
    "anchor_attempt.planned": "a time by our own clock; the block has its own",
    "anchor_attempt.sent": "a time by our own clock; the block has its own",
    "anchor_attempt.reason": NOTES,
    "anchor_attempt.gas_used": "what it cost, for the budget; its chain says it to whoever asks",
    "anchor_attempt.cost_wei": "what it cost, for the budget; its chain says it to whoever asks",
}
"""Columns whose change fsck does not name, each with the reason."""


class Node:
    """A node that did everything once, and its database."""

    def __init__(self, database: Database) -> None:
        """Nothing yet."""
        self.database = database
        self.book = PostgresLogBook(database)

    def fsck(self) -> Difference | None:
        """Recompute all of it."""
        return fsck(
            stored=PostgresStored(self.database),
            book=self.book,
            verifiers=[VerifierKey.parse(SIGNER.verifier_key)],
            transaction=transaction_differs,
            progress=lambda _stage, _done: None,
        ).difference

    def receive(self, *raws: bytes, owed: str = "") -> None:
        """Take inputs in, in order."""
        receive(
            [
                Inbound(raw=raw, feed="f", number=n, deliver_stored=owed)
                for n, raw in enumerate(raws)
            ],
            dialect=LineDialect(),
            intake=PostgresIntake(self.database, {sha256(b"rules"): b"rules"}.get),
            clock=CLOCK,
            entropy=ENTROPY,
        )

    def project(self) -> None:
        """Apply all that waits."""
        while project(
            versions=PostgresVersions(self.database), clock=CLOCK, entropy=ENTROPY
        ).records:
            pass

    def sequence(self) -> None:
        """Sign all that waits."""
        while sequence(book=self.book, signer=SIGNER, clock=CLOCK, origin=SIGNER.name):
            pass

    def run(self, statement: str, **values: object) -> None:
        """What an administrator types."""
        with self.database.unit():
            self.database.connection.execute(text(statement), values)


@pytest.fixture(scope="module")
def node(
    database: Database, devchain_url: str, devchain_dir: Path, tsa: Tsa, tmp_path_factory: Any
) -> Iterator[Node]:
    """Every table has at least one row."""
    made = Node(database)
    rich = observation("o", "a") | {
        "valueQuantity": {"value": 5, "code": "mg", "system": "http://u"}
    }
    made.receive(
        line(
            "1",
            bundle=bundle(patient("a", birthDate="1990-01-01") | {"name": [{"family": "B"}]}, rich),
        ),
        line("2", bundle=bundle(patient("a", active=True))),
        line("2", bundle="bad"),
        line("3", bundle="bad"),
        line("4", bundle="bad"),
        line("1", bundle=bundle(patient("c"))),
        owed="mllp://10.0.0.1:2575",
    )
    made.project()
    disclose_version(
        ResourceRef("Patient", "a"),
        caller=READER,
        reading=PostgresReading(database),
        clock=CLOCK,
        entropy=ENTROPY,
    )
    made.sequence()
    events = PostgresEvents(database)
    mark(events=events, clock=CLOCK, entropy=ENTROPY, every=timedelta(0))
    note_key(KeyAction.ADDED, SIGNER.verifier_key, events=events, clock=CLOCK, entropy=ENTROPY)
    made.sequence()
    _stamp(made, tsa)
    _anchor(made, devchain_url, devchain_dir, tmp_path_factory.mktemp("contract"))
    _close_and_stall(made)
    made.run("INSERT INTO sender_sequence VALUES ('lab', 7)")
    made.run(
        "INSERT INTO work_item (sender, field, system, code, times, first, last, since, seen) "
        "VALUES ('lab', 'OBX-3', 'KLAB', 'NA', 1, 'r', 'r', now(), now())"
    )
    made.run(
        "INSERT INTO unmapped_code (sender, field, system, code, times, first, last, since, seen) "
        "SELECT sender, field, system, code, times, first, last, since, seen FROM work_item"
    )
    keep_tallies(database, (Tally(feed="f", at=CLOCK.now(), counts={"in": 6}),))
    assert made.fsck() is None
    for table in metadata.sorted_tables:
        for column in table.c:
            if column.identity is not None:
                made.run(f'ALTER TABLE "{table.name}" ALTER "{column.name}" DROP IDENTITY')
    yield made
    assert made.fsck() is None  # each value was put back


def _stamp(node: Node, tsa: Tsa) -> None:
    """A promise and a token."""
    first, second = Calendar(), Calendar()
    with serving(first.answer) as one, serving(second.answer) as two:
        first.url, second.url = one, two
        for stamper in (OpenTimestamps([one, two]), TimeStampAuthority(tsa.url, ENTROPY)):
            stamp(
                book=node.book,
                stamps=PostgresStamps(node.database),
                stamper=stamper,
                clock=CLOCK,
                every=timedelta(hours=1),
            )


def _anchor(node: Node, url: str, folder: Path, state: Path) -> None:
    """One head, final and evidenced."""
    chain, anchors = chain_of(url, folder, state / "c.json"), PostgresAnchors(node.database)
    for _ in range(3):
        anchor(book=node.book, anchors=anchors, chain=chain, clock=CLOCK)
        watch(anchors=anchors, chain=chain, clock=CLOCK)
    chain._endpoints.close()


def _close_and_stall(node: Node) -> None:
    """A refusal of each state, a record that waits in a stalled lane, and leaves that wait."""
    intake = PostgresIntake(node.database)
    stored = PostgresStored(node.database)
    with stored.unit():
        refused, records = stored.refusals("", 9), stored.records(0, 9)
    with intake.unit():
        intake.retried(refused[0].id, records[0].id)  # type: ignore[arg-type]
        intake.dismissed(refused[1].id, "a test")  # type: ignore[arg-type]
    node.receive(line("9", bundle=bundle(patient("z")), lanes="z"))
    versions = PostgresVersions(node.database)
    reason = BridgeError("record-shape", Fault.US, what="odd", where="bundle", do="mend it")
    with versions.unit():
        (waiting,) = versions.claim(9)
        versions.stall(waiting, reason, CLOCK.now())


COLUMNS = [column for table in metadata.sorted_tables for column in table.c]


@pytest.mark.parametrize("column", COLUMNS, ids=str)
def test_a_changed_value_of_any_column_is_named(node: Node, column: Column[Any]) -> None:
    """Some row of it at least, where not every row's value can be told; or the reason stands."""
    named = _named(node, column)

    assert (named is not None) is (str(column) not in UNNAMED), named


def test_reasons_are_of_columns_that_exist() -> None:
    """A reason that nobody needs is taken away."""
    assert set(UNNAMED) <= {str(column) for column in COLUMNS}


def _named(node: Node, column: Column[Any]) -> Difference | None:
    """What fsck says of a value that was changed, row by row until it says something."""
    with node.database.unit():
        rows = node.database.connection.execute(
            text(f'SELECT ctid::text, "{column.name}" FROM "{column.table.name}"')  # noqa: S608
        ).all()
    assert rows, "the fixture leaves no table empty"
    for place, value in rows[:3]:
        found = None
        with suppress(DBAPIError, BridgeError), _changed(node, column, place, value):
            found = node.fsck()
        if found is not None:
            return found
    return None


@contextmanager
def _changed(node: Node, column: Column[Any], place: str, value: object) -> Iterator[None]:
    """Another value inside the block."""
    name, table = column.name, column.table.name
    write = f'UPDATE "{table}" SET "{name}" = :value WHERE ctid = CAST(:place AS tid) '  # noqa: S608
    with node.database.unit():
        found = node.database.connection.execute(
            text(write + "RETURNING ctid::text"), {"value": _other(value), "place": place}
        ).scalar_one()
    yield
    node.run(write, value=value, place=found)


def _other(value: object) -> object:
    """Another value of the same type."""
    match value:
        case bytes():
            middle = len(value) // 2
            return value[:middle] + bytes([value[middle] ^ 1]) + value[middle + 1 :]
        case bool():
            return not value
        case int() | Decimal():
            return value + 1_009
        case datetime():
            return value - timedelta(days=1)
        case str():
            return f"{value}x"
        case _:
            return None
