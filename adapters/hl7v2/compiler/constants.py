"""Whether the constants of a row (`fixed`, `default`, `with`) are what R4 has at their place."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from adapters.hl7v2.compiler.rows import nearest, refuse

__all__ = ["check_constant"]

_KINDS: Final[Mapping[str, tuple[type, str]]] = {
    "boolean": (bool, "true or false"),
    **dict.fromkeys(("integer", "positiveInt", "unsignedInt", "decimal"), (int, "a whole number")),
}


def check_constant(
    value: object, kind: str, place: str, elements: Callable[[str], Mapping[str, Any]]
) -> None:
    """Refuse a constant of another type, or with an element that its type does not have.

    Args:
        value: what the row says.
        kind: R4 type of the element.
        place: file and line.
        elements: of a type by name, empty for a primitive; see `check.elements`.

    Raises:
        BridgeError: `row-constant`, with the nearest right name or type.
    """
    known = elements(kind)
    if not known:
        wanted, said = _KINDS.get(kind, (str, "a text"))
        if type(value) is not wanted:
            raise refuse("row-constant", f"the constant of a {kind} is not {said}", place,
                         f"write {said}")  # fmt: skip
        return
    if not isinstance(value, Mapping):
        names = ", ".join(name for name in known if name[0] != "_")
        raise refuse("row-constant", f"the constant of a {kind} is no table", place,
                     f"write {{ ... }} with some of {names}")  # fmt: skip
    for name, held in value.items():
        found = known.get(name)
        if found is None:
            raise refuse("row-constant", f"{kind} has no element {name}", place,
                         nearest(name, {*known}))  # fmt: skip
        if found.repeats != isinstance(held, list):
            is_, right = ("repeats", "[ ... ]") if found.repeats else ("is one", "one value")
            raise refuse("row-constant", f"{kind}.{name} {is_}", place, f"write {right}")
        for one in held if isinstance(held, list) else [held]:
            check_constant(one, found.type, place, elements)
