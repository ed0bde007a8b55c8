"""What a written date or number covers: a year is a span of instants, 5.4 is 5.35 to 5.45.

Source: https://hl7.org/fhir/R4/search.html#date, https://hl7.org/fhir/R4/search.html#number.
"""

import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation

from bridge.core.ids import Instant

__all__ = ["EARLIEST", "LATEST", "date_range", "folded", "number", "number_range"]

EARLIEST = Instant(datetime(1, 1, 2, tzinfo=UTC))
"""Before every date: a Period without start. A day from the edge, so that any zone can show it."""
LATEST = Instant(datetime(9999, 12, 30, tzinfo=UTC))
"""After every date: a Period without end."""

_TICK = timedelta(microseconds=1)
_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9})\d*)?)?"
    r"(Z|[+-]\d\d:\d\d)?)?)?)?"
).fullmatch
_NUMBER = re.compile(r"[+-]?\d{1,40}(?:\.\d{1,40})?(?:[eE][+-]?\d{1,3})?").fullmatch


def date_range(text: str) -> tuple[Instant, Instant] | None:
    """First and last instant that a date, dateTime or instant covers, in UTC; None when it is none.

    Both ends belong to the range. A value without zone, as every bare date, is taken as UTC.
    """
    parts = _DATE(text)
    if parts is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = parts.groups()
    try:
        low = datetime(
            int(year),
            int(month or 1),
            int(day or 1),
            int(hour or 0),
            int(minute or 0),
            min(int(second or 0), 59),  # a leap second ends its minute
            int((fraction or "0").ljust(6, "0")[:6]),
            tzinfo=_zone(zone),
        )
        return _clamped(low.astimezone(UTC)), _clamped(
            (_next(low, parts.groups()) - _TICK).astimezone(UTC)
        )
    except OverflowError:  # a zone or a step leads out of the calendar
        return (LATEST, LATEST) if year == "9999" else (EARLIEST, EARLIEST)
    except ValueError:
        return None


def _zone(text: str | None) -> timezone:
    if text is None or text == "Z":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    return timezone(-offset if text[0] == "-" else offset)


def _next(low: datetime, parts: tuple[str | None, ...]) -> datetime:
    """The first instant after what was written, by its precision."""
    _, month, day, hour, _, second, fraction, _ = parts
    if day is None:
        months = 12 if month is None else 1
        year, after = divmod(low.year * 12 + low.month - 1 + months, 12)
        return LATEST if year > 9999 else low.replace(year=year, month=after + 1)
    if hour is None:
        return low + timedelta(days=1)
    if second is None:
        return low + timedelta(minutes=1)
    if fraction is None:
        return low + timedelta(seconds=1)
    return low + _TICK * int(10 ** max(0, 6 - len(fraction)))


def _clamped(moment: datetime) -> Instant:
    return Instant(min(max(moment, EARLIEST), LATEST))


def number(text: str) -> Decimal | None:
    """The decimal as written; None when it is none or too long to be a measurement."""
    if _NUMBER(text) is None:
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def number_range(value: Decimal) -> tuple[Decimal, Decimal]:
    """Half a unit of the last written digit around it: 100 is 99.5 to 100.5, 1e2 is 95 to 105."""
    exponent = value.as_tuple().exponent
    place = exponent if isinstance(exponent, int) else 0
    # R4's own example: 1e2 is 95 to 105, a tenth of what its last digit would say.
    half = Decimal((0, (5,), place - 1 - (place > 0)))
    return value - half, value + half


def folded(text: str) -> str:
    """Text as strings are compared: no case, no accents, single spaces; at most 200 characters.

    The bound keeps an index entry below a third of a database page.
    """
    if text.isascii():
        return " ".join(text.lower().split())[:200]
    plain = unicodedata.normalize("NFKD", text)
    kept = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(kept.casefold().split())[:200]
