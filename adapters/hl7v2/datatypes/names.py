"""Names of persons: XPN, PN, FN, and the name inside XCN, CN and CNN.

HL7 v2.8 ch. 2A.2.89 (XPN), 2A.2.30 (FN); v2-to-FHIR maps XPN[HumanName], FN[HumanName].
"""

from dataclasses import dataclass
from typing import Final

from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes.codes import look_up
from adapters.hl7v2.datatypes.components import all_clean, part, split_parts, subparts, token
from adapters.hl7v2.datatypes.registry import datatype
from adapters.hl7v2.datatypes.times import period_between, period_of
from adapters.hl7v2.tables import load
from bridge.core.record.bundle import Json, JsonObject, Severity

__all__ = [
    "CN_NAME",
    "XCN_NAME",
    "NamePlan",
    "display_of",
    "fn_name",
    "human_name",
    "xpn_name",
    "xpn_names",
]

_EXTENSION: Final = "http://hl7.org/fhir/StructureDefinition/humanname-"
_REPRESENTATION: Final = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
_FORMS: Final = {"A": "ABC", "I": "IDE", "P": "SYL"}
_FAMILY_PARTS: Final = ("own-prefix", "own-name", "partner-prefix", "partner-name")


@dataclass(frozen=True, slots=True, kw_only=True)
class NamePlan:
    """Where the parts of a name stand in a datatype, component numbers from 1; 0 means nowhere."""

    family: int
    """FN; given name, further given names, suffix and prefix follow it."""
    suffixes: tuple[int, ...] = ()
    """Degree and professional suffix."""
    use: int = 0
    validity: int = 0
    """A DR, its two times as subcomponents."""
    start: int = 0
    end: int = 0
    width: int = 7
    """Components that are looked at."""


XPN_NAME: Final = NamePlan(
    family=1, suffixes=(6, 14), use=7, validity=10, start=12, end=13, width=14
)  # fmt: skip
XCN_NAME: Final = NamePlan(
    family=2, suffixes=(7, 21), use=10, validity=17, start=19, end=20, width=21
)  # fmt: skip
CN_NAME: Final = NamePlan(family=2, suffixes=(7,))


@datatype("XPN PN", "HumanName", reads=(1, 2, 3, 4, 5, 6, 7, 10, 12, 13, 14))
def xpn_name(text: str, ctx: Context) -> JsonObject | None:
    """Family, given, prefix, suffix with degree, use of table 0200, period; None when all empty."""
    return human_name(split_parts(text, ctx), XPN_NAME, ctx)


@datatype(
    "XPN PN",
    "HumanNames",
    reads=(1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15),
    gives="HumanName[]",
)
def xpn_names(text: str, ctx: Context) -> list[JsonObject] | None:
    """The name, and XPN.15, what the person is called by, as a name of use nickname.

    XPN.8 says how it is written (table 0465), XPN.11 in which order it is shown (table 0444).
    """
    parts = split_parts(text, ctx)
    name = human_name(parts, XPN_NAME, ctx)
    if name and len(parts) > 7:
        form = _FORMS.get(part(parts, 8, ctx))
        if form:
            name["extension"] = [{"url": _REPRESENTATION, "valueCode": form}]
        order = part(parts, 11, ctx)
        if order in {"F", "G"}:
            name["text"] = display_of(name, family_first=order == "F")
    called = part(parts, 15, ctx) if len(parts) > 14 else ""
    made = [name] if name else []
    if called:
        made.append({"use": "nickname", "given": [called]})
    return made or None


@datatype("XPN PN", "string", reads=(1, 2, 3, 4, 5, 6, 11, 14))
def xpn_string(text: str, ctx: Context) -> str | None:
    """The name on one line; XPN.11 `F` puts the family name first."""
    parts = split_parts(text, ctx)
    name = human_name(parts, XPN_NAME, ctx)
    return display_of(name, family_first=part(parts, 11, ctx) == "F") if name else None


@datatype("FN", "HumanName", reads=(1,))
def fn_name(text: str, ctx: Context) -> JsonObject | None:
    """A family name alone, as its own field."""
    result: JsonObject = {}
    _add_family(result, text.replace(ctx.component, ctx.subcomponent or ctx.component), ctx)
    return result or None


@datatype("FN", "string", reads=(1,))
def fn_string(text: str, ctx: Context) -> str | None:
    """The surname alone."""
    parts = split_parts(text, ctx)
    return part(subparts(parts[0], ctx), 1, ctx) or None


def human_name(parts: list[str], plan: NamePlan, ctx: Context) -> JsonObject | None:
    """The HumanName that stands in the components by the plan; None without any part of a name."""
    clean = all_clean(parts, ctx, plan.width)
    result = _named(clean, parts, plan, ctx)
    if not result:
        return None
    if plan.use and clean[plan.use - 1]:
        _add_use(result, token(clean[plan.use - 1]), ctx)
    if plan.use and len(parts) >= plan.validity:
        _add_period(result, parts, plan, ctx)
    return result


def _named(clean: list[str], parts: list[str], plan: NamePlan, ctx: Context) -> JsonObject:
    """The parts of the name alone."""
    at = plan.family
    family, given, further, suffix, prefix = clean[at - 1 : at + 4]
    result: JsonObject = {}
    if family and ctx.subcomponent in parts[at - 1]:
        _add_family(result, parts[at - 1], ctx)
    elif family:
        result["family"] = family
    if given or further:
        result["given"] = [given, further] if given and further else [given or further]
    titles: list[Json] = [suffix] if suffix else []
    titles += [clean[number - 1] for number in plan.suffixes if clean[number - 1]]
    if titles:
        result["suffix"] = titles
    if prefix:
        result["prefix"] = [prefix]
    return result


def display_of(name: JsonObject, *, family_first: bool = False) -> str | None:
    """A HumanName on one line: prefix, given, family, suffix; None when it has no such part."""
    family = name.get("family")
    given, prefix, suffix = (_texts(name.get(key)) for key in ("given", "prefix", "suffix"))
    surname = [family] if isinstance(family, str) else []
    middle = [*surname, *given] if family_first else [*given, *surname]
    return " ".join([*prefix, *middle, *suffix]) or None


def _texts(value: Json) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


def _add_family(result: JsonObject, raw: str, ctx: Context) -> None:
    """FN: surname, then own and partner's prefix and name, which FHIR keeps as extensions."""
    if not ctx.subcomponent or ctx.subcomponent not in raw:
        family = part([raw], 1, ctx)
        if family:
            result["family"] = family
        return
    pieces = subparts(raw, ctx)
    family = part(pieces, 1, ctx)
    extra = [part(pieces, number, ctx) for number in (2, 3, 4, 5)]
    extensions: list[Json] = [
        {"url": _EXTENSION + kind, "valueString": value}
        for kind, value in zip(_FAMILY_PARTS, extra, strict=True)
        if value
    ]
    family = family or " ".join(value for value in extra if value)
    if family:
        result["family"] = family
    if extensions:
        result["_family"] = {"extension": extensions}


def _add_use(result: JsonObject, use: str, ctx: Context) -> None:
    row = look_up(load("NameType"), use)
    if row is not None:
        result["use"] = row[1]
    else:
        ctx.note("code-unmapped", "the name type has no use in FHIR", Severity.INFORMATION)


def _add_period(result: JsonObject, parts: list[str], plan: NamePlan, ctx: Context) -> None:
    start, end = (parts[at - 1] if at <= len(parts) else "" for at in (plan.start, plan.end))
    period = (
        period_between(start, end, ctx)
        if start or end
        else period_of(subparts(parts[plan.validity - 1], ctx), ctx)
    )
    if period:
        result["period"] = period
