"""Telephone numbers and electronic addresses: XTN, TN.

HL7 v2.8 ch. 2A.2.90 (XTN), v2.3 ch. 2.8.41 (TN); v2-to-FHIR map XTN[ContactPoint]. Old senders
write `(555)555-5555` in XTN.1, newer ones the parts from XTN.5 on: what is populated decides.
"""

from collections.abc import Sequence
from typing import Final

from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes.codes import look_up
from adapters.hl7v2.datatypes.components import cleaned, split_parts, token
from adapters.hl7v2.datatypes.numbers import number
from adapters.hl7v2.datatypes.registry import datatype
from adapters.hl7v2.datatypes.times import period_between
from adapters.hl7v2.tables import load
from bridge.core.record.bundle import Json, JsonObject, Severity

__all__ = ["contact_points", "contact_string"]

_EXTENSION: Final = "http://hl7.org/fhir/StructureDefinition/contactpoint-"
_PARTS: Final = tuple(_EXTENSION + name for name in ("country", "area", "local", "extension"))
"""URL of the extension of XTN.5 to XTN.8."""
_NO_PARTS: Final = ("", "", "", "")
_PAGES: Final = ("http://", "https://")
_ELECTRONIC: Final = frozenset({"email", "url"})
_WIDTH: Final = 18
_MAX_RANK_DIGITS: Final = 9
"""A positiveInt of FHIR has 31 bits."""
_OLD_NUMBER: Final = frozenset("0123456789()-+ .")
"""What a TN has before X, B and C."""


@datatype(
    "XTN TN",
    "ContactPoint",
    reads=(1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 18),
    gives="ContactPoint[]",
    version=4,
)
def contact_points(text: str, ctx: Context) -> list[JsonObject] | None:
    """The number, then the electronic address, then a beeper; each with system, use, period, rank.

    One XTN may hold a number and a mailbox: senders fill XTN.1 and XTN.4 of one repetition. What
    is no address there (`HOME`) is a comment on the number.
    """
    raw = split_parts(text, ctx)
    parts = cleaned(text, ctx, _WIDTH)
    equipment, use = token(parts[2]), token(parts[1])
    system, mobile = _system(equipment, use, ctx)
    numbers, addresses = _told_apart(parts, system, mailbox=equipment == "X.400")
    if len(numbers) + len(addresses) > 1 and parts[3] in addresses and not _is_address(parts[3]):
        addresses.remove(parts[3])
        parts[8] = " ".join(filter(None, (parts[3], parts[8])))
    made: list[JsonObject] = []
    spoken = "phone" if system in _ELECTRONIC else system or "phone"
    pieces: Sequence[str] = parts[4:8]
    for value in numbers:
        made += _number(value, spoken, pieces)
        pieces = _NO_PARTS
    for value in addresses:
        made.append({"system": _kind(value, "" if numbers else system), "value": value})
    for one in made:
        _add_use(one, use, ctx, mobile=mobile)
        if len(raw) > 8 or parts[8]:
            _add_extras(one, raw, parts, ctx)
    return made or None


@datatype("XTN TN", "string", reads=(1, 4, 5, 6, 7, 8, 12))
def contact_string(text: str, ctx: Context) -> str | None:
    """The number, else the address."""
    parts = cleaned(text, ctx, _WIDTH)
    return _composed(parts) or parts[11] or parts[0] or parts[3] or None


def _system(equipment: str, use: str, ctx: Context) -> tuple[str, bool]:
    """FHIR's system of tables 0202 and 0201, and whether it is a mobile; empty when unsaid."""
    if equipment:
        row = look_up(load("TelecommunicationEquipmentType"), equipment)
        if row is not None:
            return ("phone", True) if row[1] == "mobile" else (row[1], False)
        ctx.note("code-unmapped", "the equipment type is not of table 0202", Severity.INFORMATION)
    if use == "NET":
        return "email", False
    return ("pager", False) if use == "BPN" else ("", False)


def _told_apart(parts: list[str], system: str, *, mailbox: bool) -> tuple[list[str], list[str]]:
    """Numbers and electronic addresses among the four places, each once.

    The address of an X.400 mailbox may be a number (`NET^X.400^800013630` in the Netherlands).
    """
    numbers: list[str] = []
    addresses: list[str] = []
    composed, address = _composed(parts), parts[3]
    if composed and not (parts[11] or parts[0] or address or "@" in composed or ":" in composed):
        return [composed], addresses  # as nearly all are written
    for value in (composed, parts[11], parts[0], address):
        if not value:
            continue
        named = value is address or (system in _ELECTRONIC and not (address or composed))
        boxed = mailbox and value is address
        if _is_address(value) or boxed or (named and not _is_dialled(value)):
            if value not in addresses:
                addresses.append(value)
        else:
            _note_number(numbers, value)
    return numbers, addresses


def _is_address(value: str) -> bool:
    return "@" in value or value.startswith(_PAGES)


def _is_dialled(value: str) -> bool:
    return _OLD_NUMBER.issuperset(value)


def _note_number(numbers: list[str], value: str) -> None:
    """One number may be sent twice, with and without its area or country: the longer one stands."""
    digits = _digits(value) if numbers else ""
    for at, known in enumerate(numbers):
        held = _digits(known)
        if held.endswith(digits):
            return
        if digits.endswith(held):
            numbers[at] = value
            return
    numbers.append(value)


def _digits(value: str) -> str:
    """Of a number without its extension, nor the 0 or 00 that stands for what is left out."""
    return "".join(sign for sign in value.partition("X")[0] if sign.isdigit()).lstrip("0")


def _composed(parts: list[str]) -> str:
    """`+5 6 7 X8` of the components, as the official map writes it; empty without XTN.7."""
    country, area, local, extension = parts[4:8]
    if not local:
        return ""
    text = f"{area} {local}" if area else local
    if country:
        text = f"+{country.lstrip('+')} {text}"
    return f"{text} X{extension}" if extension else text


def _kind(value: str, system: str) -> str:
    """FHIR wants a system with every value (cpt-2): by the form, then by what the sender said."""
    if value.startswith(_PAGES):
        return "url"
    return "email" if "@" in value else system or "other"


def _number(value: str, system: str, pieces: Sequence[str]) -> list[JsonObject]:
    """The number, with its parts; of an old TN the extension, the beeper and the words apart."""
    extensions: list[Json] = []
    for url, piece in zip(_PARTS, pieces, strict=True):
        if piece:
            extensions.append({"url": url, "valueString": piece})
    beeper = ""
    if not extensions:
        value, extension, beeper, words = _old_form(value)
        extensions += [
            {"url": _EXTENSION + kind, "valueString": piece}
            for kind, piece in (("extension", extension), ("comment", words))
            if piece
        ]
    point: JsonObject = {"system": system, "value": value}
    if extensions:
        point["extension"] = extensions
    return [point, {"system": "pager", "value": beeper}] if beeper else [point]


def _old_form(value: str) -> tuple[str, str, str, str]:
    """`(555)555-1234X89B4711CEvenings` as `(555)555-1234 X89`, 89, 4711 and Evenings.

    HL7 v2.3 ch. 2.8.41. What is not of that form is the number as it stands.
    """
    rest, _, words = value.partition("C")
    rest, _, beeper = rest.partition("B")
    rest, _, extension = rest.partition("X")
    plain, digits = rest.strip(), beeper + extension
    if not plain or not (digits or words) or not _is_dialled(plain):
        return value, "", "", ""
    if digits and not digits.strip().isdigit():
        return value, "", "", ""
    if words[1:2].isupper() or words[:1].islower():
        words = f"C{words}"  # a word that begins with C, not the mark of a comment
    return f"{plain} X{extension}" if extension else plain, extension, beeper, words.strip()


def _add_use(result: JsonObject, use: str, ctx: Context, *, mobile: bool) -> None:
    row = look_up(load("TelecommunicationUseCode"), use) if use else None
    electronic = result["system"] in _ELECTRONIC
    if mobile and not electronic:
        result["use"] = "mobile"
    elif row is not None and not (electronic and (mobile or row[1] == "mobile")):
        result["use"] = row[1]
    elif row is None and use and use not in {"NET", "BPN"}:
        ctx.note("code-unmapped", "the telecom use has no use in FHIR", Severity.INFORMATION)


def _add_extras(result: JsonObject, raw: list[str], parts: list[str], ctx: Context) -> None:
    comment = parts[8]
    if comment:
        extension: JsonObject = {"url": _EXTENSION + "comment", "valueString": comment}
        known = result.get("extension")
        result["extension"] = [*known, extension] if isinstance(known, list) else [extension]
    if len(raw) < 13:
        return
    start, end = (raw[at - 1] if at <= len(raw) else "" for at in (13, 14))
    period = period_between(start, end, ctx) if start or end else None
    if period:
        result["period"] = period
    rank = number(parts[17])
    if rank.isdigit() and rank != "0" and len(rank) <= _MAX_RANK_DIGITS:
        result["rank"] = int(rank)
