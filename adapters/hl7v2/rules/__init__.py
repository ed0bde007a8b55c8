"""Rules that need more than a row: one function each, registered by name for `call`."""

from adapters.hl7v2.rules import controls, documents, observations, patients, visits
from adapters.hl7v2.rules.registry import RULES, Rule

__all__ = ["RULES", "Rule", "controls", "documents", "observations", "patients", "visits"]
