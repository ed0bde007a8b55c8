"""A real dev chain behind an endpoint that lies: nothing false is believed or kept."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from bridge.chain.endpoint import Endpoint
from bridge.chain.evm import EvmChain
from bridge.chain.rpc import Endpoints
from bridge.core.errors import BridgeError
from bridge.embedded.devchain import KEY_FILE
from bridge.ports.chain import Inclusion
from tests.fakes.node import serve_node
from tests.integration.chain.station import Station, row_of

Lie = Callable[[str, Any], Any]
"""Method and honest result in, what the endpoint says out."""


class Liars:
    """Chains over endpoints that pass calls on and change the answers."""

    def __init__(self, station: Station, url: str, stack: ExitStack) -> None:
        """Over the station's contract, where one head is anchored."""
        self._station, self._url, self._stack = station, url, stack
        deployment = station.settle()
        self._code_hash, self._log_id = deployment.code_hash, deployment.log_id
        step = station.send(5)
        assert step.attempt is not None
        assert step.attempt.signed is not None
        self.tx_hash = step.attempt.signed.tx_hash

    def chain(self, *lies: Lie, agree: int) -> EvmChain:
        """One endpoint a lie."""
        nodes = [Endpoint(self._endpoint(lie), chain_id=13371) for lie in lies]
        endpoints = Endpoints(nodes, agree=agree)
        self._stack.callback(endpoints.close)
        return EvmChain(
            endpoints,
            self._station.row,
            self._station.account,
            contract=self._station.chain.contract,
            code_hash=self._code_hash,
            log_id=bytes.fromhex(self._log_id[2:]),
        )

    def _endpoint(self, lie: Lie) -> str:
        def answer(method: str, params: list[Any]) -> Any:
            body: Any = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
            return lie(method, requests.post(self._url, json=body, timeout=5).json()["result"])

        return self._stack.enter_context(serve_node(answer))


@pytest.fixture
def liars(devchain_url: str, devchain_dir: Path, tmp_path: Path) -> Iterator[Liars]:
    """A mined anchor to lie about."""
    with ExitStack() as stack:
        station = Station(devchain_url, row_of("embedded"), devchain_dir / KEY_FILE, tmp_path)
        stack.callback(station.close)
        yield Liars(station, devchain_url, stack)


def honest(_: str, result: Any) -> Any:
    """As it is."""
    return result


def changed(method: str, **members: object) -> Lie:
    """Other members in the results of one method."""

    def lie(called: str, result: Any) -> Any:
        if called != method:
            return result
        return {**result, **members} if isinstance(result, dict) else [{**result[0], **members}]

    return lie


def null(method: str) -> Lie:
    """Nothing for one method."""
    return lambda called, result: None if called == method else result


OTHER = "0x" + "77" * 32
LIES = {
    "other block hash": changed("eth_getBlockByNumber", hash=OTHER),
    "receipt of another block": changed("eth_getTransactionReceipt", blockHash=OTHER),
    "failed": changed("eth_getTransactionReceipt", status="0x0"),
    "no logs": changed("eth_getTransactionReceipt", logs=[]),
    "numbers for logs": changed("eth_getTransactionReceipt", logs=[{"address": 7}]),
    "event of other bytes": changed(
        "eth_getTransactionReceipt",
        logs=[{"address": "0x", "topics": [], "data": "0x" + "ff" * 95}],
    ),
    "block of the year 100,000": changed("eth_getBlockByNumber", timestamp="0x2d16c1f53e80"),
    "null receipt": null("eth_getTransactionReceipt"),
    "null block": null("eth_getBlockByNumber"),
}


@pytest.mark.parametrize("name", LIES)
def test_liar_among_three_changes_nothing(liars: Liars, name: str) -> None:
    """Where the anchor is mined, and its evidence, are what the two honest ones say."""
    truth = liars.chain(honest, agree=1)
    chain = liars.chain(LIES[name], honest, honest, agree=2)

    assert chain.find(liars.tx_hash) == truth.find(liars.tx_hash)
    assert chain.evidence(liars.tx_hash) == truth.evidence(liars.tx_hash)


@pytest.mark.parametrize("name", LIES)
def test_lone_liar_gets_no_anchor_believed(liars: Liars, name: str) -> None:
    """Even without a second endpoint a broken story does not count as mined."""
    found: Inclusion | None = None
    with suppress(BridgeError):
        found = liars.chain(LIES[name], agree=1).find(liars.tx_hash)

    assert found is None or found.anchored is None


@pytest.mark.parametrize(
    "lie",
    [
        pytest.param(changed("eth_getBlockByHash", timestamp="0x1"), id="time"),
        pytest.param(changed("eth_getBlockByHash", receiptsRoot=OTHER), id="receipts-root"),
        pytest.param(changed("eth_getBlockReceipts", cumulativeGasUsed="0x1"), id="gas"),
        pytest.param(changed("eth_getBlockReceipts", logs=[]), id="logs"),
        pytest.param(changed("eth_getBlockReceipts", status="0x0"), id="status"),
    ],
)
def test_forged_evidence_is_never_captured(liars: Liars, lie: Lie) -> None:
    """Parts that do not hash to each other are refused on the spot, with one endpoint too."""
    with pytest.raises(BridgeError) as refused:
        liars.chain(lie, agree=1).evidence(liars.tx_hash)

    assert refused.value.code in {"evidence-mismatch", "chain-endpoints-disagree"}


def test_node_without_bulk_receipts_is_asked_one_by_one(liars: Liars) -> None:
    """Older nodes and some providers have no eth_getBlockReceipts."""
    whole = liars.chain(honest, agree=1).evidence(liars.tx_hash)

    assert liars.chain(null("eth_getBlockReceipts"), agree=1).evidence(liars.tx_hash) == whole
