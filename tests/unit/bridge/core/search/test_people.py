"""A search for what concerns a patient finds what the whole person has."""

from collections.abc import Sequence

import pytest

from bridge.core.search.parameters import parse_query
from bridge.core.search.people import concerns_a_patient, of_whole_person
from bridge.core.search.query import ChainClause, IdClause, ReferenceClause, SearchQuery


def one_person(patients: Sequence[str]) -> tuple[str, ...]:
    """`s` took over `r`; nobody else did."""
    return (*patients, *(("r",) if "s" in patients else ()))


def asked(kind: str, name: str, value: str) -> list[str]:
    """What the search asks for after it was widened."""
    query = of_whole_person(parse_query(kind, [(name, value)]), one_person, _found)
    assert query.pairs == ((name, value),)
    (clause,) = query.clauses
    assert isinstance(clause, ReferenceClause)
    return [f"{one.type}/{one.id}" for one in clause.values]


@pytest.mark.parametrize(
    ("kind", "name", "value", "expected"),
    [
        ("Observation", "patient", "s", ["Patient/s", "Patient/r"]),
        ("Observation", "patient", "Patient/s", ["Patient/s", "Patient/r"]),
        ("Observation", "patient:Patient", "s", ["Patient/s", "Patient/r"]),
        ("Observation", "subject", "s", ["/s", "Patient/r"]),
        ("Observation", "performer", "Patient/s", ["Patient/s", "Patient/r"]),
        ("Observation", "patient", "x,s", ["Patient/x", "Patient/s", "Patient/r"]),
        ("Observation", "patient", "s,r", ["Patient/s", "Patient/r"]),
        ("Observation", "patient", "x", ["Patient/x"]),
        ("Coverage", "beneficiary", "Patient/s", ["Patient/s", "Patient/r"]),
        ("Observation", "subject", "Group/s", ["Group/s"]),
        ("Observation", "subject", "urn:uuid:s", ["/urn:uuid:s"]),
        ("Observation", "encounter", "s", ["/s"]),
        ("Provenance", "target", "Patient/s", ["Patient/s"]),
        ("Patient", "link", "Patient/s", ["Patient/s"]),
    ],
)
def test_patient_means_the_person(kind: str, name: str, value: str, expected: list[str]) -> None:
    """However the patient is named; what asks for a record, or for something else, stays."""
    assert asked(kind, name, value) == expected


def test_other_clauses_stay_as_they_are() -> None:
    """Without a patient nothing is looked up."""

    def nobody(patients: Sequence[str]) -> tuple[str, ...]:
        raise AssertionError(patients)

    query = parse_query("Observation", [("status", "final"), ("encounter", "e"), ("_id", "s")])

    assert of_whole_person(query, nobody, _found) == query


def _found(query: SearchQuery) -> Sequence[str]:
    """Whoever is looked for is `s`."""
    assert query.resource_type == "Patient"
    return ["s"]


def test_chain_to_a_patient_means_the_person() -> None:
    """Results under a retired number are found by the identifier of the survivor too."""
    query = parse_query(
        "Observation", [("subject:Patient.identifier", "1"), ("encounter.type", "x")]
    )

    chain, other = of_whole_person(query, one_person, _found).clauses

    assert isinstance(chain, ChainClause)
    assert [one.clauses for one in chain.queries] == [(IdClause(values=("s", "r")),)]
    assert other == query.clauses[1]


def test_chain_to_nobody_finds_nothing() -> None:
    """No patient is no id, which is not any id."""
    query = parse_query("Observation", [("patient.name", "x")])

    (chain,) = of_whole_person(query, one_person, lambda _: []).clauses

    assert isinstance(chain, ChainClause)
    assert chain.queries[0].clauses == (IdClause(values=()),)


@pytest.mark.parametrize(
    ("kind", "param", "expected"),
    [
        ("Encounter", "subject", True),
        ("Task", "patient", True),
        ("Encounter", "location", False),
        ("Patient", "link", False),
    ],
)
def test_compartment_decides_what_concerns_a_patient(
    kind: str, param: str, *, expected: bool
) -> None:
    """Types outside the compartment have `patient` or `subject` alone."""
    assert concerns_a_patient(kind, param) is expected
