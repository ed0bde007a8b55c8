"""Blocks, tries and clocks that a stranger, or the operator of a chain of his own, can make up.

Beside `test_forged_receipts.py`, which forges what stands in a block: here it is the block itself.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import rlp
from eth_hash.auto import keccak
from trie.hexary import HexaryTrie

from bridge.core.ids import Digest
from bridge.core.proof.report import Level, Report, Verdict
from bridge.core.proof.trust_file import parse_trust
from bridge.core.proof.verify import verify
from tests.fakes import sealed
from tests.fakes.endpoint import FakeEndpoint, honest
from tests.fakes.sealed import DOCUMENT, World, dumped

WORLD = World()
TRUST = parse_trust(sealed.trust_text())
TOPIC = keccak(b"Anchored(bytes32,uint64,uint64,bytes32,bytes32)")
ROOT = sealed.tree_root(WORLD.leaves[: WORLD.anchored])
DATA = WORLD.anchored.to_bytes(32) + ROOT + bytes(32)
TOPICS = [TOPIC, sealed.LOG_ID, (9).to_bytes(32)]
EVENT: list[Any] = [sealed.ADDRESS, TOPICS, DATA]
HEADER = list(rlp.decode(bytes.fromhex(sealed.block(11, ROOT)["header"][2:])))
PRAGUE = [bytes(32), b"\1", b"\2", bytes(32), b"\5" * 32]
"""Behind London's base fee: withdrawals root, two of blob gas, beacon root, requests hash."""


def _receipt(kind: bytes = b"\2", status: bytes = b"\1", logs: Sequence[Any] = (EVENT,)) -> bytes:
    body: bytes = rlp.encode([status, b"\x52\x08", bytes(256), list(logs)])
    return kind + body


def _anchor(
    receipt: bytes, *, index: int = 0, count: int = 1, fields: Sequence[Any] = HEADER
) -> dict[str, Any]:
    """The receipt at its index of a block of so many, under a header of these fields."""
    trie: Any = HexaryTrie({})
    for place in range(count):
        trie[rlp.encode(place)] = receipt if place == index else _receipt(logs=())
    header = list(fields)
    header[5:6] = [trie.root_hash]
    nodes = [rlp.encode(node) for node in trie.get_proof(rlp.encode(index))]
    return _under(header, receipt, nodes, index)


def _under(header: list[Any], receipt: bytes, nodes: list[bytes], index: int = 0) -> dict[str, Any]:
    raw = rlp.encode(header)
    return sealed.block(11, ROOT) | {
        "header": "0x" + raw.hex(),
        "block_hash": "0x" + keccak(raw).hex(),
        "receipt": "0x" + receipt.hex(),
        "receipt_index": index,
        "receipt_proof": ["0x" + node.hex() for node in nodes],
        "log_position": 0,
    }


def _verify(*anchors: dict[str, Any], trust: bytes | None = None) -> Report:
    """The first anchor's block is the one that the chain shows."""
    block = Digest(bytes.fromhex(anchors[0]["block_hash"][2:]))
    chain: list[FakeEndpoint] = [replace(honest(WORLD), block=block)]
    receipt = dumped(WORLD.record_receipt() | {"anchors": list(anchors)})
    return verify(receipt, DOCUMENT, trust=parse_trust(trust) if trust else TRUST, chain=chain)


def _said(report: Report) -> str:
    return " | ".join(f"{one.id} {one.name}: {one.detail}" for one in report.checks if not one.ok)


@pytest.mark.parametrize(
    "anchor",
    [
        pytest.param(_anchor(_receipt(), fields=HEADER[:15]), id="before-london"),
        pytest.param(_anchor(_receipt(), fields=[*HEADER, *PRAGUE]), id="prague"),
        pytest.param(_anchor(_receipt(), fields=[*HEADER, *PRAGUE, [b"later"]]), id="later-fork"),
        pytest.param(_anchor(_receipt(kind=b"")), id="legacy-receipt"),
        pytest.param(_anchor(_receipt(kind=b"\4")), id="eip-7702"),
        pytest.param(_anchor(_receipt(), index=127, count=200), id="last-index-of-one-byte"),
        pytest.param(_anchor(_receipt(), index=128, count=200), id="first-index-of-two-bytes"),
        pytest.param(_anchor(_receipt(), index=299, count=300), id="index-over-a-byte"),
    ],
)
def test_block_of_any_fork_and_size_anchors(anchor: dict[str, Any]) -> None:
    """What the refusals below refuse is the lie alone."""
    report = _verify(anchor)

    assert (report.verdict, report.level) == (Verdict.UNCHANGED, Level.ANCHORED)


def _hash_only(receipt: bytes) -> dict[str, Any]:
    """A leaf whose value is the receipt's hash instead of the receipt."""
    node = rlp.encode([b"\x20\x80", keccak(receipt)])
    header = [*HEADER[:5], keccak(node), *HEADER[6:]]
    return _under(header, receipt, [node])


def _chained(*paths: bytes) -> dict[str, Any]:
    """Extensions of these paths, each the parent of the next, above a leaf."""
    receipt = _receipt()
    nodes = [rlp.encode([b"\x20", receipt])]
    for path in reversed(paths):
        nodes.insert(0, rlp.encode([path, keccak(nodes[0])]))
    return _under([*HEADER[:5], keccak(nodes[0]), *HEADER[6:]], receipt, nodes)


def _branched(value: bytes) -> dict[str, Any]:
    """A branch below the whole key, which holds the value in its last place."""
    receipt = _receipt()
    branch = rlp.encode([*[b""] * 16, value])
    top = rlp.encode([b"\x00\x80", keccak(branch)])
    return _under([*HEADER[:5], keccak(top), *HEADER[6:]], receipt, [top, branch])


def _nested(depth: int) -> dict[str, Any]:
    """Extensions that stand inside one another instead of being named by hash."""
    inner: Any = [b"\x20", b"x"]
    for _ in range(depth):
        inner = [b"\x00", inner]
    node = rlp.encode([b"\x00\x80", inner])
    return _under([*HEADER[:5], keccak(node), *HEADER[6:]], _receipt(), [node])


@pytest.mark.parametrize(
    ("anchor", "what"),
    [
        pytest.param(_hash_only(_receipt()), "holds another value", id="hash-for-the-value"),
        pytest.param(_chained(b"\x40\x80"), "not hex-prefix encoded", id="flag-that-is-none"),
        pytest.param(_chained(b"\x01\x80"), "not hex-prefix encoded", id="padding-of-the-path"),
        pytest.param(_chained(b"\x00\x81"), "holds nothing at this index", id="path-of-another"),
        pytest.param(_chained(b"\x00\x80", b"\x10"), "holds nothing", id="longer-than-the-key"),
        pytest.param(_branched(b"another"), "holds another value", id="value-in-a-branch"),
        pytest.param(_branched(b""), "holds another value", id="nothing-in-a-branch"),
        pytest.param(_nested(12), "lists nest deeper than 8", id="nodes-in-nodes"),
        pytest.param(
            _anchor(_receipt()) | {"receipt_proof": []}, "1 to 16 nodes, found 0", id="no-proof"
        ),
        pytest.param(_anchor(_receipt(kind=b"\0")), "type 0x00", id="type-zero"),
        pytest.param(_anchor(_receipt(kind=b"\5")), "type 0x05", id="type-of-later"),
        pytest.param(_anchor(_receipt(kind=b"\x7e")), "type 0x7e", id="deposit-of-a-rollup"),
        pytest.param(_anchor(_receipt(status=b"\2")), "neither 0 nor 1", id="status-two"),
        pytest.param(_anchor(_receipt(status=bytes(32))), "neither 0 nor 1", id="state-root"),
        pytest.param(
            _anchor(_receipt(logs=[[sealed.ADDRESS, [*TOPICS, bytes(32)], DATA]])),
            "3 topics and 96 bytes",
            id="four-topics",
        ),
        pytest.param(
            _anchor(_receipt(logs=[[sealed.ADDRESS, TOPICS[:2], TOPICS[2] + DATA]])),
            "3 topics and 96 bytes",
            id="sequence-in-the-data",
        ),
        pytest.param(
            _anchor(_receipt(logs=[[sealed.ADDRESS, [], b"".join(TOPICS) + DATA]])),
            "no Anchored event",
            id="anonymous-event",
        ),
        pytest.param(
            _anchor(_receipt(logs=[[sealed.ADDRESS, TOPICS, DATA + bytes(32)]])),
            "3 topics and 96 bytes",
            id="data-too-long",
        ),
        pytest.param(
            _anchor(_receipt(), fields=HEADER[:14]), "at least 15 fields", id="fourteen-fields"
        ),
        pytest.param(
            _anchor(_receipt(), fields=[*HEADER[:8], [b"\x2a"], *HEADER[9:]]),
            "a number of at most 8 bytes",
            id="list-for-a-number",
        ),
        pytest.param(
            _under([HEADER], _receipt(), [b"\xc0"]), "at least 15 fields", id="header-in-a-list"
        ),
    ],
)
def test_block_that_proves_nothing_is_refused(anchor: dict[str, Any], what: str) -> None:
    """The chain shows the very block; no trick of its encoding makes it hold our head."""
    report = _verify(anchor)

    assert (report.verdict, report.level) == (Verdict.CHANGED, Level.FAILED)
    assert what in _said(report)


def _trust(**of_the_operators_chain: object) -> bytes:
    """A public chain that others run, and one that the log's operator runs."""
    value = json.loads(sealed.trust_text())
    (pin,), (network,) = value["contract"], value["chain"]
    value["contract"] = [pin | {"independent": True}]
    value["chain"] = [network | {"chain": "eip155:7", "independent": False}]
    anchor = _old_clock()
    number, block = anchor["block_number"], anchor["block_hash"]
    value["block"] = [{"chain": "eip155:7", "number": number, "hash": block}]
    return json.dumps(value | of_the_operators_chain).encode()


def _old_clock() -> dict[str, Any]:
    """The head in a block of the operator's chain, which he dated ten years back."""
    anchor = sealed.posted(WORLD.anchored, ROOT)
    fields = list(rlp.decode(bytes.fromhex(anchor["header"][2:])))
    fields[11] = (1_474_380_800).to_bytes(4)
    raw = rlp.encode(fields)
    return anchor | {
        "chain": "eip155:7",
        "header": "0x" + raw.hex(),
        "block_hash": "0x" + keccak(raw).hex(),
        "time": "2016-09-20T14:13:20Z",
    }


def test_operator_cannot_back_date_by_a_chain_of_his_own() -> None:
    """Beside an independent chain its clock dates nothing, however early it is."""
    report = _verify(sealed.block(11, ROOT), _old_clock(), trust=_trust())

    assert (report.verdict, report.level) == (Verdict.UNCHANGED, Level.ANCHORED)
    assert report.existed_by == sealed.TIME


def test_clock_of_the_operator_alone_is_called_his() -> None:
    """The time is said, with whose it is, and the level stays at his word."""
    report = _verify(_old_clock(), trust=_trust())

    assert (report.verdict, report.level) == (Verdict.UNCHANGED, Level.SIGNED)
    assert report.existed_by == "2016-09-20T14:13:20Z"
    assert "which the log's operator may run and set as he likes" in report.checks[-2].detail
