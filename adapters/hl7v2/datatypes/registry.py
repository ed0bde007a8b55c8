"""The registry of datatype functions: `CX.Identifier` and its like, by name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar

__all__ = ["DATATYPES", "Convert", "Datatype", "datatype"]

Convert: TypeAlias = Callable[..., Any]
"""`(text, ctx)`, or `(text, ctx, table)` where `coded`, to the FHIR value or None.

The value is Json of the FHIR type in `Datatype.gives`; its precise type stands at the function.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Datatype:
    """One HL7 datatype read as one FHIR type. Total: any text gives a valid value or None."""

    name: str
    """Such as `CX.Identifier`: the HL7 datatype, then what it is read as."""
    function: Convert
    """One repetition of a field, raw and still escaped, with its context; a coded one takes the
    table (or None) third. Pure but for `ctx.note`."""
    gives: str
    """FHIR type of the value (`Identifier`, `code`, `dateTime`); `Location[]` is a list."""
    reads: frozenset[int]
    """Component numbers that are consumed; empty means the whole field."""
    coded: bool
    version: int
    """Part of the mapping digest: raised when the same text gives another value."""


DATATYPES: Final[dict[str, Datatype]] = {}

_Function = TypeVar("_Function", bound=Convert)


def datatype(
    sources: str,
    target: str,
    *,
    reads: tuple[int, ...] = (),
    gives: str = "",
    coded: bool = False,
    version: int = 1,
) -> Callable[[_Function], _Function]:
    """Register the function under each of the sources.

    Args:
        sources: HL7 datatypes, separated by a space where several share a form: `CE CWE CNE`.
        target: the second half of the name, mostly the FHIR type.
        reads: component numbers that are consumed; empty means the whole field.
        gives: the FHIR type where it differs from `target`.
        coded: the function takes a code table third.
        version: raised when the same text gives another value.

    Raises:
        ValueError: at import, when a name is registered twice.
    """

    def register(function: _Function) -> _Function:
        for source in sources.split():
            name = f"{source}.{target}"
            if name in DATATYPES:
                raise ValueError(f"datatype {name} is registered twice")
            DATATYPES[name] = Datatype(
                name=name,
                function=function,
                gives=gives or target,
                reads=frozenset(reads),
                coded=coded,
                version=version,
            )
        return function

    return register
