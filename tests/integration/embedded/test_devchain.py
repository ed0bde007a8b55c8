"""The dev chain as a process: real HTTP, real kill, the same chain afterwards."""

import json
import os
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import requests
from eth_account import Account
from eth_utils.crypto import keccak
from web3 import HTTPProvider, Web3

from bridge.chain.evidence import header_rlp
from bridge.embedded.devchain import CHAIN_ID, KEY_FILE
from tests.devchain import kill, start_devchain


def rpc(url: str, method: str, *params: object) -> Any:
    """One call; the whole answer."""
    body = json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
    return post(url, body.encode())


def post(url: str, body: bytes) -> Any:
    """The answer to a body."""
    return requests.post(url, data=body, timeout=10).json()


@contextmanager
def open_web3(url: str) -> Iterator[Web3]:
    """The library as its users know it."""
    with requests.Session() as session:
        yield Web3(HTTPProvider(url, session=session))


def pay(web3: Web3, folder: Path) -> Any:
    """A receipt of a payment from the funded account, by web3's own methods."""
    owner = Account.from_key((folder / KEY_FILE).read_text().strip())
    transaction: Any = {
        "chainId": CHAIN_ID,
        "nonce": web3.eth.get_transaction_count(owner.address),
        "to": "0x" + "11" * 20,
        "value": 5,
        "gas": 21_000,
        "maxFeePerGas": 2 * web3.eth.gas_price,
        "maxPriorityFeePerGas": web3.eth.max_priority_fee,
    }
    raw = owner.sign_transaction(transaction).raw_transaction
    return web3.eth.wait_for_transaction_receipt(web3.eth.send_raw_transaction(raw))


def test_killed_chain_comes_back_the_same(tmp_path: Path) -> None:
    """A kill -9 right after an answer loses nothing: block hashes, receipts, balances."""
    process, url = start_devchain(tmp_path)
    with open_web3(url) as web3:
        receipts = [pay(web3, tmp_path) for _ in range(3)]
    blocks = [rpc(url, "eth_getBlockByNumber", hex(n), True)["result"] for n in range(4)]
    kill(process)

    process, url = start_devchain(tmp_path)

    again = [rpc(url, "eth_getBlockByNumber", hex(n), True)["result"] for n in range(4)]
    assert again == blocks
    with open_web3(url) as web3:
        hashes = [receipt["transactionHash"] for receipt in receipts]
        assert [web3.eth.get_transaction_receipt(tx_hash) for tx_hash in hashes] == receipts
        assert web3.eth.get_balance(web3.to_checksum_address("0x" + "11" * 20)) == 15
        assert pay(web3, tmp_path)["blockNumber"] == 4
    kill(process)


def test_every_header_hashes_to_its_block_hash(devchain_url: str, devchain_dir: Path) -> None:
    """All fields of the header are served, so that evidence can be rebuilt from them."""
    with open_web3(devchain_url) as web3:
        pay(web3, devchain_dir)

    for tag in ("earliest", "latest", "finalized"):
        block = rpc(devchain_url, "eth_getBlockByNumber", tag, False)["result"]
        assert "0x" + keccak(header_rlp(block)).hex() == block["hash"]


def test_it_says_that_it_is_no_evidence(devchain_url: str) -> None:
    """In its client version, and on being asked."""
    version = rpc(devchain_url, "web3_clientVersion")["result"]
    notice = rpc(devchain_url, "fhir_anchor_notice")["result"]

    assert version == "fhir-anchor-devchain/1 (no evidence)"
    assert "no evidence to anybody else" in notice


def test_key_is_readable_by_its_owner_alone(devchain_url: str, devchain_dir: Path) -> None:
    """Mode 600; each folder has a key of its own."""
    assert devchain_url
    assert stat.S_IMODE(os.stat(devchain_dir / KEY_FILE).st_mode) == 0o600  # noqa: PTH116 - the mode itself


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(b"{", -32700, id="no-json"),
        pytest.param(b"7", -32600, id="no-request"),
        pytest.param(b"null", -32600, id="null"),
        pytest.param(b"[" * 900_000, -32700, id="nesting-bomb"),
        pytest.param(b'{"id":1,"method":"' + b"\xff" * 9 + b'"}', -32700, id="no-utf-8"),
        pytest.param(b'{"id":{},"method":"eth_chainId"}', -32600, id="id-of-another-type"),
        pytest.param(b"[]", -32600, id="empty-batch"),
        pytest.param(b"[" + b"7," * 100 + b"7]", -32600, id="long-batch"),
        pytest.param(b'{"id":1,"method":"eth_sign"}', -32601, id="unknown-method"),
        pytest.param(b'{"id":1,"method":"eth_getBlockByNumber","params":{}}', -32602, id="named"),
        pytest.param(b'{"id":1,"method":"eth_getBlockByNumber","params":[]}', -32602, id="too-few"),
        pytest.param(b'{"id":1,"method":"eth_chainId","params":[1]}', -32602, id="too-many"),
        pytest.param(b'{"id":1,"method":"eth_getBalance","params":["0x1"]}', -32602, id="short"),
        pytest.param(
            b'{"id":1,"method":"eth_getBlockByNumber","params":["x"]}', -32602, id="no-tag"
        ),
        pytest.param(b'{"id":1,"method":"eth_call","params":[7]}', -32602, id="no-call"),
        pytest.param(b'{"id":1,"method":"eth_call","params":[{},"0xff"]}', -32000, id="no-block"),
        pytest.param(
            b'{"id":1,"method":"eth_sendRawTransaction","params":["0x"]}', -32000, id="junk"
        ),
        pytest.param(b'{"id":1,"method":"eth_getLogs","params":[7]}', -32602, id="no-filter"),
    ],
)
def test_bad_request_gets_a_json_rpc_error(devchain_url: str, body: bytes, code: int) -> None:
    """JSON-RPC 2.0 s5.1: the code says whose fault it is, and the server goes on."""
    answer = post(devchain_url, body)

    assert answer["error"]["code"] == code
    assert rpc(devchain_url, "eth_chainId")["result"] == hex(CHAIN_ID)


def test_batch_is_answered_one_by_one(devchain_url: str) -> None:
    """A bad request in a batch fails alone."""
    good = {"jsonrpc": "2.0", "id": 1, "method": "net_version"}

    answers = post(devchain_url, json.dumps([good, {"id": 2}]).encode())

    assert answers[0] == {"jsonrpc": "2.0", "id": 1, "result": str(CHAIN_ID)}
    assert answers[1]["error"]["code"] == -32600


@pytest.mark.parametrize("id_", [7, "seven", None, 1.5])
def test_id_comes_back_as_it_was(devchain_url: str, id_: object) -> None:
    """Clients find their request by it."""
    body = {"jsonrpc": "2.0", "id": id_, "method": "eth_chainId"}

    assert post(devchain_url, json.dumps(body).encode())["id"] == id_


def test_notification_is_not_answered(devchain_url: str) -> None:
    """JSON-RPC 2.0 s4.1: without an id there is no answer, alone or in a batch."""
    quiet = {"jsonrpc": "2.0", "method": "eth_chainId"}
    alone = requests.post(devchain_url, json=quiet, timeout=10)
    several = requests.post(devchain_url, json=[quiet, quiet], timeout=10)
    mixed = requests.post(devchain_url, json=[quiet, {**quiet, "id": 1}], timeout=10)

    assert (alone.status_code, alone.content) == (200, b"")
    assert (several.status_code, several.content) == (200, b"")
    assert mixed.json() == [{"jsonrpc": "2.0", "id": 1, "result": hex(CHAIN_ID)}]


def test_oversized_request_is_refused_unread(devchain_url: str) -> None:
    """A megabyte is more than any transaction we send."""
    with closing(HTTPConnection(devchain_url.removeprefix("http://"), timeout=10)) as client:
        client.putrequest("POST", "/")
        client.putheader("Content-Length", str(1024 * 1024 + 1))
        client.endheaders()

        status = client.getresponse().status

    assert status == 413


def test_fee_history_and_logs_are_served(devchain_url: str) -> None:
    """What wallets ask for before they send, and what auditors ask for after."""
    history = rpc(devchain_url, "eth_feeHistory", "0x4", "latest", [50])["result"]
    logs = rpc(devchain_url, "eth_getLogs", {"fromBlock": "earliest"})["result"]

    assert len(history["baseFeePerGas"]) == len(history["gasUsedRatio"]) + 1
    assert isinstance(logs, list)
