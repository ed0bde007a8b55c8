"""A site's own datatype functions: `as = "py:site.labx.gram_stain"`.

The file stands in the senders' folder, where only those may write who may write overlays. What it
is stands in the mapping digest by the SHA-256 of its text. It is as pure as ours are: the same
text gives the same value, for it is asked once and remembered.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from msgspec import Raw

from adapters.hl7v2.compiler.rows import refuse
from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes.registry import DATATYPES, Convert, Datatype

__all__ = ["PREFIX", "SiteFunction", "gives", "register", "required", "shown"]

PREFIX: Final = "py:"
MAX_DEPTH: Final = 16
"""Levels of a value; the deepest R4 datatype has fewer."""
_DIGITS: Final = 64
_FAULTS: Final = (
    ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, NameError, OSError,
    RuntimeError, TypeError, ValueError,
)  # fmt: skip
"""What foreign code that is wrong raises. The message is converted without its value."""
_PRIMITIVES: Final = {"boolean": bool, "integer": int, "positiveInt": int, "unsignedInt": int}

_Function = TypeVar("_Function", bound=Convert)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFunction:
    """One function of one file."""

    name: str
    """As overlays write it: `py:site.labx.gram_stain`."""
    digest: str
    """Hex SHA-256 of the file."""
    function: Convert
    gives: str
    reads: tuple[int, ...] = ()
    coded: bool = False

    @property
    def qualified(self) -> str:
        """The name with the digest behind: two files of one name are two functions."""
        return f"{self.name}.{self.digest}"


def gives(
    target: str, *, reads: tuple[int, ...] = (), coded: bool = False
) -> Callable[[_Function], _Function]:
    """Say of a site's function what it gives.

    Args:
        target: FHIR type of the value, such as `CodeableConcept`.
        reads: component numbers that are consumed; empty means the whole field.
        coded: the function takes a code table (or None) third.
    """

    def mark(function: _Function) -> _Function:
        function.fhir_anchor = (target, reads, coded)  # type: ignore[attr-defined]  # read by the loader
        return function

    return mark


def register(site: SiteFunction) -> str:
    """Make it a datatype function under its qualified name, which is returned."""
    DATATYPES.setdefault(
        site.qualified,
        Datatype(
            name=site.qualified,
            function=_guarded(site),
            gives=site.gives,
            reads=frozenset(site.reads),
            coded=site.coded,
            version=1,
        ),
    )
    return site.qualified


def required(name: str) -> None:
    """Refuse a qualified name that nobody registered.

    Raises:
        BridgeError: `mapping-function`.
    """
    if name not in DATATYPES:
        raise refuse(
            "mapping-function",
            f"the mapping used {shown(name)}, whose file is not in the senders' folder as it was",
            f"sha256:{name[-_DIGITS:]}",
            "put that file back",
        )


def shown(name: str) -> str:
    """A function's name as overlays write it."""
    return name[: -_DIGITS - 1] if name.startswith(PREFIX) else name


def _guarded(site: SiteFunction) -> Convert:
    """Whatever goes wrong inside is a finding that names the function, and no value."""

    def convert(text: str, ctx: Context, *table: object) -> Any:  # noqa: ANN401 - Json of any type
        try:
            value = site.function(text, ctx, *table)
        except _FAULTS as error:
            kind = type(error).__name__
            ctx.note("site-function-failed", f"{site.name} failed with {kind}: mend its file")
            return None
        if value is None or _fits(value, site.gives):
            return value
        ctx.note("site-function-value", f"{site.name} gave no {site.gives}: mend its file")
        return None

    return convert


def _fits(value: object, target: str) -> bool:
    if target[:1].isupper():
        return isinstance(value, dict) and bool(value) and _is_json(value, MAX_DEPTH)
    if target == "decimal":
        return isinstance(value, Raw | int) and not isinstance(value, bool)
    wanted = _PRIMITIVES.get(target, str)
    return type(value) is wanted and value != ""


def _is_json(value: object, depth: int) -> bool:
    """What `canonical` takes: no floats, no empty parts, no cycles."""
    if depth == 0:
        return False
    if isinstance(value, dict):
        return bool(value) and all(
            isinstance(key, str) and key and _is_json(held, depth - 1)
            for key, held in value.items()
        )
    if isinstance(value, list):
        return bool(value) and all(_is_json(held, depth - 1) for held in value)
    return isinstance(value, bool | int | Raw) or (isinstance(value, str) and value != "")
