"""c2sp.org/tlog-proof vectors of transparency-dev/formats 0b850f1a (Apache-2.0)."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from bridge.core.errors import BridgeError
from bridge.core.ids import Digest, LeafIndex
from bridge.core.log.tlog_proof import TlogProof, parse_tlog_proof


@pytest.fixture(scope="module")
def vectors(shared: Path) -> Any:
    """Cases to write and cases to refuse."""
    return json.loads((shared / "vectors/tlog-proof/cases.json").read_text())


def test_proofs_are_written_and_read_as_published(vectors: Any) -> None:
    """Each published text comes from its parts and gives them back."""
    for case in vectors["marshal"]:
        proof = TlogProof(
            index=LeafIndex(case["index"]),
            path=tuple(Digest(base64.b64decode(text)) for text in case["hashes"]),
            checkpoint=case["checkpoint"].encode(),
            extra=base64.b64decode(case.get("extra", "")),
        )

        assert proof.encode() == case["text"].encode()
        assert parse_tlog_proof(case["text"].encode()) == proof


def test_malformed_proofs_are_refused(vectors: Any) -> None:
    """Each published malformed text is refused."""
    for case in vectors["reject"]:
        with pytest.raises(BridgeError, match=r"\(tlog-proof\) - take the proof"):
            parse_tlog_proof(case["text"].encode())
