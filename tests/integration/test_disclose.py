"""Searches and reads of published bundles on a real PostgreSQL, each with the access it leaves."""

import json
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.event import listen, remove

from adapters.fhir.dialect import FhirDialect
from bridge.core.errors import BridgeError
from bridge.core.ids import RecordId
from bridge.core.policy.access import Caller, Role
from bridge.core.policy.audit import access_leaf
from bridge.core.record.merge import ResourceRef
from bridge.core.search.parameters import parse_query
from bridge.flows.disclose import (
    Everything,
    History,
    disclose_accesses,
    disclose_bundle,
    disclose_everything,
    disclose_history,
    disclose_search,
    disclose_source,
    disclose_version,
)
from bridge.flows.receive import Inbound
from bridge.flows.write import Ports, Written, receive_and_project
from bridge.ports.reading import Page, Wanted
from bridge.store.database import Database
from bridge.store.intake import PostgresIntake
from bridge.store.reading import PostgresReading
from bridge.store.versions import PostgresVersions
from tests.fakes.sources import CountedEntropy, FixedClock

READER = Caller(subject="clinic", roles=frozenset({Role.READER}))
OFFICER = Caller(subject="officer", roles=frozenset({Role.COMPLIANCE}), purpose="HOPERAT")
CLOCK = FixedClock()
ENTROPY = CountedEntropy()


@pytest.fixture(scope="module")
def ward(database: Database) -> Database:
    """Two patients with five observations each, an encounter, and the people around them."""
    for n in (1, 2):
        put(database, "Practitioner", f"dr{n}", name=[{"family": f"Doctor{n}"}])
        put(
            database,
            "Patient",
            f"p{n}",
            identifier=[{"system": "urn:mrn", "value": f"m{n}"}],
            name=[{"family": ["M\u00fcller", "Meier"][n - 1], "given": ["Ada"]}],
            birthDate=f"19{n}0-03-0{n}",
            generalPractitioner=[{"reference": f"Practitioner/dr{n}"}],
        )
        for i in range(5):
            put(
                database,
                "Observation",
                f"o{n}{i}",
                status="final" if i else "preliminary",
                code={"coding": [{"system": "http://loinc.org", "code": f"718-{i}"}]},
                subject={"reference": f"Patient/p{n}"},
                performer=[{"reference": f"Practitioner/dr{n}"}],
                effectiveDateTime=f"2026-0{5 - i}-10T10:00:00Z",
                valueQuantity={
                    "value": 10 + i,
                    "unit": "g/dL",
                    "system": "http://unitsofmeasure.org",
                    "code": "g/dL",
                },
            )
    return database


def put(database: Database, kind: str, key: str, **elements: Any) -> Written:
    """Write one resource."""
    CLOCK.advance(1)
    raw = json.dumps({"resourceType": kind, "id": key, **elements}).encode()
    return receive_and_project(
        Inbound(raw=raw, feed="http/1", number=1, sender="clinic"),
        Ports(
            dialect=FhirDialect(),
            intake=PostgresIntake(database),
            versions=PostgresVersions(database),
            clock=CLOCK,
            entropy=ENTROPY,
        ),
    )


def search(database: Database, kind: str, *pairs: tuple[str, str], caller: Caller = READER) -> Page:
    """One page."""
    return disclose_search(
        parse_query(kind, pairs),
        caller=caller,
        reading=PostgresReading(database),
        clock=CLOCK,
        entropy=ENTROPY,
    )


def ids(page: Page) -> list[str]:
    """Ids of the matches in order."""
    return [one.ref.id for one in page.matches]


def last_event(database: Database) -> dict[str, Any]:
    """The newest access event."""
    with database.unit():
        query = text("SELECT event FROM access ORDER BY seq DESC LIMIT 1")
        event: dict[str, Any] = json.loads(database.connection.execute(query).scalar_one())
    return event


ALL1 = ["o10", "o11", "o12", "o13", "o14"]


@pytest.mark.parametrize(
    ("kind", "query", "found"),
    [
        ("Patient", [("_id", "p1")], ["p1"]),
        ("Patient", [("identifier", "urn:mrn|m2")], ["p2"]),
        ("Patient", [("identifier", "m2,m1")], ["p1", "p2"]),
        ("Patient", [("identifier", "urn:other|m2")], []),
        ("Patient", [("family", "mull")], ["p1"]),
        ("Patient", [("family:exact", "Meier")], ["p2"]),
        ("Patient", [("family:exact", "meier")], []),
        ("Patient", [("name:contains", "eie")], ["p2"]),
        ("Patient", [("birthdate", "1910")], ["p1"]),
        ("Patient", [("birthdate", "lt1915-01-01")], ["p1"]),
        ("Patient", [("birthdate", "ge1910-03-01"), ("birthdate", "le1920-03-02")], ["p1", "p2"]),
        ("Patient", [("gender:missing", "true"), ("_id", "p1,p2")], ["p1", "p2"]),
        ("Patient", [("gender:missing", "false"), ("_id", "p1,p2")], []),
        ("Patient", [("general-practitioner", "Practitioner/dr2")], ["p2"]),
        ("Observation", [("patient", "p1")], ALL1),
        ("Observation", [("patient", "Patient/p1"), ("status", "final")], ALL1[1:]),
        ("Observation", [("patient", "p1"), ("status:not", "final")], ["o10"]),
        ("Observation", [("patient", "p1"), ("code", "http://loinc.org|718-2")], ["o12"]),
        ("Observation", [("patient", "p1"), ("code", "http://loinc.org|")], ALL1),
        ("Observation", [("patient", "p1"), ("date", "gt2026-04")], ["o10"]),
        ("Observation", [("patient", "p1"), ("date", "2026-03-10")], ["o12"]),
        ("Observation", [("patient", "p1"), ("_sort", "date")], ALL1[::-1]),
        ("Observation", [("patient", "p1"), ("_sort", "-date")], ALL1),
        ("Observation", [("patient", "p1"), ("_sort", "-_lastUpdated")], ALL1[::-1]),
        ("Observation", [("patient", "p1"), ("value-quantity", "12")], ["o12"]),
        (
            "Observation",
            [("patient", "p1"), ("value-quantity", "gt12|http://unitsofmeasure.org|g/dL")],
            ["o13", "o14"],
        ),
    ],
    ids=str,
)
def test_search_finds(
    ward: Database, kind: str, query: list[tuple[str, str]], found: list[str]
) -> None:
    """What FHIR says that each parameter, prefix and modifier finds."""
    page = search(ward, kind, *query)

    assert ids(page) == found


@pytest.mark.parametrize("sort", ["", "date", "-date", "-_lastUpdated", "_id"])
def test_pages_follow_each_other_without_gap_or_repeat(ward: Database, sort: str) -> None:
    """Every match comes once, whatever the order, and the total is told."""
    query = [("subject:missing", "false"), ("_count", "3"), ("_total", "accurate")]
    query += [("_sort", sort)] if sort else []
    page = search(ward, "Observation", *query)
    seen, total = ids(page), page.total
    while page.next:
        page = search(ward, "Observation", *query, ("_page", page.next))
        seen += ids(page)

    assert total == 10
    assert len(seen) == 10
    assert sorted(seen) == sorted({*ALL1, *(name.replace("o1", "o2") for name in ALL1)})


def test_page_token_of_another_caller_is_refused(ward: Database) -> None:
    """A link that was passed on shows nothing."""
    page = search(ward, "Observation", ("_count", "3"))
    token = ("_page", page.next)

    with pytest.raises(BridgeError, match=r"another caller or another query \(page\) - start"):
        search(ward, "Observation", ("_count", "3"), token, caller=OFFICER)
    with pytest.raises(BridgeError, match=r"another caller or another query"):
        search(ward, "Observation", ("_count", "3"), ("status", "final"), token)
    with pytest.raises(BridgeError, match=r"this is no page token of this server"):
        search(ward, "Observation", ("_count", "3"), ("_page", "xx"))


def test_includes_lead_both_ways_once(ward: Database) -> None:
    """What the matches refer to, and what refers to them, each once."""
    forward = search(
        ward,
        "Observation",
        ("patient", "p1"),
        ("_include", "Observation:performer"),
        ("_include", "Observation:subject"),
    )
    reverse = search(ward, "Patient", ("_id", "p2"), ("_revinclude", "Observation:patient"))

    assert [str(one.ref) for one in forward.included] == ["Practitioner/dr1", "Patient/p1"]
    assert {one.ref.id for one in reverse.included} == {"o20", "o21", "o22", "o23", "o24"}


def test_count_alone_shows_nothing_else(ward: Database) -> None:
    """`_summary=count` is a number."""
    page = search(ward, "Observation", ("patient", "p1"), ("_summary", "count"))

    assert (page.matches, page.total) == ((), 5)


def test_search_leaves_an_event_with_names_and_no_values(ward: Database) -> None:
    """Who, when, what for, which resources and patients; not what was searched for."""
    search(ward, "Patient", ("family", "Meier"), ("birthdate", "1920-03-02"))

    event = last_event(ward)
    references = [entity["what"]["reference"] for entity in event["entity"] if "what" in entity]
    assert references == ["Patient/p2/_history/1", "Patient/p2"]
    assert event["agent"][0]["who"]["identifier"]["value"] == "clinic"
    assert event["purposeOfEvent"][0]["coding"][0]["code"] == "TREAT"
    assert event["entity"][-1]["detail"] == [
        {"type": "parameter", "valueString": "family"},
        {"type": "parameter", "valueString": "birthdate"},
    ]
    assert "Meier" not in json.dumps(event)
    assert "1920" not in json.dumps(event)


def test_access_has_a_leaf_that_its_salt_opens(ward: Database) -> None:
    """The leaf that waits for the log is the one that event and salts give."""
    search(ward, "Patient", ("_id", "p1"))

    with ward.unit():
        newest = text("SELECT id, event, salts FROM access ORDER BY seq DESC LIMIT 1")
        row = ward.connection.execute(newest).one()
        found = text("SELECT kind, leaf FROM leaf_queue WHERE subject = :id")
        kind, leaf = ward.connection.execute(found, {"id": row.id}).one()
    assert (kind, leaf) == (5, access_leaf(row.event, row.salts))


def test_read_versions_and_history(ward: Database) -> None:
    """Read gives the newest, vread any, history all, newest first."""
    put(ward, "Basic", "b", code={"text": "one"})
    put(ward, "Basic", "b", code={"text": "two"})
    put(ward, "Basic", "b", code={"text": "three"})
    ports: dict[str, Any] = {
        "caller": READER,
        "reading": PostgresReading(ward),
        "clock": CLOCK,
        "entropy": ENTROPY,
    }
    ref = ResourceRef("Basic", "b")

    newest, second = disclose_version(ref, **ports), disclose_version(ref, 2, **ports)
    first_page = disclose_history(History(ref=ref, count=2), **ports)
    rest = disclose_history(History(ref=ref, count=2, before=int(first_page.next)), **ports)

    assert (newest.version, second.version) == (3, 2)
    assert json.loads(newest.body)["code"] == {"text": "three"}
    assert ([one.version for one in first_page.matches], first_page.total) == ([3, 2], 3)
    assert ([one.version for one in rest.matches], rest.next) == ([1], "")
    with pytest.raises(BridgeError, match=r"there is no such resource version \(Basic\)"):
        disclose_version(ref, 9, **ports)


def test_everything_holds_the_compartment_and_what_it_refers_to(ward: Database) -> None:
    """The patient's own, the people around, and nothing of another patient."""
    found: list[str] = []
    page = Page(matches=(), next="first")
    while page.next:
        token = "" if page.next == "first" else page.next
        page = disclose_everything(
            Everything(patient="p1", count=3, page=token),
            caller=READER,
            reading=PostgresReading(ward),
            clock=CLOCK,
            entropy=ENTROPY,
        )
        found += [str(one.ref) for one in page.matches]

    assert found == [*(f"Observation/{name}" for name in ALL1), "Patient/p1", "Practitioner/dr1"]


def test_everything_of_a_survivor_holds_what_the_retired_had(ward: Database) -> None:
    """A merged into B, B into C: C has all of it, B what A had too, A its own; all is noted.

    That each also shows who links to it is of the compartment.
    """
    names = ("ma", "mb", "mc")
    for name, takes, gives in (("ma", "", "mb"), ("mb", "ma", "mc"), ("mc", "mb", "")):
        links = [
            {"other": {"reference": f"Patient/{other}"}, "type": kind}
            for other, kind in ((takes, "replaces"), (gives, "replaced-by"))
            if other
        ]
        put(ward, "Patient", name, link=links)
        put(ward, "Condition", f"of-{name}", subject={"reference": f"Patient/{name}"})

    found = {name: _everything(ward, name) for name in names}

    assert found == {
        "ma": ["Condition/of-ma", "Patient/ma", "Patient/mb"],
        "mb": ["Condition/of-ma", "Condition/of-mb", "Patient/ma", "Patient/mb", "Patient/mc"],
        "mc": [f"Condition/of-{name}" for name in names] + [f"Patient/{name}" for name in names],
    }
    conditions = {name: ids(search(ward, "Condition", ("patient", name))) for name in names}
    assert conditions == {
        "ma": ["of-ma"],
        "mb": ["of-ma", "of-mb"],
        "mc": ["of-ma", "of-mb", "of-mc"],
    }
    noted = {
        entity["what"]["reference"] for entity in last_event(ward)["entity"] if "what" in entity
    }
    assert {"Patient/ma", "Patient/mb", "Patient/mc"} <= noted


def test_everything_of_records_that_replace_each_other_ends(ward: Database) -> None:
    """A circle of links, as two registrars can make, is walked once."""
    for name, other in (("ra", "rb"), ("rb", "ra")):
        put(
            ward,
            "Patient",
            name,
            link=[
                {"other": {"reference": f"Patient/{other}"}, "type": "replaces"},
                {"other": {"reference": "Patient/never-seen"}, "type": "replaces"},
            ],
        )

    assert _everything(ward, "ra") == ["Patient/ra", "Patient/rb"]
    assert ids(search(ward, "Condition", ("patient", "ra"))) == []


def test_retired_record_alone_may_say_who_took_it_over(ward: Database) -> None:
    """FHIR assumes no mutual links: a master index may write `replaced-by` and nothing else."""
    put(ward, "Patient", "sa")
    link = [{"other": {"reference": "Patient/sa"}, "type": "replaced-by"}]
    put(ward, "Patient", "sb", link=link)
    also = [{"other": {"reference": "Patient/sa"}, "type": "seealso"}]
    put(ward, "Patient", "sc", link=also)
    for name in ("sa", "sb", "sc"):
        put(ward, "Condition", f"of-{name}", subject={"reference": f"Patient/{name}"})

    found = [ids(search(ward, "Condition", ("subject", name))) for name in ("sa", "sb", "sc")]
    put(ward, "Patient", "sb")

    assert found == [["of-sa", "of-sb"], ["of-sb"], ["of-sc"]]
    assert ids(search(ward, "Condition", ("subject", "sa"))) == ["of-sa"]


def test_search_of_an_unmerged_patient_costs_one_look_up_more(ward: Database) -> None:
    """The links are looked up in the index, once for all patients that are asked for."""

    def statements(*pairs: tuple[str, str]) -> int:
        said: list[str] = []

        def note(*event: object) -> None:
            said.append(str(event[2]))

        listen(Engine, "before_cursor_execute", note)
        try:
            search(ward, "Observation", *pairs)
        finally:
            remove(Engine, "before_cursor_execute", note)
        return len(said)

    plain = statements(("_id", "o10,o20"))

    assert statements(("patient", "p1")) == plain + 1
    assert statements(("patient", "p1,p2,nobody")) == plain + 1


def _everything(ward: Database, patient: str) -> list[str]:
    page = disclose_everything(
        Everything(patient=patient),
        caller=READER,
        reading=PostgresReading(ward),
        clock=CLOCK,
        entropy=ENTROPY,
    )
    return [str(one.ref) for one in page.matches]


def test_source_and_bundle_are_exact_and_noted(ward: Database) -> None:
    """The bytes as received, the bytes as hashed, and the patient they concern in the event."""
    written = put(ward, "Condition", "c1", subject={"reference": "Patient/p2"})
    ports: dict[str, Any] = {
        "caller": READER,
        "reading": PostgresReading(ward),
        "clock": CLOCK,
        "entropy": ENTROPY,
    }
    record = written.received.record

    source = disclose_source(record, **ports)
    bundle = disclose_bundle(record, **ports)

    assert json.loads(source)["subject"] == {"reference": "Patient/p2"}
    assert source.startswith(b'{"resourceType": "Condition", ')
    assert written.received.bundle is not None
    assert bundle == written.received.bundle.canonical
    names = [entity["what"]["reference"] for entity in last_event(ward)["entity"]]
    assert names == [f"records/{record}/bundle", "Patient/p2"]
    with pytest.raises(BridgeError, match="there is no such record"):
        disclose_source(RecordId("none"), **ports)


def test_patient_can_be_told_who_looked(ward: Database) -> None:
    """Accesses of one patient, newest first; that they were read is noted too."""
    search(ward, "Observation", ("_id", "o20"))
    ports: dict[str, Any] = {
        "caller": OFFICER,
        "reading": PostgresReading(ward),
        "clock": CLOCK,
        "entropy": ENTROPY,
    }

    page = disclose_accesses(History(ref=ResourceRef("Patient", "p2"), count=1), **ports)
    again = disclose_accesses(History(ref=ResourceRef("Patient", "p2"), count=1), **ports)

    event = json.loads(page.matches[0].body)
    assert event["entity"][0]["what"]["reference"] == "Observation/o20/_history/1"
    assert json.loads(again.matches[0].body)["agent"][0]["who"]["identifier"]["value"] == "officer"


@pytest.mark.parametrize(
    ("caller", "words"),
    [
        pytest.param(
            Caller(subject="lab", roles=frozenset({Role.SENDER})),
            r"needs one of the roles admin, compliance, reader \(access token\)",
            id="sender",
        ),
        pytest.param(
            Caller(subject="x", roles=frozenset({Role.READER}), purpose="why not"),
            r"no code of v3-PurposeOfUse \(purpose\)",
            id="purpose",
        ),
    ],
)
def test_caller_who_may_not_sees_nothing(ward: Database, caller: Caller, words: str) -> None:
    """The decision comes before the content."""
    with pytest.raises(BridgeError, match=words):
        search(ward, "Patient", ("_id", "p1"), caller=caller)


def test_no_access_event_no_content(ward: Database) -> None:
    """When the event cannot be written, nothing is shown."""
    with ward.unit():
        ward.connection.execute(text("ALTER TABLE access RENAME TO gone"))
    try:
        with pytest.raises(BridgeError, match="the database cannot work, SQLSTATE 42P01"):
            search(ward, "Patient", ("_id", "p1"))
    finally:
        with ward.unit():
            ward.connection.execute(text("ALTER TABLE gone RENAME TO access"))


def test_records_are_found_and_followed(ward: Database) -> None:
    """By sender and time, page by page, newest first, with what became of each."""
    reading, wanted = PostgresReading(ward), Wanted(sender="clinic")

    with ward.unit():
        first = reading.records(wanted, count=4)
        second = reading.records(wanted, count=4, page=first.next)
        none = reading.records(Wanted(control_id="absent"))
        one = reading.record(first.records[0].id)

    assert len({row.id for row in (*first.records, *second.records)}) == 8
    assert first.records[0].received > second.records[-1].received
    assert none.records == ()
    assert one == first.records[0]
    assert one.projected is not None
    assert (one.index, one.checkpoint_size) == (None, None)
