"""Order numbers that several orders share."""

from collections.abc import Callable
from typing import Any

import pytest

from adapters.hl7v2.requisitions import Shared

Build = Callable[..., bytes]
Convert = Callable[[bytes], dict[str, list[dict[str, Any]]]]


def obr(number: str, code: str, parent: str = "") -> list[str]:
    """An OBR with OBR-2, OBR-4 and OBR-29."""
    return ["OBR", "1", number, "", code, *[""] * 24, parent]


@pytest.mark.parametrize(
    ("lines", "code", "apart"),
    [
        ([obr("P1^E", "A^x")], "A", False),
        ([obr("P1", "A"), obr("P2", "B")], "A", False),
        ([obr("P1", "A"), obr("P1^E", "B")], "A", True),
        ([["ORC", "RE", "P1", ""], obr("", "A"), ["ORC", "RE", "P1", ""], obr("", "B")], "B", True),
        ([obr("P1", "A"), obr("P1", "S", "P1")], "A", False),
        ([obr("P1", "A"), obr("P1", "S", "P1")], "S", True),
        ([obr("P1", "S", "P1")], "S", True),
        ([], "", False),
    ],
    ids=["alone", "own-numbers", "requisition", "number-of-orc", "parent", "child",
         "child-alone", "nothing"],
)  # fmt: skip
def test_code_tells_orders_apart_only_where_the_number_does_not(
    lines: list[list[str]], code: str, apart: object
) -> None:
    """A requisition's tests and a parent's reflex tests share a number; others own theirs."""
    assert Shared(lines, "^").apart("P1^OTHER", code) is apart


@pytest.mark.parametrize("kind", ["OML^O33", "OML^O35", "OML^O59"])
def test_orders_below_a_specimen_are_of_that_specimen(
    message: Build, convert: Convert, kind: str
) -> None:
    """SPM leads in OML^O33 and O35 (IHE LAW); TQ1 between ORC and OBR parts no order.

    An event that no structure knows is read as any message may be.
    """
    orders = [
        line
        for number in ("P1", "P2")
        for line in (f"ORC|NW|{number}", "TQ1|||||||||R", f"OBR||{number}||T{number}")
    ]

    found = convert(message(kind, "SPM|1|S1", "SAC|||C1", *orders))

    assert [one["code"]["coding"][0]["code"] for one in found["ServiceRequest"]] == ["TP1", "TP2"]
    assert [one["priority"] for one in found["ServiceRequest"]] == ["routine", "routine"]
    if kind != "OML^O59":
        (specimen,) = found["Specimen"]
        named = [{"reference": f"Specimen/{specimen['id']}"}]
        assert [one["specimen"] for one in found["ServiceRequest"]] == [named, named]
