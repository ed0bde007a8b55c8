"""Offsets from UTC: as a value writes them, and of the sender's IANA zone at a local time.

The offset of a day is remembered with its zone, so the common path makes no datetime object.
"""

from datetime import datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from adapters.hl7v2.context import Context

__all__ = ["offset_of", "zone_offset"]

_KEPT: Final = 8192
"""Distinct days that are remembered: two decades of them, a megabyte at most."""
_DIGITS: Final = frozenset("0123456789")


@lru_cache(maxsize=256)
def offset_of(text: str) -> str:
    """`+HHMM` as `+HH:MM`; empty when FHIR's grammar has no such offset."""
    if text == "Z":
        return "Z"
    digits = text[1:].replace(":", "", 1)
    if len(digits) == 2:
        digits += "00"
    if len(digits) != 4 or not _DIGITS.issuperset(digits) or digits[2:] > "59":
        return ""
    if digits > "1400":
        return ""
    return f"{text[0]}{digits[:2]}:{digits[2:]}"


def zone_offset(digits: str, zone: ZoneInfo, ctx: Context) -> str:
    """The zone's offset at that local time; the earlier one, reported, when the clock goes back."""
    whole_day = _day_offset(digits[:8], zone)
    if whole_day is not None:
        return whole_day
    first, second = _minute_offsets(digits[:12].ljust(12, "0"), zone)
    if first != second:
        ctx.note(
            "time-ambiguous",
            "a time falls into a clock change and has no offset: the offset before it was taken",
        )
    return first


@lru_cache(maxsize=_KEPT)
def _day_offset(digits: str, zone: ZoneInfo) -> str | None:
    """The zone's offset all through that day; None when a clock change falls on it."""
    midnight = datetime(int(digits[:4]), int(digits[4:6]), int(digits[6:]), tzinfo=zone)
    evening = midnight.replace(hour=23, minute=59, second=59, fold=1)
    if midnight.utcoffset() != evening.utcoffset():
        return None
    return _offset_text(midnight)


@lru_cache(maxsize=_KEPT)
def _minute_offsets(digits: str, zone: ZoneInfo) -> tuple[str, str]:
    """The offsets before and after a clock change at that local minute; mostly the same."""
    year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:8])
    local = datetime(year, month, day, int(digits[8:10]), int(digits[10:]), tzinfo=zone)
    return _offset_text(local), _offset_text(local.replace(fold=1))


def _offset_text(local: datetime) -> str:
    """`+HH:MM`; empty for the offsets with seconds of the time before standard time."""
    text = local.strftime("%z")
    return f"{text[:3]}:{text[3:]}" if len(text) == 5 else ""
