"""Layers and the mapping digest."""

from dataclasses import replace

from adapters.hl7v2.compiler.layers import base_maps, digest, resolve
from adapters.hl7v2.profiles import ANYONE, parse_profile


def test_digest_follows_meaning_and_nothing_else() -> None:
    """A moved line is the same mapping; a changed target, zone or table is another."""
    maps = base_maps()
    base = digest(maps, ANYONE, {})
    moved = [replace(rules, place="elsewhere") for rules in maps]
    changed = [replace(maps[0], rows=maps[0].rows[1:]), *maps[1:]]

    assert digest(moved, ANYONE, {}) == base
    assert digest(changed, ANYONE, {}) != base
    assert digest(maps, parse_profile("z", "zone = 'Europe/Vienna'"), {}) != base


def test_overlay_touches_only_what_it_names() -> None:
    """All other rows stay as they are."""
    profile = parse_profile("p", "[[drop]]\nid = 'PV1-7'")

    rows = {row.id for rules in resolve(profile) for row in rules.rows}

    assert {row.id for rules in base_maps() for row in rules.rows} - rows == {"PV1-7"}
