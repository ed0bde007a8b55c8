"""The counters of the MLLP door on their way to a scrape of the HTTP door."""

from dataclasses import asdict
from datetime import timedelta

from prometheus_client import CollectorRegistry, generate_latest

from bridge.core.ids import Instant
from bridge.flows.receive import Inbound, receive
from bridge.store.backlog import read_lags
from bridge.store.database import Database
from bridge.store.intake import PostgresIntake
from bridge.store.tallies import Tally, keep_tallies, read_tallies
from tests.fakes.dialect import LineDialect, line
from tests.fakes.sources import FixedClock
from workers.mllp.feed import FeedCounters
from workers.mllp.tally import ALIVE, FeedMetrics, TallyKeeper
from workers.sources import SystemEntropy


def scrape(database: Database, clock: FixedClock) -> str:
    """What Prometheus reads."""
    metrics, registry = FeedMetrics(clock), CollectorRegistry()
    registry.register(metrics)
    metrics.tallies, metrics.lags = read_tallies(database), read_lags(database)
    return generate_latest(registry).decode()


def counted(accepted: int, *, latency_s: float = 0.004) -> FeedCounters:
    """A feed that took so many messages over two open connections."""
    counters = FeedCounters(
        received=accepted + 1,
        accepted=accepted,
        refused=1,
        connections=2,
        connections_total=3,
        last_s=1000.0 + accepted,
    )
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
    assert 'mllp_received_total{listener="mllp-2575"} 9.0' in told
    assert 'mllp_last_timestamp_seconds{listener="mllp-2575"} 1005.0' in told
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


def test_totals_of_an_older_version_are_told_as_far_as_they_go(clean: Database) -> None:
    """A row that a process wrote before an upgrade lacks what is counted now."""
    clock = FixedClock()
    counts = asdict(counted(3))
    del counts["last_s"], counts["received"]
    keep_tallies(clean, (Tally(feed="mllp-2575/old", at=clock.at, counts=counts),))

    told = scrape(clean, clock)

    assert 'mllp_received_total{listener="mllp-2575"} 0.0' in told
    assert 'messages_total{listener="mllp-2575",status="accepted"} 3.0' in told


def test_lag_is_the_age_of_the_oldest_that_waits(clean: Database) -> None:
    """By feed and stage over all its processes, and zero where a known feed waits for nothing."""
    clock = FixedClock()
    with TallyKeeper(clean, clock, lambda: {"mllp-2575/a": counted(1), "mllp-9/b": counted(1)}):
        pass
    for process, age_s in (("a", 50), ("b", 20)):
        _receive(clean, f"mllp-2575/{process}", FixedClock(), age_s)

    told = scrape(clean, clock)

    for stage in ("projected", "sequenced", "anchored"):
        assert f'lag_seconds{{feed="mllp-2575",stage="{stage}"}} 50.0' in told
        assert f'lag_seconds{{feed="mllp-9",stage="{stage}"}} 0.0' in told


def _receive(database: Database, feed: str, clock: FixedClock, age_s: float) -> None:
    clock.advance(-age_s)
    receive(
        [Inbound(raw=line(feed), feed=feed, number=1)],
        dialect=LineDialect(),
        intake=PostgresIntake(database),
        clock=clock,
        entropy=SystemEntropy(),
    )
