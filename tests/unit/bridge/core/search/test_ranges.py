"""What a written date or number covers."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.search.ranges import EARLIEST, LATEST, date_range, folded, number, number_range


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("2024", "2024-01-01T00:00:00+00:00", "2024-12-31T23:59:59.999999+00:00"),
        ("2024-02", "2024-02-01T00:00:00+00:00", "2024-02-29T23:59:59.999999+00:00"),
        ("2024-12", "2024-12-01T00:00:00+00:00", "2024-12-31T23:59:59.999999+00:00"),
        ("2024-12-31", "2024-12-31T00:00:00+00:00", "2024-12-31T23:59:59.999999+00:00"),
        ("2024-01-01T10:00+02:00", "2024-01-01T08:00:00+00:00", "2024-01-01T08:00:59.999999+00:00"),
        ("2024-01-01T10:00:00Z", "2024-01-01T10:00:00+00:00", "2024-01-01T10:00:00.999999+00:00"),
        (
            "2024-01-01T10:00:00.5Z",
            "2024-01-01T10:00:00.500000+00:00",
            "2024-01-01T10:00:00.599999+00:00",
        ),
        (
            "2024-01-01T10:00:00.123456789Z",
            "2024-01-01T10:00:00.123456+00:00",
            "2024-01-01T10:00:00.123456+00:00",
        ),
    ],
)
def test_date_covers_its_precision(text: str, low: str, high: str) -> None:
    """A year is all its instants; both ends belong to it."""
    assert date_range(text) == (datetime.fromisoformat(low), datetime.fromisoformat(high))


@pytest.mark.parametrize("text", ["", "24", "2024-13", "2023-02-29", "2024-01-01Z", "now", "-2024"])
def test_what_is_no_date_covers_nothing(text: str) -> None:
    """None, never a guess."""
    assert date_range(text) is None


@pytest.mark.parametrize("text", ["0001", "9999", "9999-12-31", "9999-12-31T23:59:59-12:00"])
def test_edges_of_the_calendar_are_kept_inside(text: str) -> None:
    """The first and the last year are searchable in every zone."""
    span = date_range(text)

    assert span is not None
    assert EARLIEST <= span[0] <= span[1] <= LATEST


@given(st.datetimes(min_value=datetime(1900, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001  hypothesis wants naive bounds
def test_an_instant_lies_in_its_day_month_and_year(moment: datetime) -> None:
    """Less precision covers more."""
    text = moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    spans = [date_range(text[:length]) for length in (4, 7, 10)]

    for span in spans:
        assert span is not None
        assert span[0] <= moment <= max(span[1], LATEST - timedelta(days=2))


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("5.4", "5.35", "5.45"),
        ("100", "99.5", "100.5"),
        ("1e2", "95", "105"),
        ("5.40", "5.395", "5.405"),
    ],
)
def test_number_covers_half_a_digit_around(text: str, low: str, high: str) -> None:
    """The digits that are written say how exact the question is."""
    value = number(text)

    assert value is not None
    assert number_range(value) == (Decimal(low), Decimal(high))


@pytest.mark.parametrize("text", ["", "1,5", "NaN", "1e9999", "9" * 50])
def test_what_is_no_measurement_is_no_number(text: str) -> None:
    """Literals that are an attack on arithmetic are none."""
    assert number(text) is None


def test_text_is_folded_for_comparison() -> None:
    """Case, accents and runs of space do not matter."""
    assert folded("  \u00c9va  M\u00dcLLER ") == "eva muller"
    assert folded("Stra\u00dfe") == "strasse"
    assert len(folded("x" * 1000)) == 200
