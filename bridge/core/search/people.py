"""A search for what concerns a patient, widened to every record of that person.

Source: https://hl7.org/fhir/R4/compartmentdefinition-patient.html.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from bridge.core.search.definitions import patient_parameters
from bridge.core.search.query import (
    ChainClause,
    Clause,
    IdClause,
    ReferenceClause,
    ReferenceValue,
    SearchQuery,
)

__all__ = ["Found", "OnePerson", "concerns_a_patient", "of_whole_person"]

OnePerson: TypeAlias = Callable[[Sequence[str]], Sequence[str]]
"""Ids of patients to these and those of the records that they took over."""
Found: TypeAlias = Callable[[SearchQuery], Sequence[str]]
"""Ids of the patients that a search finds."""

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}").fullmatch


def concerns_a_patient(resource_type: str, param: str) -> bool:
    """Whether the parameter asks for what a person has, not for a record by its reference.

    `patient`, `subject`, and what puts a resource into the compartment. `Patient?link=` asks which
    records are linked with this one, `Provenance?target=` who wrote this one: both mean the record.
    """
    if resource_type == "Patient":
        return False
    return param in {"patient", "subject", *patient_parameters(resource_type)}


def of_whole_person(query: SearchQuery, one_person: OnePerson, found: Found) -> SearchQuery:
    """The search that finds also what is filed under the records that its patients took over.

    `pairs` stay as they were written: the `self` link says what was asked.
    """

    def widened(clause: Clause) -> Clause:
        if not isinstance(clause, ReferenceClause | ChainClause):
            return clause
        if not concerns_a_patient(query.resource_type, clause.param):
            return clause
        if isinstance(clause, ReferenceClause):
            return _with_retired(clause, one_person)
        return replace(clause, queries=tuple(as_ids(one) for one in clause.queries))

    def as_ids(inner: SearchQuery) -> SearchQuery:
        if inner.resource_type != "Patient":
            return inner
        patients = found(inner)
        ids = tuple(one_person(patients)) if patients else ()
        return replace(inner, clauses=(IdClause(values=ids),))

    return replace(query, clauses=tuple(map(widened, query.clauses)))


def _with_retired(clause: ReferenceClause, one_person: OnePerson) -> ReferenceClause:
    asked = [one.id for one in clause.values if one.type in {"", "Patient"} and _ID(one.id)]
    if not asked:
        return clause
    retired = [name for name in one_person(asked) if name not in asked]
    more = tuple(ReferenceValue(type="Patient", id=name) for name in retired)
    return replace(clause, values=(*clause.values, *more))
