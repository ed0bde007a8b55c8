"""The registry of rules: functions over a whole segment, named in a row's `call`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from adapters.hl7v2.build import Build
from adapters.hl7v2.group import Group
from bridge.core.record.bundle import JsonObject

__all__ = ["RULES", "Function", "Rule", "rule"]

Function: TypeAlias = Callable[[list[str], Group, Build, JsonObject], None]
"""`(fields, group, build, resource)`: fields are padded to what `reads` names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule and what it reads and writes, for residue, trace and digest."""

    name: str
    function: Function
    reads: tuple[str, ...]
    writes: str
    version: int


RULES: Final[dict[str, Rule]] = {}


def rule(
    name: str, *, reads: tuple[str, ...], writes: str = "", version: int = 1
) -> Callable[[Function], Function]:
    """Register the function for `call = "name"`.

    Args:
        name: in kebab case.
        reads: HL7 positions that it consumes.
        writes: the element that it fills, for the trace.
        version: raised when the same segment gives another result; part of the mapping digest.
    """

    def register(function: Function) -> Function:
        RULES[name] = Rule(
            name=name, function=function, reads=reads, writes=writes, version=version
        )
        return function

    return register
