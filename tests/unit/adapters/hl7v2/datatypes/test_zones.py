"""Offsets of values and of zones."""

from zoneinfo import ZoneInfo

import pytest

from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes.zones import offset_of, zone_offset


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Z", "Z"),
        ("+0130", "+01:30"),
        ("-05", "-05:00"),
        ("+14:00", "+14:00"),
        ("+1401", ""),
        ("+0160", ""),
        ("+x", ""),
    ],
)
def test_offset_is_within_fourteen_hours(text: str, expected: str) -> None:
    """An offset is +HHMM up to 14 hours, as FHIR's grammar has it."""
    assert offset_of(text) == expected


def test_half_hour_daylight_saving_is_followed() -> None:
    """Lord Howe Island moves its clocks by half an hour."""
    ctx, zone = Context(), ZoneInfo("Australia/Lord_Howe")

    assert zone_offset("20240115120000", zone, ctx) == "+11:00"
    assert zone_offset("20240715120000", zone, ctx) == "+10:30"


def test_hour_that_was_skipped_is_reported() -> None:
    """A local time inside the spring gap takes the offset before it and says so."""
    ctx = Context()

    offset = zone_offset("20240310023000", ZoneInfo("America/Chicago"), ctx)

    assert (offset, ctx.findings[0].code) == ("-06:00", "time-ambiguous")
