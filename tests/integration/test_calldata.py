"""Where nobody may deploy: heads in the data of transactions, proved to strangers all the same."""

import json
from pathlib import Path

import pytest

from bridge.chain.recount import transaction_differs
from bridge.cli.rpc import JsonRpcReader
from bridge.core.log.note import VerifierKey
from bridge.core.proof.report import Level, Report, Verdict
from bridge.core.proof.trust import Trust
from bridge.core.proof.trust_file import parse_trust
from bridge.core.proof.verify import verify
from bridge.flows.fsck import fsck
from bridge.store.stored import PostgresStored
from tests.integration.chained import Log, Network, network, on_anvil, on_devchain
from workers.places import TRUST_FILE

__all__ = ["network", "on_anvil", "on_devchain"]


def test_stranger_verifies_a_head_that_stands_in_calldata(
    network: Network, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two heads, the second names the first; each receipt dates its record, and fsck is clean."""
    log = Log(network, tmp_path, database_url, monkeypatch, form="calldata")
    papers = [log.sealed() for _ in range(2)]
    receipts = [log.receipt(record) for record, _ in papers]
    trust = parse_trust((tmp_path / TRUST_FILE).read_bytes())
    independent = parse_trust(
        (tmp_path / TRUST_FILE).read_bytes().replace(b"independent = false", b"independent = true")
    )

    def told(trust: Trust, receipt: bytes, raw: bytes, *chain: JsonRpcReader) -> Report:
        return verify(receipt, raw, trust=trust, chain=chain)

    reader = JsonRpcReader(network.url)
    for receipt, (_, raw) in zip(receipts, papers, strict=True):
        report = told(trust, receipt, raw, reader)
        assert report.verdict is Verdict.UNCHANGED, report
        assert report.existed_by is not None
        assert told(independent, receipt, raw, reader).level is Level.ANCHORED
        assert told(trust, receipt, raw).existed_by is None, "without the chain there is no time"
        stranger = told(Trust(), receipt, raw, reader)
        assert (stranger.verdict, stranger.level) == (
            Verdict.UNCHANGED,
            Level.SELF_CONSISTENT,
        )
    node = log.services()
    with node.anchors.unit():
        rows = node.anchors.evidenced(node.chain.name, node.chain.account, size_from=1)
    found = fsck(
        stored=PostgresStored(node.database),
        book=node.book,
        verifiers=[VerifierKey.parse(key) for key in node.signer.verifier_keys],
        transaction=transaction_differs,
        progress=lambda _stage, _done: None,
    ).difference
    node.database.close()
    assert found is None
    assert rows[1].payload.prev_root == rows[0].payload.root


def test_every_changed_part_of_a_calldata_anchor_is_caught(
    on_devchain: Network, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte of header, transaction, proof and place; and a head of another log."""
    log = Log(on_devchain, tmp_path, database_url, monkeypatch, form="calldata")
    record, raw = log.sealed()
    receipt = json.loads(log.receipt(record))
    trust = parse_trust((tmp_path / TRUST_FILE).read_bytes())
    chain = [JsonRpcReader(on_devchain.url)]
    good = receipt["anchors"][0]
    lies = [
        {name: good[name][: 2 + at] + _other(good[name][2 + at]) + good[name][3 + at :]}
        for name in ("header", "transaction", "tx", "block_hash")
        for at in range(0, len(good[name]) - 2, 7)
    ]
    lies += [
        {"transaction_proof": [node[:-1] + _other(node[-1]) for node in good["transaction_proof"]]},
        {"transaction_proof": []},
        {"transaction_index": good["transaction_index"] + 1},
        {"block_number": good["block_number"] + 1},
        {"time": "2020-01-01T00:00:00Z"},
    ]

    for lie in lies:
        forged = json.dumps(receipt | {"anchors": [good | lie]}).encode()
        report = verify(forged, raw, trust=trust, chain=chain)
        assert report.verdict is not Verdict.UNCHANGED, lie


def _other(digit: str) -> str:
    return "0" if digit != "0" else "1"
