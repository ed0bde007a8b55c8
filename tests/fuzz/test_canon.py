"""Whatever a value is, its canonical bytes do not depend on how it was spelt."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bridge.core.errors import BridgeError
from bridge.core.record.canon import canonical, canonicalise, parse

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
SCALARS = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | TEXT
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, min_size=1) | st.dictionaries(TEXT, inner, min_size=1),
    max_leaves=20,
)


@given(VALUES)
def test_canonicalise_is_idempotent(value: Any) -> None:
    """Canonical bytes canonicalise to themselves."""
    once = canonicalise(json.dumps(value).encode())

    assert canonicalise(once) == once


@given(VALUES, st.randoms(use_true_random=False), st.sampled_from([None, 0, 3, "\t"]))
def test_key_order_and_white_space_do_not_matter(value: Any, random: Any, indent: Any) -> None:
    """Shuffled keys, indentation and escapes give the same bytes."""
    shuffled = json.dumps(_shuffled(value, random), indent=indent, ensure_ascii=indent == 3)

    assert canonicalise(shuffled.encode()) == canonicalise(json.dumps(value).encode())


@given(VALUES)
def test_canonical_bytes_agree_with_a_naive_writer(value: Any) -> None:
    """The standard library, told to sort by UTF-16 and to write no white space, agrees."""
    naive = json.dumps(_sorted(value), separators=(",", ":"), ensure_ascii=False)

    assert canonicalise(json.dumps(value).encode()) == naive.encode()


@given(st.binary())
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """No input leaves parse by another error than its own."""
    try:
        value = parse(data)
    except BridgeError:
        return

    assert canonicalise(canonical(value)) == canonical(value)


@given(VALUES, st.data())
def test_one_changed_byte_is_read_or_refused(value: Any, data: st.DataObject) -> None:
    """A mutant of clean JSON never escapes as another error."""
    mutant = bytearray(json.dumps(value).encode())
    mutant[data.draw(st.integers(0, len(mutant) - 1))] = data.draw(st.integers(0, 255))

    try:
        canonicalise(bytes(mutant))
    except BridgeError:
        return


def _shuffled(value: Any, random: Any) -> Any:
    if isinstance(value, list):
        return [_shuffled(part, random) for part in value]
    if not isinstance(value, dict):
        return value
    members = [(key, _shuffled(part, random)) for key, part in value.items()]
    random.shuffle(members)
    return dict(members)


def _sorted(value: Any) -> Any:
    if isinstance(value, list):
        return [_sorted(part) for part in value]
    if not isinstance(value, dict):
        return value
    keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
    return {key: _sorted(value[key]) for key in keys}
