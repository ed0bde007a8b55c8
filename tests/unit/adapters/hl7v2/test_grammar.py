"""Which group each segment of a message joins."""

import pytest

from adapters.hl7v2.grammar import place, shipped


def groups(name: str, text: str) -> tuple[list[str], list[tuple[str, str]]]:
    """Groups of the segments, and what was odd."""
    names = text.split()
    odd: list[tuple[str, str]] = []
    placed = place([[one] for one in names], shipped().structure(name),
                   lambda code, at: odd.append((code, names[at])))  # fmt: skip
    return [group.shape.name for group, _, _ in placed], odd


@pytest.mark.parametrize("name", sorted(shipped().structures))
def test_every_structure_opens_with_msh(name: str) -> None:
    """The first segment of any message is a member of its structure."""
    assert groups(name, "MSH") == ([name], [])


def test_repeating_orders_are_groups_of_their_own() -> None:
    """ORC opens an order; an OBR without ORC does too; notes stay with their owner."""
    found, odd = groups("ORU_R01", "MSH PID ORC OBR NTE OBX NTE OBR OBX SPM OBX NTE ORC OBR")

    assert odd == []
    assert found[2:] == [
        "ORDER_OBSERVATION", "ORDER_OBSERVATION", "ORDER_OBSERVATION", "OBSERVATION",
        "OBSERVATION", "ORDER_OBSERVATION", "OBSERVATION", "SPECIMEN", "SPECIMEN_OBSERVATION",
        "SPECIMEN_OBSERVATION", "ORDER_OBSERVATION", "ORDER_OBSERVATION",
    ]  # fmt: skip


def test_second_patient_opens_a_new_result() -> None:
    """Each PID of an ORU has its own orders."""
    lines = [[name] for name in ["MSH", "PID", "OBR", "OBX", "PID", "OBR", "OBX"]]

    placed = place(lines, shipped().structure("ORU_R01"), lambda _code, _at: None)

    homes = [group.parent for group, _, _ in placed if group.shape.name == "ORDER_OBSERVATION"]
    assert len({id(home) for home in homes}) == 2


@pytest.mark.parametrize(
    ("text", "odd"),
    [
        ("MSH EVN PID PV1 AL1 NK1", [("segment-order", "NK1")]),
        ("MSH EVN PID PV1 OBR", [("segment-stray", "OBR")]),
        ("MSH EVN PID PV1 ZXX", []),
    ],
)
def test_what_fits_nowhere_is_kept_and_reported(text: str, odd: list[tuple[str, str]]) -> None:
    """Out of order, foreign, and local segments: none is lost."""
    found, noted = groups("ADT_A01", text)

    assert len(found) == len(text.split())
    assert noted == odd


@pytest.mark.parametrize(
    ("code", "trigger", "name", "mapped"),
    [
        ("ADT", "A01", "ADT_A01", True), ("ADT", "A40", "ADT_A18", True),
        ("ORU", "R01", "ORU_R01", True), ("ACK", "", "ACK", True),
        ("ADT", "A32", "ADT_A02", False), ("XXX", "Y01", "ANY", False),
    ],
)  # fmt: skip
def test_structure_is_inferred_from_type_and_trigger(
    code: str,
    trigger: str,
    name: str,
    mapped: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """MSH-9.3 is not needed."""
    assert shipped().structure_of(code, trigger) == (name, mapped)


def test_group_takes_over_only_what_is_wanted() -> None:
    """Names that a stranger invents are not copied into every group."""
    lines = [[name] for name in ["MSH", "PID", "OBR", "ZZ1", "ZZ2", "OBX"]]
    placed = place(lines, shipped().structure("ORU_R01"), lambda _code, _at: None)
    observation = placed[-1][0]

    observation.enter(frozenset({"OBR", "MSH"}))

    assert observation.around == {"MSH": ["MSH"], "OBR": ["OBR"]}


def test_nearest_resource_of_a_group_is_its_own_or_that_around_it() -> None:
    """What a group makes is not seen beside it."""
    lines = [[name] for name in ["MSH", "PID", "OBR", "OBX", "OBR"]]
    placed = place(lines, shipped().structure("ORU_R01"), lambda _code, _at: None)
    first, inner, second = placed[2][0], placed[3][0], placed[4][0]
    placed[1][0].enter(frozenset())
    placed[1][0].put("Patient", {"id": "p"})
    first.enter(frozenset())

    first.put("ServiceRequest", {"id": "s"})
    inner.enter(frozenset())
    second.enter(frozenset())

    assert inner.nearest.keys() == {"Patient", "ServiceRequest"}
    assert second.nearest.keys() == {"Patient"}
    assert inner.nearest["Patient"][1] == {"reference": "Patient/p"}


def test_order_sees_the_detail_that_the_standard_brackets() -> None:
    """The OBR of an order stands in a group of its own that comes once: ORC looks into it."""
    lines = [[name] for name in ["MSH", "PID", "ORC", "OBR", "OBX", "ORC"]]

    placed = place(lines, shipped().structure("ORM_O01"), lambda _code, _at: None)

    first, second = placed[2][0], placed[5][0]
    assert first.segments["OBR"] is lines[3]
    assert "OBX" not in first.segments
    assert "OBR" not in second.segments
