"""The table of networks that ships, and tables that are wrong."""

from pathlib import Path

import pytest

from bridge.chain.contracts.artefact import artefact
from bridge.chain.rows import Depth, Finalized, Instant, load_chains
from bridge.core.errors import BridgeError
from bridge.embedded.evmchain import CHAIN_ID

SHIPPED = (Path(__file__).parents[4] / "config" / "chains.toml").read_text("utf-8")


def test_shipped_table_reads_and_every_row_has_a_contract() -> None:
    """Each network's build exists, and its name is unique by chain id."""
    rows = load_chains(SHIPPED)

    for row in rows.values():
        artefact().profile(row.evm_profile)
    assert len({row.chain_id for row in rows.values()}) == len(rows)
    assert rows["embedded"].chain_id == CHAIN_ID


def test_finality_rules_are_told_apart() -> None:
    """Instant, the node's tag, or a depth; the text is what receipts carry."""
    rows = load_chains(SHIPPED)

    found = [rows[name].finality for name in ("embedded", "ethereum", "anvil")]

    assert found == [Instant(), Finalized(), Depth(2)]
    assert [rule.text for rule in found] == ["instant", "finalized", "depth-2"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        pytest.param('"instant"', '"soon"', "finality", id="rule"),
        pytest.param("chain_id = 1\n", "chain_id = 0\n", "chain_id", id="id"),
        pytest.param("chain_id = 1\n", "chain_id = 1\nrpc = 1\n", "rpc", id="unknown-key"),
        pytest.param("[ethereum]", "[ethereum", "Expected", id="syntax"),
    ],
)
def test_wrong_row_is_refused_by_its_field(old: str, new: str, words: str) -> None:
    """The operator reads which field."""
    with pytest.raises(BridgeError, match=words):
        load_chains(SHIPPED.replace(old, new, 1))
