"""A refused input that is received again after its rules were mended."""

import pytest

from bridge.core.errors import BridgeError
from bridge.core.ids import RecordId
from bridge.core.record.bundle import CanonicalBundle
from bridge.flows.receive import Inbound, Received, receive
from bridge.flows.retry import Retry, retry
from bridge.ports.reading import Refusal
from bridge.store.database import Database
from bridge.store.intake import PostgresIntake
from bridge.store.reading import PostgresReading
from tests.fakes.dialect import LineDialect, line
from tests.fakes.sources import CountedEntropy, FixedClock

ENTROPY = CountedEntropy()


class Mended(LineDialect):
    """The same dialect with rules that know what to do with `bad`."""

    def convert(self, raw: bytes, *, sender: str, charset: str = "") -> CanonicalBundle:
        """Convert what was refused before."""
        return super().convert(raw.replace(b"|bad", b"|{}"), sender=sender, charset=charset)


def refuse(database: Database) -> RecordId:
    """A refused input."""
    (one,) = receive(
        [Inbound(raw=line("1", bundle="bad"), feed="mllp/1", number=1)],
        dialect=LineDialect(),
        intake=PostgresIntake(database),
        clock=FixedClock(),
        entropy=ENTROPY,
    )
    return one.record


def again(database: Database, record: RecordId, dialect: LineDialect) -> Received:
    """Retry it."""
    return retry(
        Retry(refused=record, feed="retry/1", number=1),
        dialects={"line": dialect},
        reading=PostgresReading(database),
        intake=PostgresIntake(database),
        clock=FixedClock(),
        entropy=ENTROPY,
    )


def refusal(database: Database, record: RecordId) -> Refusal:
    """As it stands."""
    with database.unit():
        found = PostgresReading(database).refusal(record)
    assert found is not None
    return found


def test_mended_input_becomes_a_record_and_closes_the_refusal(clean: Database) -> None:
    """The refusal names the record, and leaves the list of open ones."""
    record = refuse(clean)

    received = again(clean, record, Mended())

    found = refusal(clean, record)
    assert received.status == "stored"
    assert (found.state, found.retried_as) == ("retried", received.record)
    with clean.unit():
        assert PostgresReading(clean).refusals().refusals == ()
    with pytest.raises(BridgeError, match=r"this input is retried already \(record\) - look"):
        again(clean, record, Mended())


def test_input_that_is_refused_again_stays_open(clean: Database) -> None:
    """It is counted on the same row."""
    record = refuse(clean)

    received = again(clean, record, LineDialect())

    found = refusal(clean, record)
    assert (received.status, received.record) == ("quarantined", record)
    assert (found.state, found.times) == ("open", 2)


def test_unknown_refusal_is_said_to_be_unknown(clean: Database) -> None:
    """An id that was never given out."""
    with pytest.raises(BridgeError, match=r"there is no such refused input \(record\)"):
        again(clean, RecordId("none"), Mended())
