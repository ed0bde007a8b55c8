"""OpenTimestamps files: one spelling, bounded work, and the reference library agrees."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentimestamps.core import notary, op
from opentimestamps.core.serialize import BytesDeserializationContext, BytesSerializationContext
from opentimestamps.core.timestamp import DetachedTimestampFile
from opentimestamps.core.timestamp import Timestamp as Theirs

from bridge.core.errors import BridgeError
from bridge.core.ids import sha256
from bridge.core.proof.ots import (
    BitcoinAttestation,
    PendingAttestation,
    Timestamp,
    attestations,
    encode_ots,
    grafted,
    merged,
    parse_ots,
    parse_timestamp,
)
from tests.stamping import library_bytes

DIGEST = bytes(range(32))
HEAD = b"\x00OpenTimestamps\x00\x00Proof\x00\xbf\x89\xe2\xe8\x84\xe8\x92\x94\x01\x08"
PENDING = notary.PendingAttestation("https://calendar.example")
STEPS = st.one_of(
    st.binary(min_size=1, max_size=40).map(op.OpAppend),
    st.binary(min_size=1, max_size=40).map(op.OpPrepend),
    st.sampled_from([op.OpSHA256(), op.OpSHA1(), op.OpHexlify(), op.OpKECCAK256()]),
)
ENDS = st.one_of(
    st.integers(0, 1 << 30).map(notary.BitcoinBlockHeaderAttestation),
    st.just(PENDING),
    st.binary(max_size=30).map(lambda data: notary.UnknownAttestation(b"unknown!", data)),
)
TREES = st.recursive(
    ENDS.map(lambda end: [(None, end)]),
    lambda inner: st.lists(st.tuples(STEPS, inner), min_size=1, max_size=3),
    max_leaves=8,
)


def _theirs(tree: Any, message: bytes = DIGEST) -> Any:
    """The tree as the reference library holds it."""
    stamp = Theirs(message)
    for step, below in tree:
        if step is None:
            stamp.attestations.add(below)
        else:
            stamp.ops.add(step).merge(_theirs(below, step(message)))
    return stamp


@given(TREES)
@settings(max_examples=60)
def test_reference_library_and_we_agree_byte_for_byte(tree: Any) -> None:
    """What it writes we read, with the same messages; what we write back are its bytes."""
    theirs = _theirs(tree)
    context = BytesSerializationContext()
    DetachedTimestampFile(op.OpSHA256(), theirs).serialize(context)
    data: bytes = context.getbytes()

    ours = parse_ots(data)

    assert encode_ots(ours) == data
    assert sorted(m for m, _ in attestations(ours)) == sorted(
        m for m, _ in theirs.all_attestations()
    )


@given(TREES, TREES)
@settings(max_examples=30)
def test_merging_keeps_all_that_either_knew(first: Any, second: Any) -> None:
    """As the reference library merges; merging again changes nothing."""
    one, two = (parse_timestamp(library_bytes(_theirs(tree)), DIGEST) for tree in (first, second))
    theirs = _theirs(first)
    theirs.merge(_theirs(second))

    both = merged(one, two)

    assert sorted(m for m, _ in attestations(both)) == sorted(
        m for m, _ in theirs.all_attestations()
    )
    assert merged(both, two) == both
    context = BytesDeserializationContext(encode_ots(both))
    assert DetachedTimestampFile.deserialize(context).timestamp == theirs


def test_what_was_found_out_is_put_where_it_belongs() -> None:
    """An upgrade is of a message in the middle of the proof."""
    promised = _theirs([(op.OpAppend(b"x"), [(None, PENDING)])])
    middle = DIGEST + b"x"
    later = Timestamp(message=middle, attestations=(BitcoinAttestation(height=7),))

    grown = grafted(parse_timestamp(library_bytes(promised), DIGEST), {middle: later})

    assert [kind for _, kind in attestations(grown)] == [
        PendingAttestation(uri="https://calendar.example"),
        BitcoinAttestation(height=7),
    ]


def test_timestamps_of_two_messages_are_not_merged() -> None:
    """A calendar that answers about something else proves nothing about us."""
    one, two = (
        Timestamp(message=sha256(word), attestations=(BitcoinAttestation(height=1),))
        for word in (b"a", b"b")
    )

    with pytest.raises(BridgeError, match="two timestamps of different messages"):
        merged(one, two)


BITCOIN = bytes.fromhex("000588960d73d71901")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param(b"", "the proof is cut", id="empty"),
        pytest.param(BITCOIN + b"\x01\x07x", "bytes follow the proof", id="trailing"),
        pytest.param(BITCOIN + b"\x02\x07x", "bytes follow the proof", id="payload-trailing"),
        pytest.param(BITCOIN + b"\x02\x80\x00", "shortest form", id="long-number"),
        pytest.param(BITCOIN + b"\x06\xff\xff\xff\xff\xff\x01", "too large", id="huge-number"),
        pytest.param(BITCOIN + b"\x05\xff\xff\xff\xff\x7f", "no block at such", id="height"),
        pytest.param(b"\x42", "0x42 is not an operation", id="unknown-operation"),
        pytest.param(
            b"\xf0\x00" + BITCOIN + b"\x01\x07", "0 bytes where 1 to", id="append-nothing"
        ),
        pytest.param(b"\xf0\x81\x20" + bytes(4097), "4097 bytes where 1 to 4096", id="append-long"),
        pytest.param(b"\x08" * 300, "more than 256 operations in a row", id="deep"),
        pytest.param(b"\xff\x08" + BITCOIN + b"\x01\x07\x08", "the proof is cut", id="fork-cut"),
        pytest.param(
            b"\xff\x08" + BITCOIN + b"\x01\x07\x08" + BITCOIN + b"\x01\x08",
            "one operation stands twice",
            id="fork-twice",
        ),
        pytest.param(
            bytes.fromhex("0083dfe30d2ef90c8e") + b"\x04\x03a?b", "no such address has", id="uri"
        ),
        pytest.param(bytes(70_000), "70065 bytes exceed the limit", id="huge"),
    ],
)
def test_malformed_proof_is_refused_with_its_place(body: bytes, words: str) -> None:
    """Each with the reason and a byte offset."""
    with pytest.raises(BridgeError, match=words) as caught:
        parse_ots(HEAD + DIGEST + body)

    assert "byte" in caught.value.where


def test_work_is_bounded() -> None:
    """A small file cannot make a verifier hash for minutes."""
    fork = b"\xff\xf0\x02%c%c" + BITCOIN + b"\x01\x07"
    wide = b"".join(fork % (n // 256, n % 256) for n in range(600))

    with pytest.raises(BridgeError, match=r"its operations read more than 262144 bytes"):
        parse_ots(HEAD + DIGEST + b"\xf0\x80\x18" + bytes(3072) + wide + BITCOIN + b"\x01\x07")


def test_nothing_and_other_digests_are_not_written() -> None:
    """A timestamp that says nothing has no bytes; a file's digest has 32."""
    with pytest.raises(BridgeError, match="says nothing"):
        encode_ots(Timestamp(message=DIGEST))
    with pytest.raises(BridgeError, match="32 bytes"):
        encode_ots(Timestamp(message=b"short"))
