"""FHIR writes on a real PostgreSQL, through the real dialect: at once, whole, without races."""

import json
import threading
from typing import Any

import pytest
from sqlalchemy import text

from adapters.fhir.dialect import FhirDialect
from bridge.core.errors import BridgeError
from bridge.core.record.merge import ResourceRef
from bridge.flows.receive import Inbound
from bridge.flows.write import Ports, Written, receive_and_project
from bridge.store.database import Database
from bridge.store.intake import PostgresIntake
from bridge.store.versions import PostgresVersions
from tests.fakes.sources import CountedEntropy, FixedClock

ENTROPY = CountedEntropy()
MRN = {"system": "urn:oid:1.2.3", "value": "m1"}


def write(database: Database, body: dict[str, Any], **request: str) -> Written:
    """One write by one client."""
    raw = json.dumps(body).encode()
    return receive_and_project(
        Inbound(raw=raw, feed="http/1", number=1, sender="clinic", request=tuple(request.items())),
        Ports(
            dialect=FhirDialect(),
            intake=PostgresIntake(database),
            versions=PostgresVersions(database),
            clock=FixedClock(),
            entropy=ENTROPY,
        ),
    )


def patient(**elements: Any) -> dict[str, Any]:
    """A Patient as a client sends it."""
    return {"resourceType": "Patient", **elements}


def create(resource: dict[str, Any], condition: str = "") -> dict[str, Any]:
    """A transaction of one create."""
    request = {"method": "POST", "url": resource["resourceType"]}
    if condition:
        request["ifNoneExist"] = condition
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": "urn:uuid:0b4f3c0e-6f5a-4d3c-9d58-0c4b9a3a5b11",
                "resource": resource,
                "request": request,
            }
        ],
    }


def count(database: Database, table: str) -> int:
    """Rows of a table."""
    with database.unit():
        query = text(f"SELECT count(*) FROM {table}")  # noqa: S608  the table is the test's own
        return int(database.connection.execute(query).scalar_one())


def test_client_reads_what_it_wrote(clean: Database) -> None:
    """Record, revision and version stand when the call returns, and nothing waits in a lane."""
    written = write(clean, patient(id="a", gender="male"))
    again = write(clean, patient(id="a", gender="female"))

    (first,), (second,) = written.entries, again.entries
    assert (first.ref, first.version, first.outcome) == (ResourceRef("Patient", "a"), 1, "created")
    assert (second.version, second.outcome) == (2, "updated")
    assert (count(clean, "lane_queue"), count(clean, "revision")) == (0, 2)


def test_invalid_resource_is_quarantined_with_its_reason(clean: Database) -> None:
    """What is refused is kept, so that somebody can look."""
    written = write(clean, patient(id="a", gender=7))

    assert written.received.status == "quarantined"
    assert written.received.reason is not None
    assert (count(clean, "quarantine"), count(clean, "record")) == (1, 0)


def test_other_version_than_expected_leaves_no_trace(clean: Database) -> None:
    """If-Match of an old version is a conflict: neither record nor version is kept."""
    write(clean, patient(id="a", gender="male"))
    write(clean, patient(id="a", gender="female"))

    with pytest.raises(BridgeError, match=r"another than ifMatch names \(Patient\) - read"):
        write(clean, patient(id="a", gender="other"), ifMatch='W/"1"')
    written = write(clean, patient(id="a", gender="other"), ifMatch='W/"2"')

    assert written.entries[0].version == 3
    assert count(clean, "record") == 3


def test_conditional_create_meets_the_patient_that_stands(clean: Database) -> None:
    """The second sender of one patient gets the first one's resource, also in references."""
    first = write(clean, create(patient(identifier=[MRN]), "identifier=urn:oid:1.2.3|m1"))
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "weight"},
        "subject": {"reference": "urn:uuid:0b4f3c0e-6f5a-4d3c-9d58-0c4b9a3a5b11"},
    }
    second = create(patient(identifier=[MRN], gender="male"), "identifier=urn:oid:1.2.3|m1")
    request = {"method": "POST", "url": "Observation"}
    second["entry"].append({"resource": observation, "request": request})

    written = write(clean, second)

    met, made = written.entries
    assert (met.ref, met.version, met.outcome) == (first.entries[0].ref, 1, "unchanged")
    assert made.outcome == "created"
    with clean.unit():
        query = text("SELECT body FROM resource_version WHERE type = 'Observation'")
        body = json.loads(clean.connection.execute(query).scalar_one())
    assert body["subject"]["reference"] == str(first.entries[0].ref)


SPELLINGS = (
    "identifier=urn:oid:1.2.3|m1",
    "identifier=urn%3Aoid%3A1.2.3%7Cm1",
    "identifier=m1",
    "identifier=urn:oid:1.2.3|m1,urn:oid:1.2.3|m1",
    "active:missing=true&identifier=m1",
    "identifier=m1&_count=1",
)


@pytest.mark.parametrize("asked", [SPELLINGS[:1] * 6, SPELLINGS], ids=["alike", "otherwise"])
def test_racing_conditional_creates_make_one_resource(
    clean: Database, asked: tuple[str, ...]
) -> None:
    """Six clients at the same moment, one patient, however each asks for the identifier."""
    ready = threading.Barrier(6)
    results: list[Written] = []

    def run(condition: str, gender: str) -> None:
        body = create(patient(identifier=[MRN], gender=gender), condition)
        ready.wait()
        results.append(write(clean, body))

    names = ["male", "female", "other", "unknown", "male", "female"]
    pairs = zip(asked, names, strict=True)
    threads = [threading.Thread(target=run, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({one.entries[0].ref for one in results}) == 1
    assert len(results) == 6
    assert count(clean, "resource") == 1


def test_ambiguous_condition_writes_nothing(clean: Database) -> None:
    """Two patients meet it: the transaction is refused whole."""
    write(clean, patient(id="a", identifier=[MRN]))
    write(clean, patient(id="b", identifier=[MRN]))

    with pytest.raises(BridgeError, match=r"2 resources meet the condition"):
        write(clean, create(patient(identifier=[MRN]), "identifier=urn:oid:1.2.3|m1"))

    assert count(clean, "record") == 2


def test_deletion_and_its_successor_count_on(clean: Database) -> None:
    """A deleted resource that is written again goes on with the next version."""
    write(clean, patient(id="a"))
    removal = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"request": {"method": "DELETE", "url": "Patient/a"}}],
    }

    deleted = write(clean, removal)
    again = write(clean, patient(id="a", gender="male"))

    assert [(e.version, e.outcome) for e in deleted.entries] == [(2, "deleted")]
    assert [(e.version, e.outcome) for e in again.entries] == [(3, "created")]
