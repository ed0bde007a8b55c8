"""RLP: one spelling a value, and the reference library agrees."""

import pytest
import rlp as reference
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.errors import BridgeError
from bridge.core.proof.rlp import MAX_DEPTH, MAX_SIZE, Item, decode, encode, number

ITEMS = st.recursive(
    st.binary(max_size=80),
    lambda inner: st.lists(inner, max_size=6).map(tuple),
    max_leaves=12,
)


def _depth(item: Item) -> int:
    return 0 if isinstance(item, bytes) else 1 + max((_depth(part) for part in item), default=0)


@given(ITEMS.filter(lambda item: _depth(item) <= MAX_DEPTH))
def test_round_trip_and_reference_agree(item: Item) -> None:
    """What is encoded decodes to itself, byte for byte as the reference library writes it."""
    data = encode(item)

    assert decode(data, where="test") == item
    assert data == reference.encode(item)


@given(st.binary(max_size=120))
def test_whatever_decodes_is_canonical(data: bytes) -> None:
    """Bytes are refused, or they are exactly what encoding the result gives."""
    try:
        item = decode(data, where="test")
    except BridgeError:
        return

    assert encode(item) == data


@pytest.mark.parametrize(
    ("data", "what"),
    [
        pytest.param(b"", "an item is missing", id="nothing"),
        pytest.param(b"\x01\x02", "1 bytes follow the item", id="trailing"),
        pytest.param(b"\x81\x7f", "carries a length prefix", id="prefixed-small-byte"),
        pytest.param(b"\xb8\x37" + bytes(55), "shortest form", id="long-form-of-55"),
        pytest.param(b"\xb9\x00\x38" + bytes(56), "shortest form", id="leading-zero-length"),
        pytest.param(b"\x83ab", "does not fit", id="cut-string"),
        pytest.param(b"\xc3\x82a", "does not fit", id="string-leaves-its-list"),
        pytest.param(b"\xbf", "shortest form", id="cut-length"),
        pytest.param(b"\xbf" + b"\xff" * 8, "does not fit", id="huge-length"),
        pytest.param(bytes(MAX_SIZE + 1), "exceed the limit", id="too-large"),
    ],
)
def test_other_spellings_are_refused(data: bytes, what: str) -> None:
    """A second spelling of a value, a cut or trailing bytes are refused with their place."""
    with pytest.raises(BridgeError, match=what):
        decode(data, where="test")


def test_deep_nesting_is_refused() -> None:
    """A bomb of nested lists ends at the limit, not in a RecursionError."""
    bomb = b"\xc0"
    for _ in range(3000):
        bomb = reference.codec.length_prefix(len(bomb), 0xC0) + bomb

    with pytest.raises(BridgeError, match="nest deeper than 8"):
        decode(bomb, where="test")


def test_number_with_leading_zero_is_refused() -> None:
    """A scalar has one spelling too."""
    assert number(b"\x01\x00", where="test") == 256
    with pytest.raises(BridgeError, match="without leading zeros"):
        number(b"\0\x01", where="test")
