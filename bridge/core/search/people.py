"""A search for what concerns a patient, widened to every record of that person.

Source: https://hl7.org/fhir/R4/compartmentdefinition-patient.html.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from bridge.core.search.definitions import patient_parameters
from bridge.core.search.query import Clause, ReferenceClause, ReferenceValue, SearchQuery

__all__ = ["OnePerson", "concerns_a_patient", "of_whole_person"]

OnePerson: TypeAlias = Callable[[Sequence[str]], Sequence[str]]
"""Ids of patients to these and those of the records that they took over."""

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}").fullmatch


def concerns_a_patient(resource_type: str, param: str) -> bool:
    """Whether the parameter asks for what a person has, not for a record by its reference.

    `patient`, `subject`, and what puts a resource into the compartment. `Patient?link=` asks which
    records are linked with this one, `Provenance?target=` who wrote this one: both mean the record.
    """
    if resource_type == "Patient":
        return False
    return param in {"patient", "subject", *patient_parameters(resource_type)}


def of_whole_person(query: SearchQuery, one_person: OnePerson) -> SearchQuery:
    """The search that finds also what is filed under the records that its patients took over.

    `pairs` stay as they were written: the `self` link says what was asked.
    """
    clauses = tuple(_widened(clause, query.resource_type, one_person) for clause in query.clauses)
    return replace(query, clauses=clauses)


def _widened(clause: Clause, resource_type: str, one_person: OnePerson) -> Clause:
    if not isinstance(clause, ReferenceClause):
        return clause
    if not concerns_a_patient(resource_type, clause.param):
        return clause
    asked = [one.id for one in clause.values if one.type in {"", "Patient"} and _ID(one.id)]
    if not asked:
        return clause
    retired = [name for name in one_person(asked) if name not in asked]
    more = tuple(ReferenceValue(type="Patient", id=name) for name in retired)
    return replace(clause, values=(*clause.values, *more))
