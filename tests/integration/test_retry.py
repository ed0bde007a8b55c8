"""A refused input that is received again after its rules were mended."""

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest
from sqlalchemy import text

from adapters.fhir.dialect import FhirDialect
from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import RecordId
from bridge.core.policy.access import Caller, Role
from bridge.core.record.bundle import CanonicalBundle
from bridge.flows.project import project
from bridge.flows.receive import Inbound, Received, receive
from bridge.flows.retry import Retry, dismiss, resume, retry
from bridge.flows.write import Ports, receive_and_project
from bridge.ports.reading import Refusal, Wanted
from bridge.store.database import Database
from bridge.store.intake import PostgresIntake
from bridge.store.reading import PostgresReading
from bridge.store.versions import PostgresVersions
from tests.fakes.dialect import LineDialect, line
from tests.fakes.sources import CountedEntropy, FixedClock

ENTROPY = CountedEntropy()
OFFICER = Caller(subject="officer", roles=frozenset({Role.COMPLIANCE}))
CLINIC = Caller(subject="clinic", roles=frozenset({Role.SENDER, Role.READER}))


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


def ports(database: Database) -> Ports:
    """Of a node."""
    return Ports(
        dialect=FhirDialect(),
        intake=PostgresIntake(database),
        versions=PostgresVersions(database),
        clock=FixedClock(),
        entropy=ENTROPY,
    )


def again(database: Database, record: RecordId, dialect: LineDialect) -> Received:
    """Retry it."""
    return retry(
        Retry(refused=record, feed="retry/1", number=1),
        caller=OFFICER,
        dialects={"line": dialect},
        ports=ports(database),
        reading=PostgresReading(database),
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


def last_event(database: Database) -> str:
    """The newest access event, as text."""
    with database.unit():
        query = text("SELECT event FROM access ORDER BY seq DESC LIMIT 1")
        return bytes(database.connection.execute(query).scalar_one()).decode()


def test_retry_and_its_event_are_one_transaction(clean: Database) -> None:
    """Who retried stands with the record that it made; neither stands without the other."""
    record = refuse(clean)

    again(clean, record, Mended())

    event = last_event(clean)
    assert f"records/{record}/retry" in event
    assert "officer" in event


def test_retry_whose_event_cannot_be_kept_leaves_the_refusal_open(clean: Database) -> None:
    """No record, no closed refusal."""
    record = refuse(clean)
    with clean.unit():
        clean.connection.execute(text("ALTER TABLE access RENAME TO gone"))
    try:
        with pytest.raises(BridgeError, match="the database cannot work, SQLSTATE 42P01"):
            again(clean, record, Mended())
    finally:
        with clean.unit():
            clean.connection.execute(text("ALTER TABLE gone RENAME TO access"))

    assert refusal(clean, record).state == "open"
    with clean.unit():
        assert PostgresReading(clean).records(Wanted()).records == ()


def test_sender_may_neither_retry_nor_dismiss(clean: Database) -> None:
    """Both are for those with oversight."""
    record = refuse(clean)
    asked = Retry(refused=record, feed="retry/1", number=1)
    reading = PostgresReading(clean)

    with pytest.raises(BridgeError, match="this needs one of the roles admin, compliance"):
        retry(asked, caller=CLINIC, dialects={}, ports=ports(clean), reading=reading)
    with pytest.raises(BridgeError, match="this needs one of the roles admin, compliance"):
        dismiss(record, "a test", caller=CLINIC, ports=ports(clean), reading=reading)


def test_dismissed_refusal_says_why_and_is_closed(clean: Database) -> None:
    """The reason is kept, the bytes stay, a retry is refused."""
    record = refuse(clean)
    reading = PostgresReading(clean)

    dismiss(record, "a test message", caller=OFFICER, ports=ports(clean), reading=reading)

    found = refusal(clean, record)
    assert (found.state, found.dismissed_because) == ("dismissed", "a test message")
    assert f"records/{record}/dismiss" in last_event(clean)
    with pytest.raises(BridgeError, match=r"this input is dismissed already \(record\) - look"):
        again(clean, record, Mended())
    with pytest.raises(BridgeError, match="this input is dismissed already"):
        dismiss(record, "once more", caller=OFFICER, ports=ports(clean), reading=reading)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 1001, "a\0b"])
def test_dismissal_needs_a_reason(clean: Database, reason: str) -> None:
    """Somebody will ask later."""
    with pytest.raises(BridgeError, match=r"1 to 1000 characters is needed \(reason\) - say why"):
        dismiss(
            RecordId("any"),
            reason,
            caller=OFFICER,
            ports=ports(clean),
            reading=PostgresReading(clean),
        )


def test_refused_fhir_write_is_retried_as_the_request_said(clean: Database) -> None:
    """A create stays a create, with an id of the server, also when the body has one."""
    body = json.dumps({"resourceType": "Patient", "id": "mine", "gender": "male"}).encode()
    request = (("method", "POST"), ("url", "Patient"))
    inbound = Inbound(raw=body, feed="http/1", number=1, sender="clinic", request=request)
    refused = receive_and_project(
        Inbound(raw=body, feed="http/1", number=1, sender="clinic", request=request),
        replace_dialect(ports(clean)),
    ).received
    assert refused.status == "quarantined"

    received = again(clean, refused.record, LineDialect())

    straight = receive_and_project(inbound, ports(clean))
    assert received.status == "stored"
    assert straight.entries[0].outcome == "unchanged"


class Strict(FhirDialect):
    """Rules that took nothing."""

    def convert_request(
        self, raw: bytes, *, sender: str, request: Mapping[str, str]
    ) -> CanonicalBundle:
        """Refuse."""
        del raw, sender, request
        raise BridgeError("too-strict", Fault.SENDER, what="no", where="Patient", do="wait")


def replace_dialect(usual: Ports) -> Ports:
    """The same node with rules that take nothing."""
    return replace(usual, dialect=Strict())


def test_stalled_record_is_set_going_and_stalls_again_if_nothing_was_mended(
    clean: Database,
) -> None:
    """The lane runs after `resume`; what cannot be applied stops it with the reason of then."""
    versions, reading = PostgresVersions(clean), PostgresReading(clean)
    (one,) = receive(
        [
            Inbound(
                raw=line("1", bundle='{"entry":[{"resource":{"resourceType":"Basic"}}]}'),
                feed="mllp/1",
                number=1,
            )
        ],
        dialect=LineDialect(),
        intake=PostgresIntake(clean),
        clock=FixedClock(),
        entropy=ENTROPY,
    )
    project(versions=versions, clock=FixedClock(), entropy=ENTROPY)
    with clean.unit():
        halt = reading.halt(one.record)

    resumed = resume(one.record, caller=OFFICER, ports=ports(clean), reading=reading)
    twice = resume(one.record, caller=OFFICER, ports=ports(clean), reading=reading)
    again_stalled = project(versions=versions, clock=FixedClock(), entropy=ENTROPY)

    assert halt is not None
    assert (halt.record, halt.code) == (one.record, "entry-without-identity")
    assert (resumed, twice) == (True, False)
    assert again_stalled.stalled == 1
    with clean.unit():
        assert [halt.record for halt in reading.halts()] == [one.record]
