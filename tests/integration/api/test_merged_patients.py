"""Searches after a merge over HL7v2: the survivor has all that the person has."""

from collections import Counter
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bridge.flows.fsck.revisions import revisions
from bridge.flows.project import project
from tests.integration.api.outcomes import refused
from tests.served_api import ServedApi

ER7 = {"Content-Type": "application/hl7-v2"}
NOW = "20261122140000"
KEPT, RETIRED = "PID|1||K1^^^HOSP^MR||DOE^JANE||19800101|F", "PID|1||R1^^^HOSP^MR||DOE^JANE"


def send(api: ServedApi, control: str, kind: str, *lines: str) -> None:
    """One message, applied."""
    head = f"MSH|^~\\&|HIS|HOSP|EHR|REGION|{NOW}||{kind}|{control}|P|2.5.1"
    event = f"EVN||{NOW}"
    raw = "\r".join([head, *([event] if kind.startswith("ADT") else []), *lines, ""]).encode()
    answer = api["sender"].post("/hl7v2", content=raw, headers=ER7)
    assert b"MSA|AA" in answer.content, answer.text
    node = api.services
    project(versions=node.versions, clock=node.clock, entropy=node.entropy)


def results(api: ServedApi, patient: str, number: str) -> None:
    """An order with three results."""
    send(
        api,
        f"O{number}",
        "ORU^R01^ORU_R01",
        patient,
        f"OBR|1|P{number}|F{number}|24323-8^Panel^LN|||{NOW}",
        *(f"OBX|{n}|NM|718-{n}^Test {n}^LN||{n}.5|g/dL|||||F|||{NOW}" for n in (1, 2, 3)),
    )


@pytest.fixture(scope="module")
def kept(api: ServedApi) -> str:
    """Two numbers of one person with a visit and three results each; the id of the first."""
    for patient, number in ((KEPT, "1"), (RETIRED, "2")):
        send(api, f"A{number}", "ADT^A01^ADT_A01", patient, f"PV1|1|I|WARD^1^1{'|' * 16}V{number}")
        results(api, patient, number)
    return name_of(api, "K1")


def name_of(api: ServedApi, number: str) -> str:
    """The id of the patient of this number."""
    (entry,) = get(api, f"/fhir/Patient?identifier={number}")["entry"]
    name: str = entry["resource"]["id"]
    return name


def get(api: ServedApi, url: str, role: str = "reader") -> Any:
    """The answer of a search."""
    answer = api[role].get(url)
    assert answer.status_code == 200, answer.text
    return answer.json()


def subjects(found: Any) -> set[str]:
    """Whom the matches are about."""
    return {one["resource"]["subject"]["reference"] for one in matches(found)}


def matches(found: Any) -> list[Any]:
    """The entries that match, without what they lead to."""
    return [one for one in found.get("entry", []) if one["search"]["mode"] == "match"]


def told(found: Any) -> set[str]:
    """What the only access entry of the answer names."""
    (event,) = matches(found)
    return {one["what"]["reference"] for one in event["resource"]["entity"] if "what" in one}


def test_search_follows_a_merge_and_its_undoing(api: ServedApi, kept: str) -> None:
    """A40 brings both halves together, A37 takes them apart; the retired number keeps its own."""
    send(api, "M0", "ADT^A37^ADT_A37", KEPT, RETIRED)
    old = name_of(api, "R1")
    urls = {
        "Observation?patient={}": 3,
        "Observation?subject={}": 3,
        "Observation?subject=Patient/{}": 3,
        "Observation?patient:Patient={}": 3,
        "Observation?subject=http://node.test/fhir/Patient/{}": 3,
        "Observation?patient={}&code=http://loinc.org|718-2": 1,
        "DiagnosticReport?patient={}": 1,
        "Encounter?patient=Patient/{}": 1,
    }

    def found(patient: str) -> dict[str, int]:
        return {url: len(matches(get(api, f"/fhir/{url.format(patient)}"))) for url in urls}

    assert found(kept) == urls
    send(api, "M1", "ADT^A40^ADT_A39", KEPT, "MRG|R1^^^HOSP^MR")
    assert found(kept) == {url: 2 * count for url, count in urls.items()}
    assert found(old) == urls
    send(api, "M2", "ADT^A37^ADT_A37", KEPT, RETIRED)
    assert found(kept) == found(old) == urls


def test_pages_total_and_includes_cover_both_records(api: ServedApi, kept: str) -> None:
    """Each result once, the total told, both patients included, the self link as it was asked."""
    send(api, "M3", "ADT^A40^ADT_A39", KEPT, "MRG|R1^^^HOSP^MR")
    old = name_of(api, "R1")
    url = f"/fhir/Observation?patient={kept}&_count=2&_total=accurate&_include=Observation:patient"
    seen, included, totals = [], set(), set()
    while url:
        page = get(api, url)
        links = {link["relation"]: link["url"] for link in page["link"]}
        assert parse_qs(urlsplit(links["self"]).query)["patient"] == [kept]
        seen += [one["resource"]["id"] for one in matches(page)]
        included |= {one["fullUrl"] for one in page["entry"]} - {
            one["fullUrl"] for one in matches(page)
        }
        totals.add(page["total"])
        url = links.get("next", "")

    assert (len(seen), len(set(seen)), totals) == (6, 6, {6})
    assert {one.rpartition("/")[2] for one in included} == {kept, old}
    assert get(api, f"/fhir/Observation?patient={kept}&_summary=count")["total"] == 6


def test_revinclude_of_the_survivor_finds_both_records(api: ServedApi, kept: str) -> None:
    """A chart that is read from the patient holds the same as one that is searched by it."""
    send(api, "M4", "ADT^A40^ADT_A39", KEPT, "MRG|R1^^^HOSP^MR")

    found = get(api, f"/fhir/Patient?_id={kept}&_revinclude=Observation:patient")

    kinds = [one["resource"]["resourceType"] for one in found["entry"]]
    assert (len(matches(found)), kinds.count("Observation")) == (1, 6)


def test_old_number_finds_the_retired_patient_and_where_it_went(api: ServedApi, kept: str) -> None:
    """Who knows only the old number sees that it is over, and the survivor."""
    send(api, "M5", "ADT^A40^ADT_A39", KEPT, "MRG|R1^^^HOSP^MR")

    (entry,) = get(api, "/fhir/Patient?identifier=R1")["entry"]

    (link,) = entry["resource"]["link"]
    assert entry["resource"]["active"] is False
    assert link == {"other": {"reference": f"Patient/{kept}"}, "type": "replaced-by"}


def test_each_patient_shown_is_told_of_it(api: ServedApi, kept: str) -> None:
    """The access entry names survivor and retired, so each can be told who looked."""
    send(api, "M6", "ADT^A40^ADT_A39", KEPT, "MRG|R1^^^HOSP^MR")
    old = name_of(api, "R1")
    get(api, f"/fhir/Observation?patient={kept}")

    newest = get(api, f"/fhir/AuditEvent?patient={old}&_count=1", "compliance")

    assert {f"Patient/{kept}", f"Patient/{old}"} <= told(newest)


def test_accesses_of_the_survivor_are_those_of_the_person(api: ServedApi, kept: str) -> None:
    """Who looked at the retired record before the merge has looked at this person."""
    send(api, "M9", "ADT^A37^ADT_A37", KEPT, RETIRED)
    old = name_of(api, "R1")
    get(api, f"/fhir/Observation?patient={old}")
    send(api, "M10", "ADT^A40^ADT_A39", KEPT, "MRG|R1^^^HOSP^MR")

    found = get(api, f"/fhir/AuditEvent?patient={kept}&_count=1", "compliance")
    again = get(api, f"/fhir/AuditEvent?patient={old}&_count=1", "compliance")

    assert f"Patient/{old}" in told(found)
    assert f"Patient/{kept}" not in told(found)
    assert {f"Patient/{kept}", f"Patient/{old}"} <= told(again)


@pytest.mark.parametrize(
    "url", ["Observation?patient={}&_count=2", "Patient/{}/$everything?_count=2"]
)
def test_pages_of_other_records_are_refused(api: ServedApi, kept: str, url: str) -> None:
    """A merge between two pages would leave a gap before the second: the reader starts again."""
    send(api, f"M7{url[0]}", "ADT^A40^ADT_A39", KEPT, "MRG|R1^^^HOSP^MR")
    page = get(api, f"/fhir/{url.format(kept)}")
    (following,) = [link["url"] for link in page["link"] if link["relation"] == "next"]
    before = api["reader"].get(following)

    send(api, f"M8{url[0]}", "ADT^A37^ADT_A37", KEPT, RETIRED)

    assert before.status_code == 200
    assert "merged since" in refused(api["reader"].get(following), 400, "page-token")


def test_results_of_a_moved_visit_are_found_under_the_other_patient(api: ServedApi) -> None:
    """A45 there and back: search, `$everything` and fsck say whose they are, and nobody else."""
    one, other = "PID|1||MV1^^^HOSP^MR||ONE^ANN", "PID|1||MV2^^^HOSP^MR||TWO^BEA"
    visit = f"PV1|1|I|WARD^1^1{'|' * 16}MOVING"
    send(api, "V1", "ADT^A01^ADT_A01", one, visit)
    send(api, "V2", "ADT^A04^ADT_A01", other)
    obx = f"OBX|1|NM|718-7^Hb^LN||5.5|g/dL|||||F|||{NOW}"
    send(api, "V3", "ORU^R01^ORU_R01", one, visit, "OBR|1|PM|FM|24323-8^Panel^LN", obx)

    def holdings() -> list[tuple[int, bool]]:
        urls = [f"Observation?patient={name_of(api, number)}" for number in ("MV1", "MV2")]
        charts = [f"Patient/{name_of(api, number)}/$everything" for number in ("MV1", "MV2")]
        counts = [len(matches(get(api, f"/fhir/{url}"))) for url in urls]
        kinds = [{one["resource"]["resourceType"] for one in get(api, f"/fhir/{url}")["entry"]}
                 for url in charts]  # fmt: skip
        return [(n, "Observation" in kind) for n, kind in zip(counts, kinds, strict=True)]

    before = holdings()
    send(api, "V4", "ADT^A45^ADT_A45", other, "MRG|MV1^^^HOSP^MR||||MOVING", visit)
    moved = holdings()
    send(api, "V5", "ADT^A45^ADT_A45", one, "MRG|MV2^^^HOSP^MR||||MOVING", visit)

    assert before == holdings() == [(1, True), (0, False)]
    assert moved == [(0, False), (1, True)]
    node = api.services
    found = revisions(node.stored, lambda _stage, _done: None, Counter())
    assert [one.where for one in found] == []
