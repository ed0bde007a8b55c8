"""The constraints that R4 states beside the shape: by type, each under its key.

Source: https://hl7.org/fhir/R4/conformance-rules.html#constraints. Only those that R4 calls errors,
and two of its prose: a system is absolute, an element is more than its id.
"""

from adapters.fhir.clinical_rules import CLINICAL_RULES
from adapters.fhir.constraint import Rule
from adapters.fhir.definition_rules import DEFINITION_RULES
from adapters.fhir.type_rules import TYPE_RULES
from adapters.fhir.workflow_rules import WORKFLOW_RULES

__all__ = ["rules_of"]

_ROWS = TYPE_RULES + CLINICAL_RULES + WORKFLOW_RULES + DEFINITION_RULES


def rules_of(type_name: str) -> tuple[Rule, ...]:
    """The rules of a type by the name of its model, such as `PatientContact`; often none."""
    return tuple(
        Rule(key=key, text=text, holds=holds)
        for name, key, text, holds in _ROWS
        if type_name in name.split()
    )
