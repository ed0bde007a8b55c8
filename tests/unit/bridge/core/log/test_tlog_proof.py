"""Offline proofs as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.errors import BridgeError
from bridge.core.ids import Digest, LeafIndex
from bridge.core.log.tlog_proof import TlogProof, parse_tlog_proof

HASHES = st.lists(st.binary(min_size=32, max_size=32), max_size=64)


@given(st.integers(0, 2**64 - 1), HASHES, st.binary(max_size=100), st.binary(min_size=1))
def test_proof_round_trip(index: int, path: list[bytes], extra: bytes, checkpoint: bytes) -> None:
    """Parts come back as they went in, whatever the checkpoint holds."""
    proof = TlogProof(
        index=LeafIndex(index),
        path=tuple(map(Digest, path)),
        extra=extra,
        checkpoint=checkpoint,
    )

    assert parse_tlog_proof(proof.encode()) == proof


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"c2sp.org/tlog-proof@v1\nindex 0\n", "with a checkpoint behind an empty line"),
        (b"c2sp.org/tlog-proof@v1\nindex 0\n\n", "with a checkpoint behind an empty line"),
        (b"c2sp.org/tlog-proof@v1\nextra \nindex 0\n\nc\n", "the extra line is empty"),
        (b"c2sp.org/tlog-proof@v1\nindex 1\r\n\nc\n", "number is not plain decimal"),
        (b"c2sp.org/tlog-proof@v1\n\xff\n\nc\n", "not UTF-8"),
        (b"c2sp.org/tlog-proof@v1\nindex 1" + b"\n" + b"A" * 43 + b"=" + b"\nAA==\n\nc\n", "path"),
        (TlogProof(index=LeafIndex(0), path=(Digest(bytes(32)),) * 65, checkpoint=b"c").encode(),
         "up to 64 lines"),
        (b"x" * 1_200_000, "larger than any proof"),
    ],
    ids=["no gap", "no note", "empty extra", "CR", "not UTF-8", "short hash", "deep", "huge"],
)  # fmt: skip
def test_malformed_proof_is_refused(text: bytes, message: str) -> None:
    """Reading is strict, and says what it expected."""
    with pytest.raises(BridgeError, match=message):
        parse_tlog_proof(text)
