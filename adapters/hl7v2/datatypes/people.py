"""Persons in a role: XCN, CN, CNN, and NDL, which holds one.

HL7 v2.8 ch. 2A.2.86 (XCN), 2A.2.11 (CNN), 2A.2.46 (NDL); v2-to-FHIR maps XCN[Practitioner],
CNN[Practitioner], NDL[PractitionerRole]. A person without identifier is a display, no resource.
"""

import re
from typing import Final

from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes.codes import look_up
from adapters.hl7v2.datatypes.components import code_part, part, split_parts, subparts
from adapters.hl7v2.datatypes.identifiers import assigned, is_placeholder
from adapters.hl7v2.datatypes.names import (
    CN_NAME,
    XCN_NAME,
    NamePlan,
    display_of,
    human_name,
)
from adapters.hl7v2.datatypes.registry import datatype
from adapters.hl7v2.datatypes.times import period_between
from adapters.hl7v2.tables import coding_system, load
from bridge.core.record.bundle import JsonObject

__all__ = [
    "ndl_display",
    "ndl_period",
    "ndl_practitioner",
    "xcn_display",
    "xcn_identifier",
    "xcn_name",
    "xcn_practitioner",
]

_PRACTITIONER: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 17, 19, 20, 21)
"""XCN.8 (source table), XCN.11 and XCN.12 (check digit, scheme) are left on purpose: they say how
a number was written. XCN.14, the desk that handed it out, counts where XCN.9 is silent."""


_A_TIME: Final = re.compile(
    r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d[0-5]\d"
)
_NO_TITLES: Final = frozenset({"MD", "DO", "PHD", "RN", "NP", "PA", "CNM", "CNS", "CNP", "PHARMD"})
"""Degrees of table 0360 that senders put into the prefix, and that are nobody's form of address."""


@datatype("XCN", "Practitioner", reads=_PRACTITIONER, version=4)
def xcn_practitioner(text: str, ctx: Context) -> JsonObject | None:
    """Identifier, name and, of a degree in table 0360, qualification; None without identifier."""
    return _practitioner(split_parts(text, ctx), XCN_NAME, ctx)


@datatype("CN", "Practitioner", reads=(1, 2, 3, 4, 5, 6, 7, 9), version=3)
def cn_practitioner(text: str, ctx: Context) -> JsonObject | None:
    """The form of v2.1 to v2.3: an XCN up to its assigning authority."""
    return _practitioner(split_parts(text, ctx), CN_NAME, ctx)


@datatype("CNN", "Practitioner", reads=(1, 2, 3, 4, 5, 6, 7, 9, 10, 11), version=3)
def cnn_practitioner(text: str, ctx: Context) -> JsonObject | None:
    """The form whose authority is spread over components 9 to 11."""
    return _practitioner(_cnn(split_parts(text, ctx), ctx), CN_NAME, ctx)


@datatype("XCN", "Person", reads=_PRACTITIONER, version=2, gives="RelatedPerson")
def xcn_person(text: str, ctx: Context) -> JsonObject | None:
    """Identifier and name of one who is no practitioner; None without identifier."""
    parts = split_parts(text, ctx)
    identifier = _identifier(parts, ctx)
    if identifier is None:
        return None
    result: JsonObject = {"identifier": [identifier]}
    name = human_name(parts, XCN_NAME, ctx)
    if name:
        result["name"] = [name]
    return result


@datatype("XCN CN", "Identifier", reads=(1, 9, 13), version=2)
def xcn_identifier(text: str, ctx: Context) -> JsonObject | None:
    """XCN.1 in the system of XCN.9, of the type XCN.13."""
    return _identifier(split_parts(text, ctx), ctx)


@datatype("XCN", "HumanName", reads=(2, 3, 4, 5, 6, 7, 10, 17, 19, 20, 21))
def xcn_name(text: str, ctx: Context) -> JsonObject | None:
    """The name alone, its degree among the suffixes."""
    return human_name(split_parts(text, ctx), XCN_NAME, ctx)


@datatype("CN CNN", "HumanName", reads=(2, 3, 4, 5, 6, 7))
def cn_name(text: str, ctx: Context) -> JsonObject | None:
    """The name alone."""
    return human_name(split_parts(text, ctx), CN_NAME, ctx)


@datatype("XCN CN CNN", "display", reads=(1, 2, 3, 4, 5, 6, 7), gives="string")
def xcn_display(text: str, ctx: Context) -> str | None:
    """The name on one line, else the identifier."""
    return _display(split_parts(text, ctx), ctx)


@datatype("NDL", "Practitioner", reads=(1,), version=3)
def ndl_practitioner(text: str, ctx: Context) -> JsonObject | None:
    """NDL.1, a CNN in subcomponents; None without identifier."""
    return _practitioner(_cnn(_ndl_person(text, ctx), ctx), CN_NAME, ctx)


@datatype("NDL", "display", reads=(1,), gives="string")
def ndl_display(text: str, ctx: Context) -> str | None:
    """The name in NDL.1, else its identifier."""
    return _display(_ndl_person(text, ctx), ctx)


@datatype("NDL", "Period", reads=(2, 3))
def ndl_period(text: str, ctx: Context) -> JsonObject | None:
    """When the person did it."""
    parts = split_parts(text, ctx)
    start, end = (parts[at] if at < len(parts) else "" for at in (1, 2))
    return period_between(start, end, ctx)


def _practitioner(parts: list[str], plan: NamePlan, ctx: Context) -> JsonObject | None:
    if _is_coded(parts, ctx):
        ctx.note("person-coded", "a code, or a time, stands where a person belongs")
        return None
    identifier = _identifier(parts, ctx)
    if identifier is None:
        return None
    result: JsonObject = {"identifier": [identifier]}
    parts = _titled(parts, ctx)
    degree = code_part(parts, 7, ctx)
    # `Dr. med.` is of medicine, not a Master of Education: a word cut short is no code.
    coded = "" if degree.islower() and degree.endswith(".") else degree.replace(".", "")
    row = look_up(load("DegreeLicenseCertificate"), coded) if coded else None
    if row is not None:
        parts = [*parts[:6], "", *parts[7:]]
        coding: JsonObject = {"system": row[0], "code": row[1], "display": row[2]}
        result["qualification"] = [{"code": {"coding": [coding]}}]
    name = human_name(parts, plan, ctx)
    if name:
        result["name"] = [name]
    return result


def _is_coded(parts: list[str], ctx: Context) -> bool:
    """`CAR^Cardiology^HL70069` or a time to the second: of the field beside; nobody is called so.

    Names with a figure in them count, and `CPT`: `LN` may be somebody's initials.
    """
    given, number = part(parts, 3, ctx), parts[0]
    if not any(parts[1:]) and _A_TIME.fullmatch(number):
        return True
    return (
        (given == "CPT" or any(sign.isdigit() for sign in given))
        and not any(parts[3:])
        and bool(part(parts, 2, ctx))
        and bool(coding_system(given))
    )


def _titled(parts: list[str], ctx: Context) -> list[str]:
    """A degree in the place of the prefix, put into its own."""
    degree = code_part(parts, 6, ctx).replace(".", "").upper()
    if degree not in _NO_TITLES or code_part(parts, 7, ctx):
        return parts
    return [*parts[:5], "", parts[5], *parts[7:]]


def _identifier(parts: list[str], ctx: Context) -> JsonObject | None:
    value = part(parts, 1, ctx)
    if not value or is_placeholder(value):
        return None
    owner = parts[8] if len(parts) > 8 else ""
    if len(parts) > 13 and not owner.strip(f'"{ctx.subcomponent}'):
        owner = parts[13]
    return assigned(value, owner, code_part(parts, 13, ctx), ctx)


def _display(parts: list[str], ctx: Context) -> str | None:
    if _is_coded(parts, ctx):
        return None
    name = human_name(_titled(parts, ctx), CN_NAME, ctx)
    shown = display_of(name) if name else None
    return shown or part(parts, 1, ctx) or None


def _ndl_person(text: str, ctx: Context) -> list[str]:
    return subparts(split_parts(text, ctx)[0], ctx)


def _cnn(parts: list[str], ctx: Context) -> list[str]:
    """A CNN with its authority (components 9 to 11) gathered into one, as an XCN has it."""
    if len(parts) < 10 or not ctx.subcomponent:
        return parts[:9]
    return [*parts[:8], ctx.subcomponent.join(parts[8:11])]
