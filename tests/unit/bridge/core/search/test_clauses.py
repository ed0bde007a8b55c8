"""One parameter to a clause: chains and what refers here."""

import pytest

from bridge.core.errors import BridgeError
from bridge.core.search.clauses import clause, parameter_of, refuse, searchable
from bridge.core.search.query import ChainClause, HasClause, Match, SearchQuery, TextClause


def test_searchable_names_are_sorted_and_complete() -> None:
    """The CapabilityStatement lists them."""
    names = searchable("Patient")

    assert names == tuple(sorted(names))
    assert {"_id", "_lastUpdated", "name", "identifier"} <= set(names)


def test_chain_is_a_search_of_what_the_reference_leads_to() -> None:
    """The modifier is of the last parameter; each type that knows it is searched."""
    found = clause("Observation", "subject.name:exact", "Ann")

    name = TextClause(param="name", match=Match.EXACT, values=("Ann",))
    assert isinstance(found, ChainClause)
    assert found.param == "subject"
    assert {one.resource_type for one in found.queries} == {"Patient", "Location"}
    assert {one.clauses for one in found.queries} == {(name,)}


def test_chain_may_name_the_type_and_go_on() -> None:
    """`subject:Patient.organization.name` follows two references."""
    found = clause("Observation", "subject:Patient.organization.name", "Clinic")

    assert isinstance(found, ChainClause)
    (patient,) = found.queries
    (inner,) = patient.clauses
    assert isinstance(inner, ChainClause)
    assert (patient.resource_type, inner.param) == ("Patient", "organization")
    assert [one.resource_type for one in inner.queries] == ["Organization"]


def test_chain_over_a_reference_to_anything_names_the_type() -> None:
    """Fifty searches for one answer are not made."""
    with pytest.raises(BridgeError, match=r"too many types \(item\) - name the type, as in item:"):
        clause("List", "item.patient.name", "x")

    assert isinstance(clause("List", "item:Observation.patient.name", "x"), ChainClause)


def test_has_is_a_search_of_what_refers_here() -> None:
    """`_has:Observation:patient:code=x`: patients with such a result."""
    found = clause("Patient", "_has:Observation:patient:code", "x")

    assert found == HasClause(
        param="patient",
        query=SearchQuery(
            resource_type="Observation", clauses=(clause("Observation", "code", "x"),)
        ),
    )


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("Observation", "subject.nothing"),
        ("Observation", "code.name"),
        ("Observation", "subject:Organization.name"),
        ("Observation", "encounter.part-of.part-of.part-of.status"),
        ("Observation", "subject."),
        ("Observation", "."),
        ("Patient", "_has:Observation:code:status"),
        ("Patient", "_has:Observation:encounter:status"),
        ("Patient", "_has:Observatino:patient:status"),
        ("Patient", "_has:Observation:patient"),
        ("Patient", "_has:"),
        ("Patient", "_has:" * 500),
    ],
)
def test_chain_that_leads_nowhere_is_refused(kind: str, name: str) -> None:
    """No such reference, no such type there, or further than is followed."""
    with pytest.raises(BridgeError, match="leads nowhere, or over too many") as refused:
        clause(kind, name, "x")

    assert refused.value.code == "search-chained"


def test_parameter_that_is_not_there_names_the_nearest() -> None:
    """A misspelt name in a chain is told as one by itself is."""
    assert parameter_of("Patient", "_lastUpdated").name == "_lastUpdated"
    with pytest.raises(BridgeError, match="use subject"):
        clause("Observation", "subjct.name", "x")


def test_refusal_is_the_senders_and_short() -> None:
    """A place of a thousand characters is cut."""
    with pytest.raises(BridgeError) as refused:
        refuse("search-value", "no", "x" * 1_000, "yes")

    assert len(refused.value.where) == 100
