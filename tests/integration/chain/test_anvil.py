"""A real node that reorganises, loses, replaces and grows dear: the anchor always gets there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.chain.rows import Depth
from bridge.flows.anchor import Move
from bridge.ports.anchors import State
from tests.anvil import FUNDED_KEY, Anvil
from tests.fakes.anchors import MemoryAnchors
from tests.integration.chain.station import Station, row_of


@pytest.fixture
def station(anvil: Anvil, tmp_path: Path) -> Iterator[Station]:
    """The contract on anvil, final at depth 2."""
    key = tmp_path / "key"
    key.touch(0o600)
    key.write_text(FUNDED_KEY)
    anvil.call("evm_setAutomine", True)
    made = Station(anvil.url, row_of("anvil", finality=Depth(2)), key, tmp_path)
    made.settle()
    anvil.call("evm_setAutomine", False)
    yield made
    made.close()


def test_anchor_is_mined_final_and_evidenced(anvil: Anvil, station: Station) -> None:
    """Through a real node's pool and blocks; the evidence passed the core verifier."""
    station.send(5)
    anvil.mine()
    station.watch()
    mined = station.states()
    anvil.mine(2)

    station.watch()

    assert mined == [State.MINED]
    assert station.states() == [State.EVIDENCED]
    assert station.chain.view().head.size == 5


@pytest.mark.parametrize("depth", [1, 2, 7, 64])
def test_reorganised_anchor_is_mended(anvil: Anvil, station: Station, depth: int) -> None:
    """Blocks go, final ones too; the same transaction is mined again and evidenced anew."""
    station.send(5)
    anvil.mine(depth)
    station.watch()
    anvil.call("anvil_reorg", depth, [])

    station.watch()
    anvil.mine(3)
    station.watch()

    assert station.states() == [State.EVIDENCED]
    assert station.chain.view().head.size == 5
    assert isinstance(station.anchors, MemoryAnchors)
    row = station.anchors.rows[1]
    assert row.signed is not None
    assert station.chain.find(row.signed.tx_hash) == row.inclusion


def test_vanished_transaction_comes_back(anvil: Anvil, station: Station) -> None:
    """The pool drops it; the stored bytes go out again."""
    station.send(5)
    anvil.call("anvil_dropAllTransactions")

    station.watch()
    anvil.mine(3)
    station.watch()

    assert station.states() == [State.EVIDENCED]


def test_stuck_transaction_is_replaced_in_the_pool(anvil: Anvil, station: Station) -> None:
    """A real pool takes the higher fees at the same nonce; the newest head is mined."""
    station.send(5)
    station.clock.advance(31)

    step = station.send(9)
    anvil.mine(3)
    station.watch()

    assert step.move is Move.REPLACED
    assert station.states() == [State.REPLACED, State.EVIDENCED]
    assert station.chain.view().head.size == 9


def test_fee_spike_of_fifty_times_is_outlasted(anvil: Anvil, station: Station) -> None:
    """The first offer is below the new base fee; the replacement goes to the going rate."""
    base = station.chain.market().base_wei
    station.send(5)
    anvil.call("anvil_setNextBlockBaseFeePerGas", hex(50 * base))
    anvil.mine()
    station.watch()
    waiting = station.states()
    station.clock.advance(31)

    station.send(9)
    anvil.mine(3)
    station.watch()

    assert waiting == [State.SENT]
    assert station.states() == [State.REPLACED, State.EVIDENCED]


def test_anchor_mined_after_it_was_replaced_counts(anvil: Anvil, station: Station) -> None:
    """The node lost the replacement and mines the first one: that is the anchor."""
    station.send(5)
    assert isinstance(station.anchors, MemoryAnchors)
    first = station.anchors.rows[1].signed
    station.clock.advance(31)
    station.send(9)
    anvil.call("anvil_dropAllTransactions")
    assert first is not None
    station.chain.send(first.raw)
    anvil.mine(3)

    station.watch()

    assert station.states() == [State.EVIDENCED, State.REPLACED]
    assert station.chain.view().head.size == 5


def test_two_senders_on_one_key_both_end_final_once(
    anvil: Anvil, station: Station, tmp_path: Path
) -> None:
    """A second node was given the same key by mistake: they take each other's nonces, and heal."""
    folder = tmp_path / "other"
    folder.mkdir()
    other = Station(anvil.url, station.row, tmp_path / "key", folder)
    anvil.call("evm_setAutomine", True)
    other.settle()
    anvil.call("evm_setAutomine", False)

    for _ in range(8):
        for node in (station, other):
            node.send(5)
            node.clock.advance(31)
        anvil.mine(2)
        for node in (other, station):
            node.watch()
    anvil.mine(3)
    for node in (station, other):
        node.watch()

    for node in (station, other):
        assert node.chain.view().head.size == 5
        assert node.states().count(State.EVIDENCED) == 1
        assert node.send(5).move is Move.IDLE
    other.close()
