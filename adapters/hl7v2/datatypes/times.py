"""Dates and times: TS, DTM, DT, TM, DR, with the precision that was sent.

HL7 v2.8 ch. 2A.2.21 and 2A.2.22; https://hl7.org/fhir/R4/datatypes.html#dateTime. A time of day
needs an offset: the value's own, else MSH-7's, else the sender's zone; else it is cut to a date
and reported. Digits are sliced; a datetime object exists only behind memoised lookups.
"""

from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final

from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes.components import DELETE, split_parts, subparts
from adapters.hl7v2.datatypes.registry import datatype
from adapters.hl7v2.datatypes.zones import offset_of, zone_offset
from bridge.core.record.bundle import JsonObject, Severity

__all__ = [
    "calendar_date",
    "date_time",
    "ends_before",
    "instant",
    "moment_of",
    "period",
    "period_between",
    "period_of",
    "period_start",
    "time_of_day",
    "uninstant",
]

_KEPT: Final = 8192
"""Distinct days that are remembered: two decades of them, a megabyte at most."""
_DIGITS: Final = frozenset("0123456789")
_USUAL: Final = {8: 8, 12: 12, 14: 14, 17: 12, 19: 14}
"""Length of a time, without offset or with `+ZZZZ`, to where its clock ends."""
_DAY: Final = 8
"""Digits of YYYYMMDD."""
_SIGNS: Final = frozenset("+-")
_MAX_FRACTION: Final = 9
"""HL7 allows four decimals of a second, FHIR readers take nine; more cannot be a clock's."""


@datatype("TS DTM DT", "dateTime", reads=(1,), version=2)
def date_time(text: str, ctx: Context) -> str | None:
    """A FHIR dateTime of the same precision.

    Findings: `date-invalid` (dropped), `time-invalid` and `zone-missing` (cut to a date),
    `offset-invalid`, `time-form`, `time-precision`, `time-2400`, `time-ambiguous`.
    """
    # As nearly all are written: YYYYMMDD or YYYYMMDDHHMM[SS][+ZZZZ].
    at = _USUAL.get(len(text))
    if at is not None:
        day = _date(text[:8])
        if at == 8 and day:
            return day
        clock = _clock(text[8:at], "") if day else ""
        tail = text[at:]
        offset = (offset_of(tail) if tail[0] in _SIGNS else "") if tail else ctx.offset
        if clock and offset:
            return f"{day}T{clock}{offset}"
    stamp = _stamp(text, ctx)
    return _date_time(stamp, ctx) if stamp else None


@datatype("TS DTM", "instant", reads=(1,))
def instant(text: str, ctx: Context) -> str | None:
    """A FHIR instant: None with `instant-imprecise` when the value has no time or no zone."""
    value = date_time(text, ctx)
    if value is None or len(value) > 10:
        return value
    ctx.note("instant-imprecise", "an instant needs a time of day and an offset: send both")
    return None


@datatype("TS DTM", "uninstant", reads=(1,), gives="dateTime")
def uninstant(text: str, ctx: Context) -> str | None:
    """The date of a value that is no instant, which `instant` reports; None of one that is."""
    findings = len(ctx.findings)
    value = date_time(text, ctx)
    del ctx.findings[findings:]
    return value if value and len(value) <= 10 else None


@datatype("TS DTM DT", "date", reads=(1,))
def calendar_date(text: str, ctx: Context) -> str | None:
    """A FHIR date; a time of day behind it is not read."""
    stamp = _stamp(text, ctx)
    if not stamp:
        return None
    if len(stamp) > 8:
        stamp = _separate(_plain(stamp, ctx))[0][:8]
    return _checked_date(stamp, ctx)


@datatype("TM TS DTM", "time", reads=(1,))
def time_of_day(text: str, ctx: Context) -> str | None:
    """A FHIR time, which has no zone; of a TS its time of day.

    Findings: `time-invalid` (dropped), `time-offset` when an offset was sent, `time-2400`.
    """
    stamp = _stamp(text, ctx)
    if not stamp:
        return None
    digits, fraction, offset = _separate(stamp.replace(":", ""))
    if offset:
        ctx.note("time-offset", "a FHIR time has no offset: it was left out", Severity.INFORMATION)
    if len(digits) >= 8:
        digits = digits[8:]
    if digits in {"24", "2400", "240000"}:
        ctx.note("time-2400", "24:00 was written as 00:00", Severity.INFORMATION)
        digits = "00"
    clock = _clock(digits, fraction)
    if not clock:
        ctx.note("time-invalid", "a time is not HHMM[SS[.S]]: it was left out")
    return clock or None


@datatype("DR", "Period", reads=(1, 2))
def period(text: str, ctx: Context) -> JsonObject | None:
    """DR.1 to DR.2; an end before its start is reported and left out (FHIR per-1)."""
    return period_of(split_parts(text, ctx), ctx)


@datatype("DR", "dateTime", reads=(1,))
def period_start(text: str, ctx: Context) -> str | None:
    """DR.1 alone."""
    return date_time(text, ctx)


def period_of(parts: list[str], ctx: Context) -> JsonObject | None:
    """A Period of the first two parts, raw."""
    return period_between(parts[0], parts[1] if len(parts) > 1 else "", ctx)


def period_between(start: str, end: str, ctx: Context) -> JsonObject | None:
    """A Period of two raw times, either of which may be empty."""
    first = date_time(start, ctx) if start else None
    last = date_time(end, ctx) if end else None
    if first and last and ends_before(first, last):
        ctx.note("period-reversed", "a period ends before it starts: its end was left out")
        last = None
    result: JsonObject = {}
    if first:
        result["start"] = first
    if last:
        result["end"] = last
    return result or None


def ends_before(first: str, last: str) -> bool:
    """Whether the end is certainly before the start; offsets move a time by a day at most."""
    if len(first) > 10 and len(last) > 10:
        if first[19:] == last[19:]:
            return last < first
        return moment_of(last) < moment_of(first)
    size = min(len(first), len(last), 10)
    return last[:size] < first[:size]


def moment_of(value: str) -> datetime:
    """The dateTime as a datetime; a leap second is the second before it."""
    return datetime.fromisoformat(value[:17] + value[17:19].replace("60", "59") + value[19:])


def _stamp(text: str, ctx: Context) -> str:
    """The first component, and of it the first subcomponent; empty when absent."""
    if not text or text == DELETE:
        return ""
    if ctx.component in text:
        text = split_parts(text, ctx)[0]
    if ctx.subcomponent and ctx.subcomponent in text:
        text = subparts(text, ctx)[0]
    text = text.strip()
    return "" if text == DELETE else text


def _date_time(stamp: str, ctx: Context) -> str | None:
    if len(stamp) <= 8 or (stamp.isdigit() and stamp.isascii()):
        digits, fraction, offset = stamp, "", ""
    else:
        digits, fraction, offset = _separate(_plain(stamp, ctx))
    day = _checked_date(digits[:8], ctx)
    if day is None or len(digits) <= _DAY or len(day) < len("YYYY-MM-DD"):
        return day
    clock = _clock(digits[8:], fraction)
    if not clock:
        return _without_clock(digits, fraction + offset, day, ctx)
    if len(digits) == 10:
        ctx.note(
            "time-precision", "a time had hours only: FHIR needs minutes, 00", Severity.INFORMATION
        )
    return _with_zone(digits, day, clock, offset, ctx)


def _with_zone(digits: str, day: str, clock: str, offset: str, ctx: Context) -> str:
    zone = offset_of(offset) if offset else ""
    if offset and not zone:  # whichever other offset were taken, it would be a guess
        ctx.note(
            "offset-invalid", "an offset is not +HHMM up to 14 hours: the time was cut to its date"
        )
        return day
    zone = zone or ctx.offset
    if not zone and ctx.zone is not None:
        zone = zone_offset(digits, ctx.zone, ctx)
    if not zone:
        ctx.note(
            "zone-missing",
            "a time has no offset and the sender has no zone: it was cut to its date; give the"
            " sender's profile a zone",
        )
        return day
    return f"{day}T{clock}{zone}"


def _without_clock(digits: str, tail: str, day: str, ctx: Context) -> str | None:
    """24:00 is the next day's midnight; of any other wrong time the date is kept.

    The tail is the fraction, which must be zero, and the offset.
    """
    offset = tail.lstrip("0")
    midnight = digits[8:] in {"24", "2400", "240000"} and not offset[:1].isdigit()
    if midnight and day != "9999-12-31":
        ctx.note("time-2400", "24:00 was written as 00:00 of the next day", Severity.INFORMATION)
        after = date.fromisoformat(day) + timedelta(days=1)
        return _date_time(after.isoformat().replace("-", "") + "000000" + offset, ctx)
    ctx.note("time-invalid", "a date has a time of day that no clock shows: it was cut to its date")
    return day


def _separate(stamp: str) -> tuple[str, str, str]:
    """Digits, fraction and offset of `YYYYMMDDHHMMSS.SSSS+ZZZZ`, unchecked."""
    offset = ""
    at = stamp.find("+")
    if at < 0:
        at = stamp.find("-")
    if at >= 0:
        offset, stamp = stamp[at:], stamp[:at]
    elif stamp[-1:] in {"Z", "z"}:
        offset, stamp = "Z", stamp[:-1]
    digits, _, fraction = stamp.partition(".")
    return digits, fraction, offset


def _plain(stamp: str, ctx: Context) -> str:
    """HL7's form of a time in ISO 8601's extended form, which some senders use; reported."""
    if len(stamp) < 10 or stamp[4] != "-" or stamp[7] != "-":
        return stamp
    ctx.note("time-form", "a time is in the form of ISO 8601, not of HL7 v2", Severity.INFORMATION)
    day, rest = stamp[:4] + stamp[5:7] + stamp[8:10], stamp[10:].lstrip("T ")
    at = max(rest.find("+"), rest.find("-"))
    clock, offset = (rest[:at], rest[at:]) if at >= 0 else (rest, "")
    return day + clock.replace(":", "") + offset.replace(":", "")


def _checked_date(digits: str, ctx: Context) -> str | None:
    found = _date(digits)
    if not found and len(digits) == _DAY and digits.endswith("00"):
        found = _date(digits[:4] if digits.endswith("0000") else digits[:6])
        if found:
            ctx.note("date-partial", "a month or day of 00 was left out", Severity.INFORMATION)
    if not found:
        ctx.note("date-invalid", "a date is not YYYY[MM[DD]] of the calendar: it was left out")
    return found or None


@lru_cache(maxsize=_KEPT)
def _date(digits: str) -> str:
    """`YYYY[MM[DD]]` as a FHIR date; empty when it is none."""
    if len(digits) not in {4, 6, 8} or not _DIGITS.issuperset(digits):
        return ""
    iso = "-".join(piece for piece in (digits[:4], digits[4:6], digits[6:]) if piece)
    try:
        date.fromisoformat((iso + "-01-01")[:10])
    except ValueError:
        return ""
    return iso


@lru_cache(maxsize=_KEPT)
def _clock(digits: str, fraction: str) -> str:
    """`HH[MM[SS]]` and a fraction as `hh:mm:ss[.s]`; empty when no clock shows it.

    FHIR takes seconds of 60 (leap seconds) but no hour of 24.
    """
    if len(digits) not in {2, 4, 6} or not _DIGITS.issuperset(digits + fraction):
        return ""
    hour, minute, second = digits[:2], digits[2:4] or "00", digits[4:] or "00"
    if hour > "23" or minute > "59" or second > "60" or len(fraction) > _MAX_FRACTION:
        return ""
    if fraction and len(digits) == 6:
        return f"{hour}:{minute}:{second}.{fraction}"
    return f"{hour}:{minute}:{second}"
