"""Rules that need more than a row: one function each, registered by name for `call`."""

from adapters.hl7v2.rules import (
    accounts,
    appointments,
    comments,
    controls,
    documents,
    dosages,
    medications,
    observations,
    parents,
    parties,
    patients,
    problems,
    schedules,
    staff,
    vaccinations,
    values,
    visits,
)
from adapters.hl7v2.rules.registry import RULES, Rule

__all__ = [
    "RULES",
    "Rule",
    "accounts",
    "appointments",
    "comments",
    "controls",
    "documents",
    "dosages",
    "medications",
    "observations",
    "parents",
    "parties",
    "patients",
    "problems",
    "schedules",
    "staff",
    "vaccinations",
    "values",
    "visits",
]
