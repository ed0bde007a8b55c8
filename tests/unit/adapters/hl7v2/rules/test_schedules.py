"""TQ1 as the occurrence of a service."""

from collections.abc import Callable
from typing import Any

import pytest

Build = Callable[..., bytes]
Convert = Callable[[bytes], dict[str, list[dict[str, Any]]]]
Codes = Callable[[bytes], list[tuple[str, str]]]


@pytest.fixture
def order(message: Build, convert: Convert) -> Callable[..., dict[str, Any]]:
    """The ServiceRequest of an order with these TQ1."""

    def run(*segments: str) -> dict[str, Any]:
        raw = message("OML^O21", "ORC|NW|P1", *segments, "OBR|1|P1||X")
        return convert(raw)["ServiceRequest"][0]

    return run


@pytest.mark.parametrize(
    ("segment", "repeat"),
    [
        ("TQ1|1||Q6H|0800~1400", {"frequency": 1, "period": 6, "periodUnit": "h",
                                  "timeOfDay": ["08:00:00", "14:00:00"]}),
        ("TQ1|1||BID|||5^d&day&UCUM", {"frequency": 2, "period": 1, "periodUnit": "d",
                                       "boundsDuration": {"value": 5, "unit": "d", "code": "d",
                                                          "system": "http://unitsofmeasure.org"}}),
        ("TQ1|1||BID||||20240101|20240105||||||20",
         {"frequency": 2, "period": 1, "periodUnit": "d", "count": 20,
          "boundsPeriod": {"start": "2024-01-01", "end": "2024-01-05"}}),
        ("TQ1|1||^^^^^^^ACM|0800|15^min", {"when": ["ACM"], "offset": 15}),
        ("TQ1|1||Q1D||||||||||30^min", {"frequency": 1, "period": 1, "periodUnit": "d",
                                        "duration": 30, "durationUnit": "min"}),
    ],
    ids=["times", "for-days", "bounds-and-count", "before-breakfast", "each-lasts"],
)  # fmt: skip
def test_timing_of_a_repeated_service(
    segment: str, repeat: dict[str, object], order: Callable[..., dict[str, Any]]
) -> None:
    """Every field of TQ1 has its element, and the constraints of Timing hold."""
    assert order(segment)["occurrenceTiming"]["repeat"] == repeat


def test_service_without_pattern_has_a_period(order: Callable[..., dict[str, Any]]) -> None:
    """TQ1-7 and TQ1-8 alone."""
    found = order("TQ1|1||||||20240101|20240102|S")

    assert found["occurrencePeriod"] == {"start": "2024-01-01", "end": "2024-01-02"}
    assert found["priority"] == "stat"


def test_condition_is_the_precondition_and_text_a_note(
    order: Callable[..., dict[str, Any]],
) -> None:
    """TQ1-10 and TQ1-11."""
    found = order("TQ1|1||BID|||||||pain|slowly")

    assert found["asNeededCodeableConcept"] == {"text": "pain"}
    assert found["note"] == [{"text": "slowly"}]


def test_as_needed_without_condition_is_a_flag(order: Callable[..., dict[str, Any]]) -> None:
    """PRN as pattern or as priority."""
    assert order("TQ1|1||PRN")["asNeededBoolean"] is True
    assert order("TQ1|1||BID||||||PRN")["asNeededBoolean"] is True


def test_what_has_no_place_is_reported(message: Build, codes: Codes) -> None:
    """A second TQ1 of a service, and a duration without a unit of time."""
    found = codes(message("OML^O21", "ORC|NW|P1", "TQ1|1||BID", "TQ1|2||QID|||3^pints", "OBR|1|P1"))

    assert ("timing-further", "TQ1[2]-3") in found
    assert ("duration-unread", "TQ1[2]-6") in found
