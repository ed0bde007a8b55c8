"""Published .ots examples of opentimestamps-client cd71c760 (LGPL-3.0, data files)."""

from pathlib import Path

import pytest

from bridge.core.errors import BridgeError
from bridge.core.ids import sha256
from bridge.core.proof import ots
from bridge.core.proof.anchors import OtsAnchor
from bridge.core.proof.bitcoin import BITCOIN, parse_bitcoin_header
from bridge.core.proof.ots import (
    BitcoinAttestation,
    PendingAttestation,
    UnknownAttestation,
    attestations,
    encode_ots,
    parse_ots,
)
from bridge.core.proof.stamped import check_ots
from bridge.core.proof.trust import KnownBlock, Trust
from tests.stamping import bitcoin_header

OLD_DIGESTS = {"bitcoin.pdf.ots", "a-or-b.ots"}
"""Of files stamped by SHA-1: the format is read, the product stamps SHA-256 alone."""
NO_PROOF = ["incomplete", "merkle1", "merkle2", "merkle3", "two-calendars", "unknown-notary"]


@pytest.fixture(scope="module")
def examples(shared: Path) -> Path:
    """The folder."""
    return shared / "vectors/ots/examples"


def test_every_valid_example_reads_and_is_written_back(examples: Path) -> None:
    """All but the invalid ones parse whole; those of SHA-256 come out byte for byte."""
    files = [path for path in sorted(examples.rglob("*.ots")) if path.parent.name != "invalid"]

    for path in files:
        data = path.read_bytes()
        if path.name in OLD_DIGESTS:
            with pytest.raises(BridgeError, match="another digest than SHA-256"):
                parse_ots(data)
            assert list(attestations(ots._parse_file(data)[0]))
        else:
            assert encode_ots(parse_ots(data)) == data

    assert len(files) == 14


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("bad-major-version", "only version 1 of the format"),
        ("exceeds-max-msg-length", "exceeds 4096 bytes"),
        ("invalid-file-digest-type", "0xf3 is not a digest of a file"),
    ],
)
def test_invalid_examples_are_refused(examples: Path, name: str, words: str) -> None:
    """Each for its own reason."""
    with pytest.raises(BridgeError, match=words):
        parse_ots((examples / f"invalid/{name}.ots").read_bytes())


@pytest.mark.parametrize(
    "name", ["hello-world", "empty", "two-calendars", "unknown-notary", "incomplete"]
)
def test_the_stamped_file_is_the_one_beside_the_proof(examples: Path, name: str) -> None:
    """The proof's message is SHA-256 of the file."""
    file = examples / ("empty" if name == "empty" else f"{name}.txt")

    stamped = parse_ots(Path(str(file) + ".ots").read_bytes()).message

    assert stamped == sha256(file.read_bytes())


@pytest.mark.parametrize("name", NO_PROOF)
def test_promises_and_unknown_notaries_prove_nothing(examples: Path, name: str) -> None:
    """Pending and unknown attestations leave check 9 open, whatever a verifier knows."""
    proof = (examples / f"{name}.txt.ots").read_bytes()
    note = (examples / f"{name}.txt").read_bytes()

    outcome = check_ots(OtsAnchor(proof=proof), notes=[note], trust=Trust(), readers=[])

    kinds = {type(one) for _, one in attestations(parse_ots(proof))}
    assert kinds <= {PendingAttestation, UnknownAttestation}
    assert (outcome.checks[0].ok, outcome.time) == (None, None)


def test_bad_stamp_fails_against_the_header_that_the_good_one_passes(examples: Path) -> None:
    """Two proofs name block 358391; its Merkle root is one, so only one of them holds."""
    good = parse_ots((examples / "hello-world.txt.ots").read_bytes())
    ((root, attestation),) = attestations(good)
    header = bitcoin_header(root)
    block = KnownBlock(
        chain=BITCOIN, number=358_391, hash=parse_bitcoin_header(header).hash, header=header
    )

    seen = {
        name: check_ots(
            OtsAnchor(proof=(examples / f"{name}.txt.ots").read_bytes()),
            notes=[(examples / f"{name}.txt").read_bytes()],
            trust=Trust(blocks=(block,)),
            readers=[],
        ).checks[-1]
        for name in ("hello-world", "bad-stamp")
    }

    assert attestation == BitcoinAttestation(height=358_391)
    assert {name: check.ok for name, check in seen.items()} == {
        "hello-world": True,
        "bad-stamp": False,
    }
    assert "holds another Merkle root" in seen["bad-stamp"].detail
