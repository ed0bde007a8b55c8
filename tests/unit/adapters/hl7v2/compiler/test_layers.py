"""Layers of overlays over the shipped maps."""

from adapters.hl7v2.compiler.layers import base_maps, resolve
from adapters.hl7v2.compiler.rows import SegmentMap
from adapters.hl7v2.overlays import parse_profile
from adapters.hl7v2.profiles import ANYONE, Overlay, SenderProfile


def test_overlay_touches_only_what_it_names() -> None:
    """All other rows stay as they are, and the other maps stay the same object."""
    profile = parse_profile("p", "[[drop]]\nid = 'PV1-7'")

    maps = resolve(profile)

    rows = {row.id for rules in maps for row in rules.rows}
    assert {row.id for rules in base_maps() for row in rules.rows} - rows == {"PV1-7"}
    assert sum(one is other for one, other in zip(maps, base_maps(), strict=True)) > len(maps) - 5


def test_later_layers_work_on_what_earlier_ones_made() -> None:
    """A sender may drop what its site added."""
    added = Overlay(
        place="site/s.toml",
        added=({"id": "vip", "from": "ZPI-4", "to": "Patient.active", "as": "ID.boolean"},),
        text="[[add]]",
    )
    dropped = Overlay(place="p.toml", dropped=({"id": "vip"},), text="[[drop]]")

    assert "vip" in _ids(resolve(SenderProfile(name="p", overlays=(added,))))
    assert "vip" not in _ids(resolve(SenderProfile(name="p", overlays=(added, dropped))))
    assert resolve(ANYONE) == base_maps()


def test_replacing_a_part_keeps_the_rest_of_the_row() -> None:
    """A constant `false` is a constant."""
    for name in {row.id for rules in base_maps() for row in rules.rows if row.fixed is False}:
        maps = resolve(parse_profile("p", f"[[replace]]\nid = '{name}'\nwhy = 'x'"))

        assert all(row.fixed is not None for rules in maps for row in rules.rows
                   if row.id == name and row.why == "x" and not row.function)  # fmt: skip


def _ids(maps: tuple[SegmentMap, ...]) -> set[str]:
    return {row.id for rules in maps for row in rules.rows}
