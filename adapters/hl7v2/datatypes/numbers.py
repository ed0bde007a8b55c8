"""Numbers: NM and SI, with the digits that were sent.

HL7 v2.8 ch. 2A.2.47 allows a leading sign and zeros; FHIR's decimal
(https://hl7.org/fhir/R4/datatypes.html#decimal) has no `+` and no leading zeros.
"""

from typing import Final

from msgspec import Raw

from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes.components import clean, split_parts
from adapters.hl7v2.datatypes.registry import datatype
from bridge.core.record.bundle import JsonObject, Severity

__all__ = ["decimal", "decimal_part", "integer", "length_of_stay", "number", "quantity"]

_MAX_DIGITS: Final = 64
"""No measurement has more; a longer one is text, and no later stage computes with a huge number."""
_MAX_EXPONENT: Final = 3
"""Digits of an exponent, for the same reason."""
_MAX_INTEGER: Final = 2_147_483_647
"""FHIR's integer has 32 bits."""
_UCUM: Final = "http://unitsofmeasure.org"


@datatype("NM SI", "decimal", reads=(1,))
def decimal(text: str, ctx: Context) -> Raw | None:
    """The number with its digits as sent; None with `number-invalid` when it is none.

    Findings: `number-form` (information) when a sign, leading zeros or a bare point had to go.
    """
    parts = split_parts(text, ctx)
    return decimal_part(parts[0], ctx)


@datatype("NM SI", "Quantity", reads=(1,))
def quantity(text: str, ctx: Context) -> JsonObject | None:
    """A Quantity with a value only; its unit is another field's."""
    value = decimal(text, ctx)
    return {"value": value} if value is not None else None


@datatype("NM SI", "integer", reads=(1,))
def integer(text: str, ctx: Context) -> int | None:
    """A whole number of 32 bits; None with `integer-invalid` otherwise."""
    return _integer(text, ctx, lowest=-_MAX_INTEGER - 1)


@datatype("NM SI", "unsignedInt", reads=(1,))
def unsigned(text: str, ctx: Context) -> int | None:
    """A whole number from 0."""
    return _integer(text, ctx, lowest=0)


@datatype("NM SI", "positiveInt", reads=(1,))
def positive(text: str, ctx: Context) -> int | None:
    """A whole number from 1."""
    return _integer(text, ctx, lowest=1)


@datatype("NM", "LengthOfStay", reads=(1,), gives="Duration")
def length_of_stay(text: str, ctx: Context) -> JsonObject | None:
    """Days of a stay, not negative."""
    value = decimal(text, ctx)
    if value is None:
        return None
    if bytes(value)[:1] == b"-":
        ctx.note("number-negative", "a length of stay is negative: it was left out")
        return None
    return {"value": value, "unit": "days", "system": _UCUM, "code": "d"}


def decimal_part(raw: str, ctx: Context) -> Raw | None:
    """A raw component as a number; None when it is absent or none."""
    if not raw:
        return None
    whole, point, fraction = raw.partition(".")
    if (
        whole.isdigit()
        and (fraction.isdigit() or not point)
        and (whole[0] != "0" or len(whole) == 1)
        and raw.isascii()
        and len(raw) <= _MAX_DIGITS
    ):
        return Raw(raw)  # as nearly all numbers are written
    text = clean(raw, ctx)
    if not text:
        return None
    digits = number(text)
    if not digits:
        ctx.note("number-invalid", "a numeric value is no number")
        return None
    if digits != text:
        ctx.note("number-form", "a number was rewritten to FHIR's grammar", Severity.INFORMATION)
    return Raw(digits.encode("ascii"))


def number(text: str) -> str:
    """The text by FHIR's decimal grammar, value and precision unchanged; empty if it is none."""
    if len(text) > _MAX_DIGITS or not text.isascii():
        return ""
    mantissa, mark, exponent = text.replace("E", "e").partition("e")
    sign = "-" if mantissa[:1] == "-" else ""
    body = mantissa[1:] if mantissa[:1] in {"-", "+"} else mantissa
    whole, point, fraction = body.partition(".")
    if not (whole + fraction).isdigit() or (mark and not _is_exponent(exponent)):
        return ""
    whole = whole.lstrip("0") or "0"
    result = f"{sign}{whole}.{fraction}" if point and fraction else sign + whole
    return f"{result}{text[len(mantissa)]}{exponent}" if mark else result


def _is_exponent(text: str) -> bool:
    digits = text[1:] if text[:1] in {"-", "+"} else text
    return digits.isdigit() and len(digits) <= _MAX_EXPONENT


def _integer(text: str, ctx: Context, *, lowest: int) -> int | None:
    raw = split_parts(text, ctx)[0]
    value = clean(raw, ctx)
    if not value:
        return None
    digits = number(value)
    whole, _, fraction = digits.partition(".")
    if digits and not fraction.strip("0") and "e" not in digits.lower():
        found = int(whole)
        if lowest <= found <= _MAX_INTEGER:
            return found
    ctx.note("integer-invalid", f"a whole number from {lowest} was expected")
    return None
