"""Counters of a feed."""

from workers.mllp.feed import LATENCY_BOUNDS_S, FeedCounters


def test_latency_falls_into_its_bucket() -> None:
    """A bound belongs to its own bucket; what is slower than all has the last one."""
    counters = FeedCounters()

    for latency_s in (0.0005, 0.001, 0.0011, 99.0):
        counters.observe(latency_s)

    assert counters.latency_buckets[:2] == [2, 1]
    assert counters.latency_buckets[-1] == 1
    assert len(counters.latency_buckets) == len(LATENCY_BOUNDS_S) + 1
    assert counters.latency_s > 99
