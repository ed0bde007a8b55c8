"""Times keep their precision and never borrow a zone."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adapters.hl7v2.context import Context

CHICAGO = ZoneInfo("America/Chicago")


@pytest.mark.parametrize(
    ("text", "expected", "found"),
    [
        pytest.param("2021", "2021", [], id="year"),
        pytest.param("202110", "2021-10", [], id="month"),
        pytest.param("20240229", "2024-02-29", [], id="leap-day"),
        pytest.param("202110201126+0215", "2021-10-20T11:26:00+02:15", [], id="own-offset"),
        pytest.param("20211020112600.1230-0500", "2021-10-20T11:26:00.1230-05:00", [], id="tenths"),
        pytest.param("20161231235960+0000", "2016-12-31T23:59:60+00:00", [], id="leap-second"),
        pytest.param("20211231240000+0100", "2022-01-01T00:00:00+01:00", ["time-2400"], id="24"),
        pytest.param("2021102011+0100", "2021-10-20T11:00:00+01:00", ["time-precision"], id="hour"),
        pytest.param("2024-01-02 03:04:05Z", "2024-01-02T03:04:05Z", ["time-form"], id="iso-8601"),
        pytest.param("20211020112600", "2021-10-20", ["zone-missing"], id="no-zone"),
        pytest.param("20211020112600+1500", "2021-10-20", ["offset-invalid"], id="offset"),
        pytest.param("20230229", None, ["date-invalid"], id="no-leap-year"),
        pytest.param("19800000", "1980", ["date-partial"], id="year-and-zeros"),
        pytest.param("19800500", "1980-05", ["date-partial"], id="month-and-zeros"),
        pytest.param("198005001200", "1980-05", ["date-partial"], id="time-of-no-day"),
        pytest.param("202401011200+2500", "2024-01-01", ["offset-invalid"], id="offset-of-no-zone"),
        pytest.param("00000000", None, ["date-invalid"], id="zeros"),
        pytest.param("2021102", None, ["date-invalid"], id="half-a-day"),
        pytest.param("20211020256000+0000", "2021-10-20", ["time-invalid"], id="hour-25"),
        pytest.param("20211020T0800", "2021-10-20", ["time-invalid"], id="half-iso"),
        pytest.param("UNKNOWN", None, ["date-invalid"], id="words"),
        pytest.param('""', None, [], id="delete-marker"),
        pytest.param("20211020^D", "2021-10-20", [], id="degree-of-precision"),
    ],
)
def test_date_time_keeps_its_precision(
    convert: Callable[..., Any],
    text: str,
    expected: str | None,
    found: list[str],
) -> None:
    """A time is written with what was sent, or dropped and reported."""
    value = convert("TS.dateTime", text)

    assert value == (expected, found)


@pytest.mark.parametrize(
    ("offset", "zone", "expected"),
    [
        pytest.param("+01:00", CHICAGO, "2021-07-01T12:00:00+01:00", id="msh-7-before-zone"),
        pytest.param("", CHICAGO, "2021-07-01T12:00:00-05:00", id="summer-time"),
    ],
)
def test_offset_comes_from_the_message_then_from_the_sender(
    convert: Callable[..., Any], offset: str, zone: ZoneInfo, expected: str
) -> None:
    """MSH-7's offset stands above the sender's zone."""
    ctx = Context(offset=offset, zone=zone)

    value = convert("TS.dateTime", "202107011200", ctx=ctx)

    assert value == (expected, [])


@pytest.mark.parametrize(
    ("text", "expected", "found"),
    [
        pytest.param("20210101120000", "2021-01-01T12:00:00-06:00", [], id="winter"),
        pytest.param("20241103003000", "2024-11-03T00:30:00-05:00", [], id="before-the-change"),
        pytest.param(
            "20241103013000", "2024-11-03T01:30:00-05:00", ["time-ambiguous"], id="twice-that-day"
        ),
        pytest.param("20241103120000", "2024-11-03T12:00:00-06:00", [], id="after-the-change"),
        pytest.param("18800101120000", "1880-01-01", ["zone-missing"], id="local-mean-time"),
    ],
)
def test_zone_follows_daylight_saving(
    convert: Callable[..., Any], text: str, expected: str, found: list[str]
) -> None:
    """The sender's zone gives the offset of that day, and a doubtful one is reported."""
    ctx = Context(zone=CHICAGO)

    value = convert("TS.dateTime", text, ctx=ctx)

    assert value == (expected, found)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        pytest.param("TS.date", "19751231000000", "1975-12-31", id="date-of-a-time"),
        pytest.param("DT.date", "197512", "1975-12", id="date-of-a-month"),
        pytest.param("DT.date", "1975-12-31", "1975-12-31", id="iso-date"),
        pytest.param(
            "TS.instant", "20211020112600+0000", "2021-10-20T11:26:00+00:00", id="instant"
        ),
        pytest.param("TS.instant", "20211020", None, id="instant-of-a-day"),
        pytest.param("TS.uninstant", "20211020", "2021-10-20", id="day-of-no-instant"),
        pytest.param("TS.uninstant", "20211020112600+0000", None, id="instant-is-none"),
        pytest.param("TM.time", "1230", "12:30:00", id="time"),
        pytest.param("TM.time", "123015.5-0500", "12:30:15.5", id="time-with-offset"),
        pytest.param("TM.time", "2400", "00:00:00", id="midnight"),
        pytest.param("TM.time", "99", None, id="no-time"),
        pytest.param("DR.Period", "2020^2021", {"start": "2020", "end": "2021"}, id="period"),
        pytest.param("DR.Period", "^2021", {"end": "2021"}, id="open-start"),
        pytest.param("DR.Period", "2021^2020", {"start": "2021"}, id="reversed"),
        pytest.param(
            "DR.Period",
            "20210101120000.5+0000^20210101120000.25-0100",
            {"start": "2021-01-01T12:00:00.5+00:00", "end": "2021-01-01T12:00:00.25-01:00"},
            id="end-in-another-zone",
        ),
        pytest.param(
            "DR.Period",
            "20210101115960-0100^20210101120000+0000",
            {"start": "2021-01-01T11:59:60-01:00"},
            id="reversed-across-zones",
        ),
        pytest.param("DR.dateTime", "2020^2021", "2020", id="start-only"),
    ],
)
def test_other_kinds_of_time(
    convert: Callable[..., Any], name: str, text: str, expected: object
) -> None:
    """Date, instant, time and period each take what is theirs."""
    value, _ = convert(name, text)

    assert value == expected
