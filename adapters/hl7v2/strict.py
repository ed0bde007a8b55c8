"""A message judged by the letter of its version of HL7, for senders whose profile asks for it.

The tables are those of hl7apy: which fields a segment has, which are required and how often they
may repeat, what a datatype takes, how long it may be, which segments a structure needs. It takes
some 20 ms a message, a hundred times what a conversion takes.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NoReturn

from hl7apy import load_reference
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.core import is_base_datatype
from hl7apy.exceptions import (
    ChildNotFound,
    HL7apyException,
    InvalidName,
    MaxLengthReached,
    UnsupportedVersion,
)
from hl7apy.factories import datatype_factory
from hl7apy.parser import parse_field, parse_message

from adapters.hl7v2.syntax import Delimiters
from bridge.core.errors import BridgeError, Fault

__all__ = ["check_strictly"]

_STRUCTURAL: Final = re.compile(r"(Missing required child|Child limit exceeded) \w+\.(\w+)")
_PARTS: Final = "has parts that its datatype does not have"
_SEGMENT: Final = 3
_NULL: Final = '""'


def check_strictly(lines: Sequence[Sequence[str]], signs: Delimiters, structure: str) -> None:
    """Return when the message is what its version says.

    Args:
        lines: segments as fields, MSH first, MSH-1 in its place.
        signs: the delimiters that MSH says.
        structure: name of MSH-9.3, as it is or as it follows from type and trigger.

    Raises:
        BridgeError: `strict-...` with fault SENDER: segment, field and reason of the first breach.
    """
    version = lines[0][12].split(signs.component, 1)[0].strip() if len(lines[0]) > 12 else ""
    reference = _structure(structure, version)
    known = _segments_of(reference)
    counts: dict[str, int] = {}
    for fields in lines:
        name = fields[0]
        counts[name] = counts.get(name, 0) + 1
        place = f"{name}[{counts[name]}]" if counts[name] > 1 else name
        if name[:1] == "Z":
            continue
        if name not in known:
            _refuse("segment", f"the structure {structure} has no such segment", place,
                    "send it in a message that has it")  # fmt: skip
        _check_segment(fields, place, version, signs)
    _check_groups(lines, signs, structure)


def _structure(name: str, version: str) -> Any:  # noqa: ANN401 - hl7apy's nested tuples
    try:
        return load_reference(name, "Message", version)
    except UnsupportedVersion:
        _refuse("version", "no tables of this version are here", "MSH-12",
                "send a version from 2.1 to 2.8.2")  # fmt: skip
    except ChildNotFound:
        _refuse("event", "this version has no such message structure", "MSH-9",
                "send a type and trigger event of the version in MSH-12")  # fmt: skip


def _segments_of(reference: Any) -> set[str]:  # noqa: ANN401 - as above
    """Every segment that may stand anywhere in the structure."""
    found: set[str] = set()
    for name, inner, _, kind in reference[1]:
        found |= _segments_of(inner) if kind == "GRP" else {name}
    return found


def _check_segment(fields: Sequence[str], place: str, version: str, signs: Delimiters) -> None:
    """Required, known and repeated fields, then each value."""
    try:
        reference = load_reference(fields[0], "Segment", version)[1]
    except ChildNotFound:
        _refuse("segment", "this version has no such segment", place, "leave it out")
    first = 3 if fields[0] == "MSH" else 1  # MSH-1 and MSH-2 are the delimiters themselves
    for number in range(first, max(len(fields), len(reference) + 1)):
        text = fields[number] if number < len(fields) else ""
        where = f"{place}-{number}"
        if number <= len(reference):
            kind = fields[2] if reference[number - 1][0] == "OBX_5" else ""
            _check_field(reference[number - 1], kind, text, where, version, signs)
        elif text:
            _refuse("field", "this version's segment has no such field", where, "leave it out")


def _check_field(
    reference: Any,  # noqa: ANN401 - as above
    kind: str,
    text: str,
    where: str,
    version: str,
    signs: Delimiters,
) -> None:
    """Whether it may be empty or repeat, then each repetition."""
    name, inner, (least, most), _ = reference
    if not text:
        if least:
            _refuse("required", "a required field is empty", where, "fill it")
        return
    repetitions = text.split(signs.repetition) if signs.repetition else [text]
    if 0 < most < len(repetitions):
        _refuse("repetition", f"the field may stand {most} times, it stands "
                f"{len(repetitions)} times", where, "send as many as may stand")  # fmt: skip
    for one in repetitions:
        if one not in {"", _NULL}:
            _check_value(name, kind or inner[2], one, where, version, signs)


def _check_value(
    name: str, kind: str, text: str, where: str, version: str, signs: Delimiters
) -> None:
    """One repetition by its datatype; hl7apy's own words may hold the value and are not said."""
    marks = {
        "FIELD": signs.field, "COMPONENT": signs.component, "SUBCOMPONENT": signs.subcomponent,
        "REPETITION": signs.repetition, "ESCAPE": signs.escape, "SEGMENT": "\r", "GROUP": "\r",
    }  # fmt: skip
    try:
        if name == "OBX_5":
            _check_varying(kind, text, version, signs)
        else:
            parse_field(text, name=name, version=version, encoding_chars=marks,
                        validation_level=VALIDATION_LEVEL.STRICT)  # fmt: skip
    except MaxLengthReached:
        _refuse("length", "the value is longer than its datatype may be", where, "shorten it")
    except (HL7apyException, AttributeError, LookupError, TypeError):
        _refuse("component", f"the field {_PARTS}", where, f"send a {kind}")
    except ValueError:
        _refuse("value", f"a part of the field is no value of its datatype ({kind})", where,
                f"send a {kind}")  # fmt: skip


def _check_varying(kind: str, text: str, version: str, signs: Delimiters) -> None:
    """OBX-5, whose datatype is what OBX-2 says: a base type, or the components of another."""
    if is_base_datatype(kind, version):
        datatype_factory(kind, text, version, VALIDATION_LEVEL.STRICT)
        return
    known = load_reference(kind, "Datatypes_Structs", version)
    parts = text.split(signs.component)
    if len(parts) > len(known):
        raise InvalidName("Component", kind)
    for part, (_, inner, _, _) in zip(parts, known, strict=False):
        if part not in {"", _NULL} and inner[0] == "leaf" and is_base_datatype(inner[2], version):
            datatype_factory(inner[2], part, version, VALIDATION_LEVEL.STRICT)


def _check_groups(lines: Sequence[Sequence[str]], signs: Delimiters, structure: str) -> None:
    """Segments that a group needs, or may have once."""
    head = list(lines[0])
    parts = [*head[9].split(signs.component), "", ""][:2]
    head[9] = signs.component.join([*parts, structure])
    text = "\r".join(
        signs.field.join(line).rstrip(signs.field) for line in ([head[0], *head[2:]], *lines[1:])
    )
    try:
        message = parse_message(text, validation_level=VALIDATION_LEVEL.TOLERANT, find_groups=True)
        message.validate()
    except HL7apyException as error:
        found = _STRUCTURAL.search(str(error))
        if found is None:
            return  # of a value, which was looked at where its place is known
        name = found[2] if len(found[2]) == _SEGMENT else next(_leads(structure, found[2], lines))
        missing = found[1].startswith("Missing")
        what = "a segment is missing" if missing else "a segment stands more often than it may"
        _refuse("segment", f"{what} in {structure}", name, "send the segments of the structure")
    except (AttributeError, LookupError, TypeError, ValueError):
        return  # hl7apy's own trouble with what was found right above


def _leads(structure: str, group: str, lines: Sequence[Sequence[str]]) -> Iterator[str]:
    """The segment that opens a group, to name a place that a sender knows."""
    version = lines[0][12].split("^", 1)[0].strip()
    waiting = [load_reference(structure, "Message", version)]
    while waiting:
        for name, inner, _, kind in waiting.pop()[1]:
            if name == group:
                yield from sorted(_segments_of(inner), key=lambda one: one != inner[1][0][0])
            elif kind == "GRP":
                waiting.append(inner)
    yield "MSH-9"


def _refuse(code: str, what: str, where: str, do: str) -> NoReturn:
    raise BridgeError(f"strict-{code}", Fault.SENDER, what=what, where=where, do=do)
