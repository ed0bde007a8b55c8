"""Feeds of clients."""

from bridge.api.feeds import Feeds
from bridge.core.policy.access import Caller, Role


def caller(name: str, *roles: Role) -> Caller:
    """A client."""
    return Caller(subject=name, roles=frozenset(roles))


def test_each_client_has_its_own_feed_and_count() -> None:
    """Numbers rise by one, whatever others send."""
    feeds = Feeds("run1")
    lab, clinic = caller("lab", Role.SENDER), caller("clinic", Role.SENDER)

    numbers = [next(feeds.numbers(one)) for one in (lab, lab, clinic, lab)]

    assert numbers == [1, 2, 1, 3]
    assert feeds.name(lab) == "http/lab/run1"


def test_sender_sees_its_own_feed_and_no_name_leads_into_another() -> None:
    """A slash in a name is not a slash in a feed."""
    feeds = Feeds("run1")
    lab, sly = caller("lab", Role.SENDER), caller("lab/run1", Role.SENDER)

    assert feeds.name(lab).startswith(feeds.visible(lab))
    assert not feeds.name(sly).startswith(feeds.visible(lab))
    assert not feeds.name(lab).startswith(feeds.visible(sly))


def test_those_who_read_see_every_feed() -> None:
    """Also when they send too."""
    feeds = Feeds("run1")

    for role in (Role.READER, Role.COMPLIANCE, Role.ADMIN):
        assert feeds.visible(caller("x", Role.SENDER, role)) == ""
