"""The counters of the MLLP door on their way to a scrape of the HTTP door."""

from datetime import timedelta

from prometheus_client import CollectorRegistry, generate_latest

from bridge.core.ids import Instant
from bridge.store.database import Database
from bridge.store.tallies import read_tallies
from tests.fakes.sources import FixedClock
from workers.mllp.feed import FeedCounters
from workers.mllp.tally import ALIVE, FeedMetrics, TallyKeeper


def scrape(database: Database, clock: FixedClock) -> str:
    """What Prometheus reads."""
    metrics, registry = FeedMetrics(clock), CollectorRegistry()
    registry.register(metrics)
    metrics.tallies = read_tallies(database)
    return generate_latest(registry).decode()


def counted(accepted: int, *, latency_s: float = 0.004) -> FeedCounters:
    """A feed that took so many messages over two open connections."""
    counters = FeedCounters(accepted=accepted, refused=1, connections=2, connections_total=3)
    for _ in range(accepted):
        counters.observe(latency_s)
    return counters


def test_totals_are_summed_over_processes_and_starts(clean: Database) -> None:
    """A scrape tells of all of them; open connections only of those that live."""
    clock = FixedClock()
    with TallyKeeper(clean, clock, lambda: {"mllp-2575/first": counted(5)}):
        pass
    clock.at = Instant(clock.at + ALIVE + timedelta(seconds=1))
    with TallyKeeper(clean, clock, lambda: {"mllp-2575/second": counted(2, latency_s=60)}):
        pass

    told = scrape(clean, clock)

    assert 'messages_total{listener="mllp-2575",status="accepted"} 7.0' in told
    assert 'messages_total{listener="mllp-2575",status="refused"} 2.0' in told
    assert 'mllp_connections_total{listener="mllp-2575"} 6.0' in told
    assert 'mllp_connections_now{listener="mllp-2575"} 2.0' in told
    assert 'answer_seconds_bucket{le="0.005",listener="mllp-2575"} 5.0' in told
    assert 'answer_seconds_bucket{le="+Inf",listener="mllp-2575"} 7.0' in told


def test_totals_of_a_feed_are_replaced_not_added(clean: Database) -> None:
    """A later write of the same process is its newest total."""
    clock, counters = FixedClock(), counted(1)
    keeper = TallyKeeper(clean, clock, lambda: {"mllp-2575/one": counters})

    keeper.keep()
    counters.accepted = 9
    keeper.keep()

    assert 'status="accepted"} 9.0' in scrape(clean, clock)


def test_database_that_is_down_stops_no_feed() -> None:
    """The totals only rise: the next write has them all."""
    gone = Database("postgresql://nobody@127.0.0.1:1/none")

    TallyKeeper(gone, FixedClock(), lambda: {"mllp-1/x": counted(1)}).keep()

    gone.close()
