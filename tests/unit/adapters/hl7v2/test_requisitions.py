"""Order numbers that several orders share."""

import pytest

from adapters.hl7v2.requisitions import Shared


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
