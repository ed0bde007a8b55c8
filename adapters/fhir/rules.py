"""The constraints that R4 states beside the shape, one row each, by type."""

from collections.abc import Callable
from dataclasses import dataclass

from bridge.core.record.bundle import JsonObject

__all__ = ["Rule", "rules_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A constraint under its FHIR key, such as `pat-1`."""

    key: str
    text: str
    holds: Callable[[JsonObject], bool]


def rules_of(type_name: str) -> tuple[Rule, ...]:
    """The rules of a type; none for an unknown one."""
    return ()
