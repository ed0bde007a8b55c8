"""Kill -9 of every process at random moments: what was acknowledged is there, once, and proves."""

from tests.scenarios.chaos import Weather, storm
from tests.scenarios.node import CHILDREN, NIGHTLY, Node

SHORT = Weather(messages=600, senders=6, seconds=15, every_s=1.5, rounds=1, seed=11)
LONG = Weather(messages=5000, senders=8, seconds=120, every_s=3, seed=11)


def test_nothing_acknowledged_is_lost_or_doubled_whatever_dies(node: Node) -> None:
    """Senders resend what was not acknowledged; the census afterwards is exact."""
    done = storm(node, LONG if NIGHTLY else SHORT)

    counted = done.census
    assert counted is not None
    assert done.acknowledged == done.messages
    assert (counted.missing, counted.doubled, counted.disorder) == ((), 0, ())
    assert counted.records == counted.record_leaves == done.messages
    assert counted.revisions == counted.revision_leaves == done.messages
    assert done.final == done.messages
    assert done.verified >= 20
    assert "clean" in done.audit
    assert "clean" in done.fsck
    assert set(done.kills) == {*CHILDREN, "postgres", "backend"}, done.kills
