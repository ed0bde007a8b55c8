"""Heads in calldata: the form is exact, and the data of every type of transaction is found."""

import pytest
import rlp

from bridge.core.errors import BridgeError
from bridge.core.ids import Digest, TreeSize, sha256
from bridge.core.proof.anchors import CalldataAnchor, parse_anchor
from bridge.core.proof.calldata import (
    PostedHead,
    check_calldata,
    encode_posted,
    parse_posted,
    transaction_data,
)
from bridge.core.proof.endpoints import LiveHead
from bridge.core.proof.report import AnchorOutcome
from bridge.core.proof.trust import NO_TRUST, Trust
from bridge.core.proof.trust_file import parse_trust
from tests.fakes import sealed
from tests.fakes.endpoint import honest

HEAD = PostedHead(
    origin_hash=sha256(b"log"), previous=Digest(bytes(32)), size=TreeSize(7), root=sha256(b"root")
)
WORLD = sealed.World()
ROOT = sealed.tree_root(WORLD.leaves[: WORLD.anchored])
TRUST = parse_trust(sealed.trust_text())


def test_head_comes_back_from_its_bytes() -> None:
    """125 bytes, and their inverse."""
    data = encode_posted(HEAD)

    assert len(data) == 125
    assert parse_posted(data) == HEAD


@pytest.mark.parametrize("change", [b"", b"x", slice(1, None), slice(0, 124)])
def test_other_bytes_are_no_head(change: bytes | slice) -> None:
    """Nothing before, nothing after, nothing less."""
    data = encode_posted(HEAD)
    other = data[change] if isinstance(change, slice) else data + change + b"\0"

    with pytest.raises(BridgeError, match="not 125 bytes of form fhir-anchor/anchor/1"):
        parse_posted(other)


@pytest.mark.parametrize(
    ("kind", "before", "after"), [(0, 5, 3), (1, 6, 4), (2, 7, 4), (3, 7, 6), (4, 7, 5)]
)
def test_data_is_found_in_every_type_of_transaction(kind: int, before: int, after: int) -> None:
    """Legacy, EIP-2930, 1559, 4844, 7702; a field more or less is no transaction."""
    prefix = bytes([kind]) if kind else b""
    fields = [b"\1"] * before + [b"data"] + [b"\2"] * after

    assert transaction_data(prefix + rlp.encode(fields)) == b"data"
    for wrong in (fields[1:], [*fields, b"\3"]):
        with pytest.raises(BridgeError, match="a transaction of its type has"):
            transaction_data(prefix + rlp.encode(wrong))


@pytest.mark.parametrize("raw", [b"", b"\0", b"\x05\xc0", b"\x7e\xc0", b"\x02", b"\x02\x80"])
def test_no_transaction_is_refused(raw: bytes) -> None:
    """Other types and other forms; never a traceback."""
    with pytest.raises(BridgeError):
        transaction_data(raw)


def _checked(trust: Trust, *readers: object, origin: str = sealed.ORIGIN) -> AnchorOutcome:
    anchor = parse_anchor(sealed.posted(WORLD.anchored, ROOT), "anchors[0]")
    assert isinstance(anchor, CalldataAnchor)
    heads = [LiveHead(size=WORLD.anchored, root=Digest(ROOT))]
    return check_calldata(
        anchor,
        origin=origin,
        heads=heads,
        trust=trust,
        readers=tuple(readers),  # type: ignore[arg-type]
    )


def test_pinned_chain_dates_the_head_at_its_level() -> None:
    """Evidence, then the endpoints."""
    outcome = _checked(TRUST, honest(WORLD))

    assert [check.ok for check in outcome.checks] == [True, True]
    assert (outcome.time, outcome.independent) == (sealed.TIME, True)


def test_chain_that_is_not_pinned_raises_no_level() -> None:
    """Without endpoints it stays open; with one that the verifier names it dates."""
    closed, named = _checked(NO_TRUST), _checked(NO_TRUST, honest(WORLD))

    assert ([check.ok for check in closed.checks], closed.time) == ([None], None)
    assert (named.time, named.independent) == (sealed.TIME, False)


def test_head_of_another_log_is_refused() -> None:
    """The origin is in the data: one log's root dates no other log."""
    outcome = _checked(TRUST, honest(WORLD), origin="log.example/other")

    assert [check.ok for check in outcome.checks] == [False]
    assert "the head is of another log" in outcome.checks[0].detail


def test_block_that_is_not_canonical_is_a_no() -> None:
    """The endpoint knows another block at that height."""
    reader = honest(WORLD)
    reader.block = Digest(b"\x99" * 32)

    outcome = _checked(TRUST, reader)

    assert [check.ok for check in outcome.checks] == [True, False]
    assert outcome.time is None
