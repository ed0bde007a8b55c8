"""What belongs to what: organisms and their tests, parents by number."""

from typing import Any

import pytest

from adapters.hl7v2.kinship import Child, Kin, Numbered, resolve
from bridge.core.errors import BridgeError

SUB = "http://hl7.org/fhir/StructureDefinition/observation-v2-subid"


kept: list[dict[str, Any]] = []
"""What `resolve` adds to the bundle."""


def result(name: str, code: str, sub_id: str = "", **more: Any) -> dict[str, Any]:
    """An Observation."""
    made: dict[str, Any] = {"resourceType": "Observation", "id": name,
                            "code": {"coding": [{"code": code}]}, **more}  # fmt: skip
    if sub_id:
        part = {"url": "original-sub-identifier", "valueString": sub_id}
        made["extension"] = [{"url": SUB, "extension": [part]}]
    return made


def report(name: str, number: str, *results: dict[str, Any]) -> dict[str, Any]:
    """A DiagnosticReport of those results."""
    return {
        "resourceType": "DiagnosticReport", "id": name, "identifier": [{"value": number}],
        "result": [{"reference": f"Observation/{one['id']}"} for one in results],
    }  # fmt: skip


def settle(kin: Kin, *made: dict[str, Any]) -> None:
    """Resolve over these resources."""
    resolve(kin, made, kept.append)


def test_susceptibilities_are_members_of_the_organism_that_they_name() -> None:
    """Code and sub id of OBR-26 choose among the organisms of the parent report."""
    coli, aureus = result("o1", "600-7", "1"), result("o2", "600-7", "2")
    test = result("t", "28-1")
    parent, child = report("p", "F1", coli, aureus), report("c", "F2", test)
    kin = Kin(children=[Child(report=child, numbers=({"value": "F1"},),
                              code={"coding": [{"code": "600-7"}]},
                              sub_id="2", value="")])  # fmt: skip

    settle(kin, coli, aureus, parent, test, child)

    assert aureus["hasMember"] == [{"reference": "Observation/t"}]
    assert "hasMember" not in coli


def test_value_chooses_where_the_sub_id_is_left_out() -> None:
    """OBR-26.3 repeats what the parent result said."""
    coli = result("o1", "600-7", valueCodeableConcept={"text": "E. coli"})
    aureus = result("o2", "600-7", valueCodeableConcept={"text": "Staph aureus"})
    test = result("t", "28-1")
    child = report("c", "F2", test)
    kin = Kin(children=[Child(report=child, numbers=(), code={"coding": [{"code": "600-7"}]},
                              sub_id="", value="Staph aureus")])  # fmt: skip

    settle(kin, coli, aureus, report("p", "F1", coli, aureus), test, child)

    assert aureus["hasMember"] == [{"reference": "Observation/t"}]


def test_parent_of_another_message_is_said_in_words() -> None:
    """Its Observation has no number to refer to, so a reader gets code and value."""
    test = result("t", "28-1")
    child = report("c", "F2", test)
    kin = Kin(children=[Child(report=child, numbers=({"value": "F1"},), code={"text": "Culture"},
                              sub_id="1", value="E. coli")])  # fmt: skip

    settle(kin, test, child)

    assert test["derivedFrom"] == [{"type": "Observation", "display": "Culture: E. coli"}]


def test_tests_of_one_sub_id_belong_to_its_organism() -> None:
    """One report with two organisms, each with its own OBX-4."""
    concept = {"valueCodeableConcept": {"text": "organism"}}
    coli, aureus = result("o1", "600-7", "1", **concept), result("o2", "600-7", "2", **concept)
    one, other, stain = result("t1", "28-1", "1"), result("t2", "28-1", "2.1"), result("g", "664-3")
    whole = report("r", "F1", stain, coli, one, aureus, other)

    settle(Kin(cultures=[whole]), stain, coli, one, aureus, other, whole)

    assert coli["hasMember"] == [{"reference": "Observation/t1"}]
    assert aureus["hasMember"] == [{"reference": "Observation/t2"}]
    assert "hasMember" not in stain


def test_number_becomes_a_reference_only_where_one_resource_bears_it() -> None:
    """An authority that one side leaves out is no other; two bearers leave the number."""
    number = {"value": "P1"}
    held: dict[str, Any] = {"type": "ServiceRequest", "identifier": {"system": "urn:a", **number}}
    shared: dict[str, Any] = {"type": "ServiceRequest", "identifier": {"value": "P2"}}
    orders = [
        {"resourceType": "ServiceRequest", "id": name, "identifier": [{"value": value}]}
        for name, value in (("a", "P1"), ("b", "P2"), ("c", "P2"))
    ]
    kin = Kin(logical=[Numbered(reference=one, holder={"id": "x"}) for one in (held, shared)])

    settle(kin, *orders)

    assert held == {"type": "ServiceRequest", "reference": "ServiceRequest/a"}
    assert shared["identifier"] == {"value": "P2"}


def test_number_of_another_message_is_a_stub_under_the_id_that_it_has_there() -> None:
    """A specimen's id comes of its number alone, so the parent that is stored is reached."""
    reference: dict[str, Any] = {"type": "Specimen", "identifier": {"value": "S1"}}
    stub: dict[str, Any] = {"resourceType": "Specimen", "id": "s", "identifier": [{"value": "S1"}]}

    settle(Kin(logical=[Numbered(reference=reference, holder={"id": "x"}, stub=stub)]))

    assert reference == {"type": "Specimen", "reference": "Specimen/s"}
    assert kept[-1] is stub


def test_parts_of_a_sub_id_name_the_group_and_the_place_in_it() -> None:
    """OG of version 2.8.2: group 1 has an organism and its tests, each with its own sequence."""

    def of(name: str, group: int, sequence: int, **more: Any) -> dict[str, Any]:
        made = result(name, "28-1", **more)
        parts = [("group", group), ("sequence", sequence)]
        inner = [{"url": url, "valueDecimal": value} for url, value in parts]
        return made | {"extension": [{"url": SUB, "extension": inner}]}

    organism = of("o", 1, 1, valueCodeableConcept={"text": "E. coli"})
    test, stranger = of("t", 1, 2), of("s", 2, 1)
    whole = report("r", "F1", organism, test, stranger)

    settle(Kin(cultures=[whole]), organism, test, stranger, whole)

    assert organism["hasMember"] == [{"reference": "Observation/t"}]


def test_parents_sought_among_too_many_results_are_refused() -> None:
    """Child reports times results would take hours; a laboratory has nothing like it."""
    results = [result(f"o{i}", "600-7") for i in range(1001)]
    child = Child(report=report("c", "F2"), numbers=(), code={}, sub_id="", value="")

    with pytest.raises(BridgeError, match=r"than 1,000,000 others \(OBR-26\) - name the parent"):
        settle(Kin(children=[child] * 1000), report("p", "F1", *results), *results)
