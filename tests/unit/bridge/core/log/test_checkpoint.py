"""Checkpoints: one spelling, one log."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.errors import BridgeError
from bridge.core.ids import Digest, TreeSize
from bridge.core.log.checkpoint import (
    Checkpoint,
    SignedNote,
    SigningKey,
    open_checkpoint,
    parse_checkpoint,
)
from bridge.core.log.merkle import EMPTY_ROOT

KEY = SigningKey(name="log.example/a", seed=bytes(range(32)))
LINES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)
HEAD = Checkpoint(origin="log.example/a", size=TreeSize(7), root=Digest(b"\x11" * 32))


@given(LINES, st.integers(1, 2**64 - 1), st.binary(min_size=32, max_size=32), st.lists(LINES))
def test_checkpoint_round_trip(origin: str, size: int, root: bytes, extensions: list[str]) -> None:
    """Every head reads back as it was written."""
    head = Checkpoint(
        origin=origin, size=TreeSize(size), root=Digest(root), extensions=tuple(extensions)
    )

    assert parse_checkpoint(head.encode()) == head


@pytest.mark.parametrize(
    ("origin", "size", "root", "extensions", "message"),
    [
        ("", 1, b"\x11" * 32, (), "a line is empty or has a control character"),
        ("a\nb", 1, b"\x11" * 32, (), "a line is empty or has a control character"),
        ("a", 1, b"\x11" * 32, ("",), "a line is empty or has a control character"),
        ("a", -1, b"\x11" * 32, (), "not between 0 and"),
        ("a", 2**64, b"\x11" * 32, (), "not between 0 and"),
        ("a", 1, b"\x11" * 31, (), "the root hash has 31 bytes, expected 32"),
        ("a", 0, b"\x11" * 32, (), "the tree is empty but the root is not"),
    ],
)
def test_wrong_head_cannot_be_made(
    origin: str, size: int, root: bytes, extensions: tuple[str, ...], message: str
) -> None:
    """What would not read back is refused when it is made."""
    with pytest.raises(BridgeError, match=rf"{message}.* \(checkpoint\) - take the checkpoint"):
        Checkpoint(origin=origin, size=TreeSize(size), root=Digest(root), extensions=extensions)


def test_empty_log_has_its_checkpoint() -> None:
    """Size 0 goes with the root of the empty tree."""
    head = Checkpoint(origin="a", size=TreeSize(0), root=EMPTY_ROOT)

    assert head.encode() == b"a\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"


def test_signed_checkpoint_opens_for_its_log() -> None:
    """Signature and origin both have to fit."""
    note = SignedNote(text=HEAD.encode(), signatures=(KEY.sign(HEAD.encode()),)).encode()

    assert open_checkpoint(note, [KEY.verifier], "log.example/a") == HEAD
    with pytest.raises(BridgeError, match=r"is of log 'log.example/a', expected 'log.example/b'"):
        open_checkpoint(note, [KEY.verifier], "log.example/b")


def test_body_that_is_not_utf8_is_refused() -> None:
    """Bytes that are no text are refused like any other malformed body."""
    with pytest.raises(BridgeError, match="not UTF-8"):
        parse_checkpoint(b"\xff\n1\n\n")
