"""From checkpoint to evidence over real HTTP and a real database."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from bridge.core.errors import BridgeError
from bridge.embedded.devchain import KEY_FILE
from bridge.flows.anchor import Move
from bridge.store.anchors import PostgresAnchors
from bridge.store.database import Database
from tests.fakes.anchors import grown
from tests.integration.chain.station import Station, row_of


@pytest.fixture
def station(
    devchain_url: str, devchain_dir: Path, tmp_path: Path, clean: Database
) -> Iterator[Station]:
    """A fresh contract on the session's dev chain."""
    row = row_of("embedded")
    made = Station(devchain_url, row, devchain_dir / KEY_FILE, tmp_path, PostgresAnchors(clean))
    made.settle()
    yield made
    made.close()


def test_checkpoint_is_anchored_and_evidenced(station: Station) -> None:
    """Two heads, each with its evidence; the second goes on from the first."""
    for size in (5, 9):
        station.send(size)
        station.watch()

    with station.anchors.unit():
        rows = station.anchors.evidenced(station.chain.name, station.chain.contract, size_from=1)
    evidence = [msgspec.json.decode(row.evidence or b"") for row in rows]
    assert [row.payload.size for row in rows] == [5, 9]
    assert rows[1].payload.prev_root == grown(5).root
    assert [each["type"] for each in evidence] == ["evm", "evm"]
    assert evidence[0]["finality"] == "instant"
    assert station.send(9).move is Move.IDLE


def test_deployment_is_found_again(station: Station) -> None:
    """The state file and the code hash decide; nothing is deployed twice."""
    before = station.chain.view().nonce

    again = station.settle()

    assert again.address == station.chain.contract
    assert station.chain.view().nonce == before


def test_anchor_of_a_stranger_is_refused_before_it_costs_anything(station: Station) -> None:
    """The dry run gives the contract's own reason."""
    station.chain.account = "0x" + "22" * 20

    with pytest.raises(BridgeError, match="execution reverted: not the anchorer"):
        station.send(5)
