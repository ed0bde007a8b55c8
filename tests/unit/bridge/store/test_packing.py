"""Bundles as they stand in their column: nothing is lost, whatever stands there."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.store.packing import PACKED_BYTES, pack, unpack

BUNDLE = b'{"resourceType":"Bundle"}'


@given(st.binary(max_size=4096))
def test_what_is_packed_comes_back(canonical: bytes) -> None:
    """Any bytes, to the byte."""
    assert unpack(pack(canonical)) == canonical


@pytest.mark.parametrize("size", [PACKED_BYTES, PACKED_BYTES + 1])
def test_long_bundle_stands_as_it_is(size: int) -> None:
    """A column never unpacks to more than a reader of many rows can hold."""
    canonical = b"{" + b"0" * (size - 1)

    assert unpack(pack(canonical)) == canonical
    assert (pack(canonical) == canonical) == (size > PACKED_BYTES)


@pytest.mark.parametrize(
    "kept",
    [
        pytest.param(BUNDLE, id="of-a-version-that-did-not-pack"),
        pytest.param(pack(BUNDLE) + b" ", id="trailing"),
        pytest.param(pack(BUNDLE)[:-1], id="cut"),
        pytest.param(b"", id="empty"),
        pytest.param(pack(b"{" + b"0" * 1000)[:-2] + b"xx", id="wrong-sum"),
    ],
)
def test_what_was_not_packed_so_is_given_back_as_it_is(kept: bytes) -> None:
    """Older rows are read on; what was changed in the database does not pass for a bundle."""
    assert unpack(kept) == kept


def test_no_stream_unpacks_without_bound() -> None:
    """A deflated GiB in the column costs no more than what we would have packed."""
    bomb = pack(b"0" * PACKED_BYTES)

    longer = zlib.compress(b"0" * (64 * PACKED_BYTES))
    assert unpack(bomb) == b"0" * PACKED_BYTES
    assert unpack(longer) == longer
