"""The grammar of FHIR's primitive types. Source: https://hl7.org/fhir/R4/datatypes.html#primitive."""

import re
from collections.abc import Callable
from datetime import date

from msgspec import Raw

from adapters.fhir.narrative import is_narrative
from bridge.core.record.bundle import Json

__all__ = ["GRAMMARS", "Grammar", "is_id"]

Grammar = Callable[[Json], bool]

_MAX_TEXT = 1_048_576  # characters: "strings SHALL NOT exceed 1MB in size"
_DAY = r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?"
_ZONE = r"(?:Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))"

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}").fullmatch
_CODE = re.compile(r"[^\x00-\x20]+(?:[ \t\r\n][^\x00-\x20]+)*").fullmatch
_URI = re.compile(r"[^\s\x00-\x20]+").fullmatch
_OID = re.compile(r"urn:oid:[0-2](?:\.(?:0|[1-9]\d*))+").fullmatch
_UUID = re.compile(
    r"urn:uuid:[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"
).fullmatch
_DATE = re.compile(rf"(?!0000)(?:\d{{4}}(?:-(?:0[1-9]|1[0-2]))?|{_DAY})").fullmatch
_DATE_TIME = re.compile(
    rf"(?!0000)(?:\d{{4}}(?:-(?:0[1-9]|1[0-2]))?|{_DAY}(?:T{_CLOCK}{_ZONE})?)"
).fullmatch
_INSTANT = re.compile(rf"(?!0000){_DAY}T{_CLOCK}{_ZONE}").fullmatch
_TIME = re.compile(_CLOCK).fullmatch
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}").fullmatch
_DECIMAL = re.compile(rb"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?").fullmatch
_INTEGER = re.compile(rb"-?(?:0|[1-9]\d{0,9})").fullmatch
# Tab, line feed and carriage return are the only control characters a string may hold.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]").search


def is_id(value: Json) -> bool:
    """An id of a resource: 1 to 64 of A-Z a-z 0-9 - and dot."""
    return isinstance(value, str) and _ID(value) is not None


def _is_string(value: Json) -> bool:
    return (
        isinstance(value, str)
        and len(value) <= _MAX_TEXT
        and not (value.isspace() or not value)
        and _CONTROL(value) is None
    )


def _is_code(value: Json) -> bool:
    return isinstance(value, str) and _CODE(value) is not None


def _is_uri(value: Json) -> bool:
    if not isinstance(value, str) or _URI(value) is None:
        return False
    if value.startswith("urn:"):
        if value.startswith("urn:oid:"):
            return _OID(value) is not None
        if value.startswith("urn:uuid:"):
            # A fragment may follow, as in a canonical or a reference.
            return _UUID(value.partition("#")[0].partition("|")[0]) is not None
    return True


def _is_oid(value: Json) -> bool:
    return isinstance(value, str) and _OID(value) is not None


def _is_uuid(value: Json) -> bool:
    return isinstance(value, str) and _UUID(value) is not None


def _is_date(value: Json) -> bool:
    return isinstance(value, str) and _DATE(value) is not None and _in_calendar(value)


def _is_date_time(value: Json) -> bool:
    return isinstance(value, str) and _DATE_TIME(value) is not None and _in_calendar(value)


def _is_instant(value: Json) -> bool:
    return isinstance(value, str) and _INSTANT(value) is not None and _in_calendar(value)


def _in_calendar(value: str) -> bool:
    """Months have their own lengths, and February its leap years."""
    if len(value) < 10 or value[8:10] < "29":
        return True
    try:
        date(int(value[:4]), int(value[5:7]), int(value[8:10]))
    except ValueError:
        return False
    return True


def _is_time(value: Json) -> bool:
    return isinstance(value, str) and _TIME(value) is not None


def _is_base64(value: Json) -> bool:
    if not isinstance(value, str):
        return False
    packed = "".join(value.split()) if any(c.isspace() for c in value[:80]) else value
    if _BASE64(packed) is None:
        packed = "".join(value.split())
    return bool(packed) and len(packed) % 4 == 0 and _BASE64(packed) is not None


def _is_boolean(value: Json) -> bool:
    return value is True or value is False


def _digits(value: Json) -> bytes:
    """The number as written; empty for anything that is no JSON number."""
    if isinstance(value, Raw):
        return bytes(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value).encode()
    return b""


def _is_decimal(value: Json) -> bool:
    return _DECIMAL(_digits(value)) is not None


def _whole(lowest: int) -> Grammar:
    def is_whole(value: Json) -> bool:
        digits = _digits(value)
        return _INTEGER(digits) is not None and lowest <= int(digits) < 2**31

    return is_whole


def _is_xhtml(value: Json) -> bool:
    return isinstance(value, str) and is_narrative(value)


GRAMMARS: dict[str, Grammar] = {
    "base64Binary": _is_base64,
    "boolean": _is_boolean,
    "canonical": _is_uri,
    "code": _is_code,
    "date": _is_date,
    "dateTime": _is_date_time,
    "decimal": _is_decimal,
    "id": is_id,
    "instant": _is_instant,
    "integer": _whole(-(2**31)),
    "markdown": _is_string,
    "oid": _is_oid,
    "positiveInt": _whole(1),
    "string": _is_string,
    "time": _is_time,
    "unsignedInt": _whole(0),
    "uri": _is_uri,
    "url": _is_uri,
    "uuid": _is_uuid,
    "xhtml": _is_xhtml,
}
"""By FHIR's own names of the types."""
