"""Exports: the parts as they are, and a Provenance that standard FHIR models accept."""

import base64
import copy
import json
from typing import Any

import pytest
from fhir.resources.R4B.provenance import Provenance

from bridge.core.errors import BridgeError
from bridge.core.ids import parse_instant, sha256
from bridge.core.log.tlog_proof import parse_tlog_proof
from bridge.core.proof.export import Export, export
from bridge.core.proof.ots import BitcoinAttestation, Timestamp, encode_ots
from bridge.core.proof.rfc3161 import encode_query, parse_response
from tests.fakes.sealed import World, dumped
from tests.stamping import Tsa

NOW = parse_instant("2026-11-22T14:00:00.000000Z")
WORLD = World()
LATER = WORLD.record_receipt()["rebase"][0]["checkpoint"].encode()


def _with(**anchor: str) -> bytes:
    receipt = copy.deepcopy(WORLD.record_receipt())
    receipt["anchors"].append(anchor)
    return dumped(receipt)


def test_tlog_proof_is_the_receipts_own_text() -> None:
    """As any reader of c2sp.org/tlog-proof takes it."""
    receipt = WORLD.record_receipt()

    made = export(dumped(receipt), Export.TLOG_PROOF, at=NOW)

    assert made.data == receipt["tlog_proof"].encode()
    assert parse_tlog_proof(made.data).index == 5


def test_ots_comes_with_the_checkpoint_that_was_stamped() -> None:
    """The rebased one here: the tool wants the file beside the proof."""
    proof = encode_ots(
        Timestamp(message=sha256(LATER), attestations=(BitcoinAttestation(height=7),))
    )

    made = export(_with(type="ots", proof=base64.b64encode(proof).decode()), Export.OTS, at=NOW)

    assert (made.data, made.stamped) == (proof, LATER)


def test_tsr_is_accepted_by_openssl(tsa: Tsa) -> None:
    """`openssl ts -verify` over the exported pair."""
    token = parse_response(tsa.answer(encode_query(sha256(LATER), nonce=3)))
    receipt = _with(type="rfc3161", token=base64.b64encode(token).decode())

    made = export(receipt, Export.TSR, at=NOW)

    assert made.stamped == LATER
    assert tsa.accepts(made.data, LATER)


@pytest.mark.parametrize(
    ("receipt", "target"),
    [
        pytest.param(
            WORLD.resource_receipt("Observation/o3/1"),
            [{"reference": "Observation/o3/_history/1", "type": "Observation"}],
            id="resource",
        ),
        pytest.param(WORLD.record_receipt("bundle"), None, id="record"),
    ],
)
def test_provenance_carries_the_receipt_and_is_valid(receipt: Any, target: Any) -> None:
    """R4B's models read it; the signature's data is the receipt byte for byte."""
    made = json.loads(export(dumped(receipt), Export.PROVENANCE, at=NOW).data)

    Provenance.model_validate(made)
    assert base64.b64decode(made["signature"][0]["data"]) == dumped(receipt)
    if target is not None:
        assert made["target"] == target
    else:
        digest = base64.urlsafe_b64encode(WORLD.values["bundle"]).decode().rstrip("=")
        assert made["target"][0]["identifier"]["value"] == f"ni:///sha-256;{digest}"


@pytest.mark.parametrize("kind", [Export.OTS, Export.TSR])
def test_what_the_receipt_does_not_carry_is_said(kind: Export) -> None:
    """Not an empty file."""
    with pytest.raises(BridgeError, match=f"could be written as {kind.value}"):
        export(dumped(WORLD.record_receipt()), kind, at=NOW)
