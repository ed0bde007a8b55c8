"""Which profile a message is from."""

import pytest

from adapters.hl7v2.profiles import SenderProfile, check_distinct, choose
from bridge.core.errors import BridgeError


def named(name: str, **match: str) -> SenderProfile:
    """A profile that matches `MSH3="A"` on MSH-3."""
    return SenderProfile(name=name, match={f"MSH-{key[3:]}": text for key, text in match.items()})


def test_the_narrowest_profile_wins_unless_one_is_pinned() -> None:
    """More matching conditions win; a listener's choice beats them."""
    wide, narrow = named("wide", MSH3="A"), named("narrow", MSH3="A", MSH4="B")
    header = ["MSH", "|", "^~\\&", "A^1.2.3^ISO", "B"]

    assert choose((wide, narrow), header, "").name == "narrow"
    assert choose((wide, narrow), header, "wide").name == "wide"
    assert choose((narrow,), ["MSH", "|", "^~\\&", "A", "C"], "").name == ""


@pytest.mark.parametrize(
    ("profiles", "outcome"),
    [
        ((named("a", MSH3="A"), named("b", MSH3="A")), "clash"),
        ((named("a", MSH3="A"), named("b", MSH4="B")), "clash"),
        ((named("a", MSH3="A"), named("b", MSH4="B"), named("c", MSH3="A", MSH4="B")), "distinct"),
        ((named("a", MSH3="A"), named("b", MSH3="B")), "distinct"),
        ((named("a", MSH3="A"), named("b", MSH3="A", MSH4="B")), "distinct"),
        ((named("a"), named("b")), "distinct"),
    ],
)
def test_profiles_that_only_their_names_would_order_are_refused(
    profiles: tuple[SenderProfile, ...], outcome: str
) -> None:
    """A third, narrower one decides; pinned senders match nothing."""
    if outcome == "distinct":
        check_distinct(profiles)
        return
    with pytest.raises(BridgeError, match=r"a and b match equally well a message with MSH-3 'A'"):
        check_distinct(profiles)
