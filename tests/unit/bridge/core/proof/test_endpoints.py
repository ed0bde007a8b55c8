"""Counting endpoints: k of m, and every liar is outvoted and named."""

import pytest

from bridge.core.ids import Digest
from bridge.core.proof.endpoints import Finding, Keeper, LiveHead, Question, ask_all
from tests.fakes import sealed
from tests.fakes.endpoint import FakeEndpoint, honest

WORLD = sealed.World()
ROOT = Digest(sealed.tree_root(WORLD.leaves[:11]))
GOOD = honest(WORLD)


def _question(needed: int = 1, finality: str = "finalized") -> Question:
    assert GOOD.block is not None
    return Question(
        chain=sealed.CHAIN,
        number=42,
        block=GOOD.block,
        finality=finality,
        needed=needed,
        keeper=Keeper(
            address=sealed.ADDRESS,
            code_hash=GOOD.code_hash(sealed.ADDRESS),
            log_id=sealed.LOG_ID,
            size=11,
            heads=(LiveHead(size=11, root=ROOT),),
        ),
    )


def _ask(*readers: FakeEndpoint, needed: int = 1, finality: str = "finalized") -> Finding:
    return ask_all(_question(needed, finality), readers)


def _liar(**lie: object) -> FakeEndpoint:
    reader = honest(WORLD, name="liar")
    for name, value in lie.items():
        setattr(reader, name, value)
    return reader


def test_enough_endpoints_confirm() -> None:
    """Two of two that agree are enough when two are needed."""
    found = _ask(honest(WORLD), honest(WORLD, name="node-b"), needed=2)

    assert found == Finding(
        ok=True, detail="2 of 2 endpoints confirm block 42 as final (2 are needed)"
    )


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        pytest.param({"block": Digest(b"\1" * 32)}, "liar has another block 42", id="other-block"),
        pytest.param({"code": b"\0"}, "liar shows other code", id="other-code"),
        pytest.param(
            {"live": LiveHead(size=3, root=ROOT)},
            "liar shows a log of 3 leaves, less than the 11 anchored",
            id="rolled-back",
        ),
        pytest.param(
            {"live": LiveHead(size=11, root=Digest(b"\1" * 32))},
            "the log shows two histories, keep both",
            id="two-histories",
        ),
        pytest.param({"serves": "eip155:1"}, "liar serves another chain, eip155:1", id="chain"),
        pytest.param({"block": None}, "liar does not have block 42", id="pruned"),
        pytest.param({"down": True}, "liar gave no usable answer", id="down"),
        pytest.param({"final": 41}, "liar does not hold block 42 final yet", id="not-final"),
    ],
)
def test_one_lying_endpoint_is_outvoted_and_named(lie: dict[str, object], words: str) -> None:
    """Two honest endpoints of three carry the answer, and the report names the third."""
    found = _ask(honest(WORLD), _liar(**lie), honest(WORLD, name="node-b"), needed=2)

    assert found.ok is True
    assert words in found.detail


@pytest.mark.parametrize(
    ("lie", "ok"),
    [
        pytest.param({"block": Digest(b"\1" * 32)}, False, id="other-block"),
        pytest.param({"code": b"\0"}, False, id="other-code"),
        pytest.param({"down": True}, None, id="down"),
        pytest.param({"final": 41}, None, id="not-final"),
        pytest.param({"serves": "eip155:1"}, None, id="other-chain"),
    ],
)
def test_a_lone_endpoint_is_never_taken_for_a_yes(
    lie: dict[str, object], *, ok: bool | None
) -> None:
    """Contradiction says no; silence, another chain or no finality leaves the answer open."""
    assert _ask(_liar(**lie)).ok is ok


def test_a_tie_leaves_the_answer_open() -> None:
    """One yes against one no proves nothing either way."""
    assert _ask(honest(WORLD), _liar(code=b"\0")).ok is None


def test_too_few_endpoints_leave_the_answer_open() -> None:
    """One yes is not two."""
    assert _ask(honest(WORLD), needed=2).ok is None


def test_nobody_asked() -> None:
    """Without endpoints the report says what to do."""
    assert _ask() == Finding(
        ok=None, detail="no endpoint of the chain was asked; name some with --rpc"
    )


@pytest.mark.parametrize(
    ("finality", "ok"),
    [("instant", True), ("depth-58", True), ("depth-59", None), ("finalized", True)],
)
def test_finality_goes_by_the_trust_file(finality: str, *, ok: bool | None) -> None:
    """Block 42 under a newest block 100 is 58 deep."""
    assert _ask(honest(WORLD), finality=finality).ok is ok
