"""A sender's rate is one, however many lines it opens, and costs bounded memory."""

from workers.mllp.rate import KEPT, Rates


def test_a_burst_of_a_second_then_the_rate() -> None:
    """Ten at once, and one more a tenth of a second later."""
    bucket = Rates().of("lab", 10.0, now=0.0)

    taken = 0
    while bucket.has_one(0.0):
        bucket.take()
        taken += 1

    assert taken == 10
    assert not bucket.has_one(0.05)
    assert bucket.has_one(0.11)


def test_connections_of_one_sender_share_its_rate() -> None:
    """A second line brings no second share; another sender has its own."""
    rates = Rates()
    first = rates.of("lab", 1.0, now=0.0)
    first.has_one(0.0)
    first.take()

    assert rates.of("lab", 1.0, now=0.0) is first
    assert not rates.of("lab", 1.0, now=0.0).has_one(0.0)
    assert rates.of("ris", 1.0, now=0.0).has_one(0.0)


def test_a_slow_rate_still_lets_one_through() -> None:
    """One message in ten seconds is a rate too."""
    bucket = Rates().of("lab", 0.1, now=0.0)
    assert bucket.has_one(0.0)

    bucket.take()

    assert not bucket.has_one(5.0)
    assert bucket.has_one(11.0)


def test_strangers_do_not_fill_the_memory() -> None:
    """Who was quiet long enough is forgotten; who is over its rate is not."""
    rates = Rates()
    busy = rates.of("busy", 1.0, now=0.0)
    busy.has_one(0.0)
    busy.take()

    for number in range(3 * KEPT):
        rates.of(f"host {number}", 1.0, now=0.0)

    assert rates.of("busy", 1.0, now=0.0) is busy
    assert len(rates._buckets) <= KEPT
