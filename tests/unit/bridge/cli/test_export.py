"""The command's export: one file, and the stamped checkpoint beside it."""

import base64
import copy
from pathlib import Path

import pytest

from bridge.cli.export import export
from bridge.core.errors import BridgeError
from bridge.core.ids import sha256
from bridge.core.proof.export import Export
from bridge.core.proof.ots import BitcoinAttestation, Timestamp, encode_ots
from tests.fakes.sealed import World, dumped

RECEIPT = World().record_receipt()
LATER = RECEIPT["rebase"][0]["checkpoint"].encode()


def test_stamp_and_stamped_file_are_written(tmp_path: Path) -> None:
    """`checkpoint.ots` and `checkpoint`; a file that is there is left alone."""
    receipt = copy.deepcopy(RECEIPT)
    stamp = Timestamp(message=sha256(LATER), attestations=(BitcoinAttestation(height=7),))
    proof = encode_ots(stamp)
    receipt["anchors"].append({"type": "ots", "proof": base64.b64encode(proof).decode()})
    file, output = tmp_path / "receipt.json", tmp_path / "checkpoint.ots"
    file.write_bytes(dumped(receipt))

    export(file, Export.OTS, output)
    (tmp_path / "checkpoint").write_bytes(b"mine")
    export(file, Export.OTS, output)

    assert output.read_bytes() == proof
    assert (tmp_path / "checkpoint").read_bytes() == b"mine"


def test_part_goes_to_standard_output(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """For a pipe."""
    file = tmp_path / "receipt.json"
    file.write_bytes(dumped(RECEIPT))

    export(file, Export.TLOG_PROOF, None)

    assert capfdbinary.readouterr().out == RECEIPT["tlog_proof"].encode()


def test_missing_receipt_is_named(tmp_path: Path) -> None:
    """With what to do."""
    with pytest.raises(BridgeError, match="the receipt cannot be read: No such file"):
        export(tmp_path / "none", Export.OTS, None)
