"""A broker down and up again, Redis and RabbitMQ alike: no sender notices, nothing is left."""

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import httpx
import pytest

from tests.brokers import Broker, broker_named
from tests.scenarios.engine import Engine, HttpDoor, MllpDoor, letters, send_all
from tests.scenarios.node import Node, start_node

SLOWEST_ANSWER_S = 5.0
"""On a busy machine; a sender that waited for a broker's time-outs would wait longer, each time."""
LOOKED_WITHIN_S = 4.0
"""A load balancer that asks for readiness waits no longer, whatever hangs."""


@pytest.fixture(scope="module", params=["redis", "rabbitmq"])
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    """Does not run at first; a test may kill and start it."""
    made = broker_named(request.param)
    yield made
    made.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What a node did before it ever saw its broker, whatever test comes first."""

    node: Node
    slowest_s: float
    answers: list[bytes]
    looked_s: float
    ready: httpx.Response


@pytest.fixture(scope="module")
def begun(broker: Broker) -> Iterator[Begun]:
    """A node whose Celery speaks to that broker, started and fed while the broker is down."""
    with start_node(FHIR_ANCHOR__QUEUE__URL=broker.url) as node:
        slowest = 0.0
        for letter in letters("DOWN", 20):
            started = time.monotonic()
            send_all(node.mllp, [letter], within_s=SLOWEST_ANSWER_S)
            slowest = max(slowest, time.monotonic() - started)
        with closing(HttpDoor(node.http, token=node.token)) as door:
            answers = door.send(list(letters("DOWNHTTP", 5)))
        looked, ready = _look(node)
        broker.start()
        yield Begun(node=node, slowest_s=slowest, answers=answers, looked_s=looked, ready=ready)


@pytest.fixture
def wired(begun: Begun) -> Node:
    """The node, its broker running."""
    return begun.node


def test_broker_down_from_the_start_costs_nobody_an_acknowledgement(begun: Begun) -> None:
    """Every message is AA at once by both doors, readiness names the queue; all is final later."""
    rows = begun.node.wait_final(within_s=120)

    parts = begun.ready.json()
    assert begun.slowest_s < SLOWEST_ANSWER_S
    assert all(b"\rMSA|AA|" in answer for answer in begun.answers)
    assert begun.looked_s < LOOKED_WITHIN_S
    assert (parts["queue"]["ok"], parts["database"]["ok"]) == (False, True), parts
    assert sum(row["sender"] == "DOWN/STORM" for row in rows) == 20
    assert sum(row["sender"] == "DOWNHTTP/STORM" for row in rows) == 5


def test_broker_that_dies_in_a_run_costs_nobody_an_acknowledgement(
    wired: Node, broker: Broker
) -> None:
    """Kill -9 between two messages: both are AA and final, and the node finds the new broker."""
    send_all(wired.mllp, letters("BEFORE", 10))
    broker.kill()
    send_all(wired.mllp, letters("WHILE", 10), within_s=10 * SLOWEST_ANSWER_S)

    broker.start()

    rows = wired.wait_final(within_s=120)
    assert sum(row["sender"] in {"BEFORE/STORM", "WHILE/STORM"} for row in rows) == 20
    assert _look(wired)[1].json()["queue"]["ok"]


def test_broker_that_dies_again_and_again_under_load_is_found_again(
    wired: Node, broker: Broker
) -> None:
    """Killed while workers take and acknowledge its messages: they take the next ones too."""
    engine = Engine(
        list(letters("LOAD", 240)), MllpDoor(wired.mllp), window=8, gap_s=0.2, within_s=120
    )
    engine.start()
    for _ in range(3):
        time.sleep(1)
        broker.kill()
        time.sleep(0.5)
        broker.start()
    engine.join()

    rows = wired.wait_final(within_s=120)

    assert len(engine.acknowledged) == 240
    assert sum(row["sender"] == "LOAD/STORM" for row in rows) == 240


def _look(node: Node) -> tuple[float, httpx.Response]:
    started = time.monotonic()
    with node.client() as client:
        said = client.get("/readyz")
    return time.monotonic() - started, said
