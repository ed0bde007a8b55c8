"""What only a real PostgreSQL shows of intake: rows, order, races, and text it cannot hold."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from sqlalchemy import text

from bridge.core.record.bundle import CanonicalBundle, Unmapped
from bridge.flows.receive import Inbound, Received, receive
from bridge.ports.intake import Appended, NewRecord
from bridge.store.database import Database
from bridge.store.intake import PostgresIntake
from bridge.store.work_items import PostgresWorkItems
from tests.fakes.dialect import LineDialect, line
from tests.fakes.sources import CountedEntropy, FixedClock

ENTROPY = CountedEntropy()


def send(
    database: Database,
    *raws: bytes,
    dialect: LineDialect | None = None,
    intake: PostgresIntake | None = None,
) -> tuple[Received, ...]:
    """Receive the inputs as one group."""
    return receive(
        [Inbound(raw=raw, feed="test/1", number=i) for i, raw in enumerate(raws)],
        dialect=dialect or LineDialect(),
        intake=intake or PostgresIntake(database),
        clock=FixedClock(),
        entropy=ENTROPY,
    )


def rows(database: Database, query: str) -> list[tuple[object, ...]]:
    """What stands in the database."""
    with database.unit():
        return [tuple(row) for row in database.connection.execute(text(query))]


def test_record_lanes_and_leaf_stand_together_in_order(clean: Database) -> None:
    """Sequence numbers, lanes and pending leaves follow the order of arrival."""
    sent = send(clean, line("1", lanes="b,a"), line("2", lanes="a"), line("1", lanes="b,a"))

    ids = [sent[0].record, sent[1].record]
    assert rows(clean, "SELECT seq, id FROM record ORDER BY seq") == [(1, ids[0]), (2, ids[1])]
    assert rows(clean, "SELECT seq, lane FROM lane_queue ORDER BY 1, 2") == [
        (1, "a"),
        (1, "b"),
        (2, "a"),
    ]
    assert rows(clean, "SELECT kind, subject FROM leaf_queue ORDER BY id") == [
        (1, ids[0]),
        (1, ids[1]),
    ]


def test_source_is_kept_to_the_byte(clean: Database) -> None:
    """NUL and invalid UTF-8 in control id and sender fail nothing and change no byte."""
    raw = b"la\0b|c\0\xff|p1|{}"

    (stored,) = send(clean, raw)

    assert stored.status == "stored"
    assert rows(clean, "SELECT source FROM record") == [(raw,)]


@pytest.mark.parametrize("attempt", range(3))
def test_racing_resends_in_opposite_order_lose_nothing(clean: Database, attempt: int) -> None:
    """Two connections that resend the same messages crosswise end with one record each."""
    raws = [line(f"{attempt}-{i}") for i in range(60)]
    ready = threading.Barrier(2)
    results: list[tuple[Received, ...]] = []

    def run(order: list[bytes]) -> None:
        ready.wait()
        results.append(send(clean, *order))

    threads = [threading.Thread(target=run, args=(order,)) for order in (raws, raws[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(results) == 2
    assert {one.record for one in results[0]} == {one.record for one in results[1]}
    assert rows(clean, "SELECT count(*) FROM record") == [(60,)]


class _Coded(LineDialect):
    """Every input holds the same code that no table has."""

    def convert(self, raw: bytes, *, sender: str, charset: str = "") -> CanonicalBundle:
        """With the code."""
        bundle = super().convert(raw, sender=sender, charset=charset)
        return replace(bundle, unmapped=(Unmapped(field="OBX-3", system="L", code="GLU"),))


class _Interrupted(PostgresIntake):
    """Another door stores while this one's transaction is open."""

    def __init__(self, database: Database, meanwhile: Callable[[], object]) -> None:
        super().__init__(database)
        self._meanwhile = meanwhile

    def append(self, records: Sequence[NewRecord]) -> tuple[Appended, ...]:
        """Then the other one."""
        appended = super().append(records)
        self._meanwhile()
        return appended


def test_doors_with_the_same_unmapped_code_do_not_wait_for_each_other(
    clean: Database, database_url: str
) -> None:
    """Both are counted later, as one item that was seen twice."""
    other = Database(database_url, statement_s=5)
    coded = _Coded()

    first = _Interrupted(clean, lambda: send(other, line("2"), dialect=coded))
    send(clean, line("1"), dialect=coded, intake=first)
    other.close()

    items = PostgresWorkItems(clean)
    with items.unit():
        (item,) = items.items()
    assert (item.field, item.code, item.times) == ("OBX-3", "GLU", 2)
    assert rows(clean, "SELECT count(*) FROM unmapped_code") == [(0,)]
