"""Dose, times and routes of an order as dosage instructions."""

from typing import Any

from adapters.hl7v2.dosing import Dosing, instruct


def instructions(dosing: Dosing) -> list[dict[str, Any]]:
    """What the order then says."""
    order: dict[str, Any] = {}
    instruct(order, dosing)
    made: list[dict[str, Any]] = order.get("dosageInstruction", [])
    return made


def test_each_time_is_an_instruction_with_dose_and_route() -> None:
    """Two TQ1: two instructions in sequence, which share dose and route."""
    dosing = Dosing(base={"doseAndRate": [1]})
    dosing.time({"timing": "morning"})
    dosing.time({"timing": "night", "doseAndRate": [2]})
    dosing.route({"route": "oral"})

    assert instructions(dosing) == [
        {"doseAndRate": [1], "timing": "morning", "route": "oral", "sequence": 1},
        {"doseAndRate": [1], "timing": "night", "route": "oral", "sequence": 2},
    ]


def test_encoded_times_and_routes_replace_the_ordered_ones() -> None:
    """What follows RXE is what the pharmacy will do."""
    dosing = Dosing()
    dosing.time({"timing": "ordered"})
    dosing.route({"route": "ordered"})
    dosing.encoded = True
    dosing.time({"timing": "encoded"})

    assert instructions(dosing) == [{"timing": "encoded", "route": "ordered"}]


def test_tq1_stands_above_the_old_field() -> None:
    """ORC-7 or RXE-1 beside TQ1 says the same again, before it or after it."""
    before, after = Dosing(), Dosing()
    before.old_time({"timing": "old"})
    before.time({"timing": "new"})
    after.time({"timing": "new"})
    after.old_time({"timing": "old"})

    assert instructions(before) == instructions(after) == [{"timing": "new"}]


def test_texts_of_the_parts_stand_behind_each_other() -> None:
    """Nothing that was said is dropped, and nothing is said twice."""
    dosing = Dosing(base={"text": "with food", "additionalInstruction": [{"text": "a"}]})
    dosing.time({"text": "slowly", "additionalInstruction": [{"text": "a"}, {"text": "b"}]})

    assert instructions(dosing) == [
        {"text": "with food; slowly", "additionalInstruction": [{"text": "a"}, {"text": "b"}]}
    ]


def test_order_without_dose_time_or_route_has_no_instruction() -> None:
    """An empty list is no FHIR."""
    assert instructions(Dosing()) == []
