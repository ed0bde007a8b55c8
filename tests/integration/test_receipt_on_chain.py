"""A message to a receipt that a stranger verifies against a real chain over JSON-RPC."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bridge.chain.account import KeyFileAccount
from bridge.chain.deploy import LogIdentity, deploy, plan_deployment
from bridge.chain.endpoint import Endpoint
from bridge.chain.evm import EvmChain
from bridge.chain.rows import load_chains
from bridge.chain.rpc import Endpoints
from bridge.cli.verify import verify
from bridge.core.ids import RecordId, sha256
from bridge.core.log.note import VerifierKey
from bridge.core.proof.trust import Contract, LogKey, Trust
from bridge.core.proof.trust_file import trust_text
from bridge.embedded.devchain import KEY_FILE
from bridge.flows.anchor import anchor
from bridge.flows.issue import issue
from bridge.flows.receive import Inbound, receive
from bridge.flows.sequence import sequence
from bridge.flows.watch import watch
from bridge.settings import shipped
from bridge.store.anchors import PostgresAnchors
from bridge.store.database import Database
from bridge.store.evidence import PostgresEvidence
from bridge.store.intake import PostgresIntake
from bridge.store.logbook import PostgresLogBook
from tests.fakes.dialect import LineDialect, line
from tests.fakes.signer import KnownSigner
from tests.fakes.sources import CountedEntropy, FixedClock
from workers.sources import SystemEntropy

SIGNER, CLOCK = KnownSigner(), FixedClock()
RAW = line("1", bundle='{"resourceType":"Bundle"}')
APP = typer.Typer()
APP.command()(verify)


def _store(database: Database, control_id: str, raw: bytes) -> RecordId:
    """One message received and sequenced."""
    one = Inbound(raw=raw, feed="test/1", number=int(control_id))
    entropy = CountedEntropy() if control_id == "1" else SystemEntropy()
    (received,) = receive(
        [one],
        dialect=LineDialect(),
        intake=PostgresIntake(database),
        clock=CLOCK,
        entropy=entropy,
    )
    book = PostgresLogBook(database)
    sequence(book=book, signer=SIGNER, clock=CLOCK, origin=SIGNER.name)
    return received.record


def _chain(url: str, folder: Path, state: Path) -> EvmChain:
    """The contract deployed and our log registered on it."""
    row = load_chains(shipped("chains.toml").read_text("utf-8"))["embedded"]
    endpoints = Endpoints([Endpoint(url, chain_id=row.chain_id)], agree=1)
    account = KeyFileAccount(folder / KEY_FILE)
    identity = LogIdentity(
        origin_hash=sha256(SIGNER.name.encode()), key_hash=sha256(SIGNER.verifier_key.encode())
    )
    planned = plan_deployment(endpoints, row, account, identity, SystemEntropy())
    made = deploy(endpoints, state, planned, identity, wait=lambda: None)
    return EvmChain(
        endpoints,
        row,
        account,
        contract=made.address,
        code_hash=made.code_hash,
        log_id=bytes.fromhex(made.log_id[2:]),
    )


def _trust(chain: EvmChain, *, independent: bool) -> str:
    place = chain._place
    contract = Contract(
        origin=SIGNER.name,
        chain=chain.name,
        address=bytes.fromhex(chain.contract[2:]),
        code_hash=bytes.fromhex(place.code_hash[2:]),
        log_id=place.log_id,
        finality="instant",
        independent=independent,
        endpoints=1,
    )
    key = VerifierKey.parse(SIGNER.verifier_key)
    return trust_text(Trust(logs=(LogKey(origin=SIGNER.name, key=key),), contracts=(contract,)))


@pytest.mark.parametrize("independent", [True, False])
def test_stranger_verifies_a_record_against_the_chain(
    clean: Database, devchain_url: str, devchain_dir: Path, tmp_path: Path, *, independent: bool
) -> None:
    """Receipt, document, trust file and the chain's URL are all it takes; a flipped byte shows."""
    record = _store(clean, "1", RAW)
    _store(clean, "2", line("2"))
    chain, anchors = _chain(devchain_url, devchain_dir, tmp_path / "c.json"), PostgresAnchors(clean)
    for _ in range(3):
        anchor(book=PostgresLogBook(clean), anchors=anchors, chain=chain, clock=CLOCK)
        watch(anchors=anchors, chain=chain, clock=CLOCK)
    receipt = issue(record, evidence=PostgresEvidence(clean), book=PostgresLogBook(clean))
    files = {"r.json": receipt, "d": RAW, "bad": RAW.replace(b"lab", b"lac")}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "trust.toml").write_text(_trust(chain, independent=independent))

    good, bad = (
        CliRunner().invoke(
            APP,
            [
                *(str(tmp_path / "r.json"), str(tmp_path / name), "--rpc", devchain_url),
                *("--trust", str(tmp_path / "trust.toml"), "--json"),
            ],
        )
        for name in ("d", "bad")
    )

    report = json.loads(good.output)
    assert (good.exit_code, report["verdict"]) == (0, "unchanged")
    assert report["level"] == (4 if independent else 2)
    assert report["existed_by"] is not None
    assert len(json.loads(receipt)["rebase"]) == 1
    assert (bad.exit_code, json.loads(bad.output)["verdict"]) == (1, "changed")
    chain._endpoints.close()
