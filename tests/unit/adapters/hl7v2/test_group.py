"""What a group sees of those around it."""

from adapters.hl7v2.group import Group
from adapters.hl7v2.layout import Bracket


def bracket(name: str, *, repeats: bool, **own: int) -> Bracket:
    """A group of that name with these segments."""
    return Bracket(name=name, lead="", around=-1, repeats=repeats, own=own)


def test_group_takes_over_only_what_is_wanted() -> None:
    """Names that a stranger invents are not copied into every group."""
    lines = [["MSH"], ["OBR"], ["ZZ1"], ["OBX"]]
    root = Group(bracket("message", repeats=False), None, lines, [("MSH", 0)])

    order = Group(bracket("order", repeats=True, OBR=1, ZZ1=2), root, lines, [("OBR", 1)])

    assert order.around == {"MSH": ["MSH"], "OBR": ["OBR"]}
    assert root.around == {"MSH": ["MSH"]}


def test_nearest_resource_of_a_group_is_its_own_or_that_around_it() -> None:
    """What a group makes is not seen beside it."""
    root = Group(bracket("message", repeats=False), None, [], [])
    root.put("Patient", {"id": "p"})
    first = Group(bracket("order", repeats=True), root, [], [])
    first.put("ServiceRequest", {"id": "s"})

    inner = Group(bracket("result", repeats=True), first, [], [])
    second = Group(bracket("order", repeats=True), root, [], [])

    assert inner.nearest.keys() == {"Patient", "ServiceRequest"}
    assert second.nearest.keys() == {"Patient"}
    assert inner.nearest["Patient"][1] == {"reference": "Patient/p"}


def test_group_that_comes_once_shares_with_the_group_around_it() -> None:
    """A bracket that the standard draws around single segments makes no difference."""
    root = Group(bracket("message", repeats=False), None, [], [])
    inner = Group(bracket("visit", repeats=False), root, [], [])

    inner.put("Encounter", {"id": "e"})

    assert root.resources["Encounter"] == {"id": "e"}
    assert root.nearest is inner.nearest


def test_group_finds_its_own_segments_alone() -> None:
    """Those of the groups around are looked up by what lies around."""
    lines = [["MSH"], ["PV1", "1"]]
    group = Group(bracket("visit", repeats=True, PV1=1), None, lines, [])

    assert group.segment("PV1") == ["PV1", "1"]
    assert group.segment("MSH") is None
