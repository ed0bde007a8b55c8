"""Which group each segment of a message joins."""

import pytest

from adapters.hl7v2.grammar import shipped
from adapters.hl7v2.layout import layout


def groups(name: str, text: str) -> tuple[list[str], list[tuple[str, str]]]:
    """Groups of the segments, and what was odd."""
    names = text.split()
    laid = layout(names, shipped().structure(name))
    homes = [laid.groups[place.group].name for place in laid.places]
    return homes, [(code, names[at]) for code, at in laid.odd]


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
    names = ["MSH", "PID", "OBR", "OBX", "PID", "OBR", "OBX"]

    laid = layout(names, shipped().structure("ORU_R01"))

    orders = [one.around for one in laid.groups if one.name == "ORDER_OBSERVATION"]
    assert len(set(orders)) == len(orders) == 2


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


def test_order_sees_the_detail_that_the_standard_brackets() -> None:
    """The OBR of an order stands in a group of its own that comes once: ORC looks into it."""
    names = ["MSH", "PID", "ORC", "OBR", "OBX", "ORC"]

    laid = layout(names, shipped().structure("ORM_O01"))

    first, second = (laid.groups[laid.places[at].group].own for at in (2, 5))
    assert first["OBR"] == 3
    assert "OBX" not in first
    assert "OBR" not in second


def test_outer_groups_come_before_those_inside() -> None:
    """So that each can take over what lies around it."""
    laid = layout(["MSH", "PID", "OBR", "OBX", "OBX", "NTE"], shipped().structure("ORU_R01"))

    assert all(one.around < at for at, one in enumerate(laid.groups))
    assert [place.occurrence for place in laid.places] == [1, 1, 1, 1, 2, 1]


@pytest.mark.parametrize("name", ["OUL_R22", "OUL_R23", "OUL_R24"])
def test_reagents_of_a_result_do_not_end_its_order(name: str) -> None:
    """INV behind TCD says with what a result was made (IHE LAW): the next OBX is of that order."""
    order = {"OUL_R22": "SPM SAC OBR", "OUL_R23": "SPM SAC OBR", "OUL_R24": "OBR SPM SAC"}[name]

    found, odd = groups(name, f"MSH {order} OBX TCD INV INV NTE OBX")

    assert odd == []
    assert found[4:] == ["RESULT"] * 6


def test_each_vaccination_under_one_order_has_its_own_route() -> None:
    """A second RXA without ORC is another one, and RXR is of the RXA before it."""
    names = ["MSH", "PID", "ORC", "RXA", "RXR", "RXA", "RXR"]

    laid = layout(names, shipped().structure("VXU_V04"))

    first, second = (laid.groups[laid.places[at].group] for at in (3, 5))
    assert (first.own["RXR"], second.own["RXR"]) == (4, 6)
    assert first.around == second.around


@pytest.mark.parametrize(
    ("name", "text", "subject"),
    [
        ("ORM_O01", "ORC OBR NTE OBX OBR NTE OBX", "OBR"),
        ("RDE_O11", "ORC RXE RXR RXE RXR", "RXE"),
        ("RDS_O13", "ORC RXE RXD RXE RXD", "RXE"),
        ("OML_O33", "SPM ORC OBR OBR", "OBR"),
    ],
)
def test_second_subject_of_an_order_is_another_order(name: str, text: str, subject: str) -> None:
    """A sender that writes ORC once does not mean one test or one drug: none replaces another."""
    names = f"MSH PID {text}".split()

    laid = layout(names, shipped().structure(name))

    first, second = (at for at, one in enumerate(names) if one == subject)
    owners = [laid.groups[laid.groups[laid.places[at].group].around] for at in (first, second)]
    assert [one.name for one in owners] == ["ORDER", "ORDER"]
    assert owners[0] is not owners[1]
    assert laid.odd == ()
