"""Everything fails at random: what was acknowledged is there, once, in order, and proves."""

from contextlib import ExitStack
from pathlib import Path

from tests.brokers import Redis
from tests.scenarios.chaos import Storm, storm, table
from tests.scenarios.disk import can_mount, small_disk
from tests.scenarios.fleet import start_fleet
from tests.scenarios.node import NIGHTLY, Node
from tests.scenarios.weather import CALAMITIES, Weather

SHORT = Weather(messages=400, senders=4, seconds=12, every_s=0.8, rounds=1, seed=11)
LONG = Weather(messages=5000, senders=8, seconds=120, every_s=3, seed=11)


def test_nothing_is_lost_doubled_or_reordered_whatever_dies(node: Node) -> None:
    """`up` with its folder for a broker: senders resend, the census afterwards is exact."""
    _judge(storm(node, LONG if NIGHTLY else SHORT), set(CALAMITIES))


def test_two_of_each_share_one_database_and_one_broker() -> None:
    """Scale-out: resends meet another process, Redis goes away, the disk is full for a while."""
    with ExitStack() as held:
        broker = Redis()
        held.callback(broker.close)
        broker.start()
        disk = held.enter_context(small_disk(2500)) if can_mount() else None
        folder: Path | None = disk.folder if disk else None
        fleet = held.enter_context(start_fleet(size=2, broker=broker, folder=folder))
        given = LONG if NIGHTLY else SHORT
        weather = Weather(
            messages=given.messages,
            senders=given.senders,
            seconds=given.seconds,
            every_s=given.every_s,
            rounds=given.rounds,
            broker=broker,
            disk=disk,
        )

        done = storm(fleet, weather)

    _judge(done, {*CALAMITIES, "broker", *(["disk"] if disk else [])})


def _judge(done: Storm, suffered: set[str]) -> None:
    assert done.faults == {}, "\n".join(table(done))
    assert set(done.calamities) == suffered, done.calamities
    assert done.verified >= 20
