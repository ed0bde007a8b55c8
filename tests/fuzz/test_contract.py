"""CheckpointAnchor against a model of twenty lines, in any order of calls by anybody.

Each step is a transaction or a call. The contract must do what the model does, refuse with the
reason that the model gives, and then show the model's state. Two logs stand side by side: what is
done to one never shows in the other.
"""

import itertools
import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.anvil import Anvil
from tests.fakes.naive_tree import naive_path, naive_root
from tests.integration.chain.anvil_ledger import AnvilLedger
from tests.integration.chain.ledger import Ledger, Reverted

ZERO, NOBODY = bytes(32), "0x" + "00" * 20
HEAD = "(bytes32,uint64,uint64,uint64,uint64)"
REGISTRATION = "((address,address,bytes32,bytes32,address,bytes32),address)"
RUNS = 300 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 3
ACCOUNTS, LOGS = st.integers(0, 2), st.integers(0, 1)
PEOPLE = st.integers(-1, 2)
"""-1 is nobody: the zero address."""
WORDS = st.sampled_from([ZERO, b"\1" * 32, b"\xff" * 32])
TOP = (1 << 64) - 1
"""The largest size that a uint64 names."""
NUMBERS = itertools.count(1)


@dataclass
class Model:
    """What the contract keeps of one log; addresses in lower case."""

    owner: str
    anchorer: str
    origin: bytes
    key: bytes
    pending: str = NOBODY
    successor: str = NOBODY
    successor_log: bytes = ZERO
    root: bytes = ZERO
    size: int = 0
    sequence: int = 0
    leaves: list[bytes] = field(default_factory=list)
    """Of the tree under the head; empty when its root is junk."""


class Contract(RuleBasedStateMachine):
    """Three accounts, of which each may call anything at any time."""

    def __init__(self, ledger: Ledger | AnvilLedger) -> None:
        """Two log ids that nobody has."""
        super().__init__()
        self.ledger = ledger
        self.ids = [next(NUMBERS).to_bytes(32) for _ in range(2)]
        self.logs: dict[int, Model] = {}

    @rule(log=LOGS, sender=ACCOUNTS, anchorer=PEOPLE, origin=WORDS, key=WORDS)
    def register(self, log: int, sender: int, anchorer: int, origin: bytes, key: bytes) -> None:
        """Once and for ever."""
        reason = "logId is taken" if log in self.logs else ""
        signature, person = "register(bytes32,bytes32,bytes32,address)", self._person(anchorer)
        if self._sent(log, signature, origin, key, person, sender=sender, reason=reason):
            self.logs[log] = Model(
                owner=self._person(sender), anchorer=person, origin=origin, key=key
            )

    @rule(sender=ACCOUNTS)
    def register_zero(self, sender: int) -> None:
        """Zero is no id."""
        with pytest.raises(Reverted, match="logId is zero"):
            self.ledger.send(
                "register(bytes32,bytes32,bytes32,address)", ZERO, ZERO, ZERO, NOBODY, sender=sender
            )

    @rule(
        log=LOGS,
        sender=ACCOUNTS,
        more=st.integers(-1, 6),
        prev=st.sampled_from(["head", "head", "head", "zero", "junk"]),
        root=st.sampled_from(["tree", "tree", "tree", "junk", "zero"]),
    )
    def anchor(self, log: int, sender: int, more: int, prev: str, root: str) -> None:
        """The anchorer alone, from the head alone, forward alone."""
        model = self._model(log)
        size = min(max(0, model.size + more), TOP)
        whole = root == "tree" and 0 < size < TOP - 1  # beside the largest no tree is built
        leaves = [f"{log} {n}".encode() for n in range(size)] if whole else []
        new = naive_root(leaves) if leaves else ZERO if root == "zero" else b"\x66" * 32
        before = {"head": model.root, "zero": ZERO, "junk": b"\x55" * 32}[prev]
        reason = ""
        if self._person(sender) != model.anchorer:
            reason = "not the anchorer"
        elif before != model.root:
            reason = "prevRoot is not the head"
        elif size <= model.size:
            reason = "size must grow"
        elif new == ZERO:
            reason = "root is zero"
        signature = "anchor(bytes32,bytes32,uint64,bytes32)"
        if self._sent(log, signature, before, size, new, sender=sender, reason=reason):
            model.root, model.size, model.leaves = new, size, leaves
            model.sequence += 1

    @rule(log=LOGS, sender=ACCOUNTS)
    def anchor_the_largest(self, log: int, sender: int) -> None:
        """A junk size of 2^64 - 1 fits, and nothing after it."""
        model = self._model(log)
        reason = ""
        if self._person(sender) != model.anchorer:
            reason = "not the anchorer"
        elif model.size == TOP:
            reason = "size must grow"
        signature = "anchor(bytes32,bytes32,uint64,bytes32)"
        if self._sent(log, signature, model.root, TOP, b"\x77" * 32, sender=sender, reason=reason):
            model.root, model.size, model.leaves = b"\x77" * 32, TOP, []
            model.sequence += 1

    @rule(log=LOGS, sender=ACCOUNTS, person=PEOPLE)
    def set_anchorer(self, log: int, sender: int, person: int) -> None:
        """The owner of a log that was not closed."""
        model, reason = self._model(log), self._unless_owner(log, sender, active=True)
        named = self._person(person)
        if self._sent(log, "setAnchorer(bytes32,address)", named, sender=sender, reason=reason):
            model.anchorer = named

    @rule(log=LOGS, sender=ACCOUNTS, key=WORDS)
    def change_key(self, log: int, sender: int, key: bytes) -> None:
        """The owner of a log that was not closed."""
        model, reason = self._model(log), self._unless_owner(log, sender, active=True)
        if self._sent(log, "changeKey(bytes32,bytes32)", key, sender=sender, reason=reason):
            model.key = key

    @rule(log=LOGS, sender=ACCOUNTS, person=PEOPLE)
    def propose_owner(self, log: int, sender: int, person: int) -> None:
        """The owner, of a closed log too."""
        model, reason = self._model(log), self._unless_owner(log, sender, active=False)
        named = self._person(person)
        if self._sent(log, "proposeOwner(bytes32,address)", named, sender=sender, reason=reason):
            model.pending = named

    @rule(log=LOGS, sender=ACCOUNTS)
    def accept_owner(self, log: int, sender: int) -> None:
        """Whoever it was offered to, once."""
        model, person = self._model(log), self._person(sender)
        reason = "" if person == model.pending else "not the proposed owner"
        if self._sent(log, "acceptOwner(bytes32)", sender=sender, reason=reason):
            model.owner, model.pending = person, NOBODY

    @rule(log=LOGS, sender=ACCOUNTS, person=PEOPLE, word=WORDS)
    def retire(self, log: int, sender: int, person: int, word: bytes) -> None:
        """For ever; the head stays."""
        model, reason = self._model(log), self._unless_owner(log, sender, active=True)
        named = self._person(person)
        if not reason and named == NOBODY:
            reason = "successor is zero"
        signature = "retire(bytes32,address,bytes32)"
        if self._sent(log, signature, named, word, sender=sender, reason=reason):
            model.successor, model.successor_log, model.anchorer = named, word, NOBODY

    @rule(log=LOGS, index=st.integers(0, 40), lie=st.sampled_from(["", "", "leaf", "long", "cut"]))
    def verify_inclusion(self, log: int, index: int, lie: str) -> None:
        """Every leaf of the tree under the head, and nothing else."""
        model = self._model(log)
        within = index < len(model.leaves)
        leaf = model.leaves[index] if within else b"leaf"
        path = naive_path(index, model.leaves) if within else [b"\x44" * 32] * 3
        path = {"long": [*path, ZERO], "cut": path[:-1]}.get(lie, path)
        leaf = leaf + b"?" if lie == "leaf" else leaf
        signature = "verifyInclusion(bytes32,bytes,uint64,bytes32[])"
        if within and (not lie or (lie == "cut" and model.size == 1)):
            proved = self.ledger.call(signature, self.ids[log], leaf, index, path, returns="uint64")
            assert proved == model.size
            return
        reason = None if index < model.size else "index is not below size"
        with pytest.raises(Reverted, match=reason):
            self.ledger.call(signature, self.ids[log], leaf, index, path, returns="uint64")

    @invariant()
    def shows_what_the_model_keeps(self) -> None:
        """Both logs, whole."""
        for log, log_id in enumerate(self.ids):
            model = self._model(log)
            root, size, sequence, _, _ = self.ledger.call("head(bytes32)", log_id, returns=HEAD)
            assert (root, size, sequence) == (model.root, model.size, model.sequence)
            (owner, pending, origin, key, successor, successor_log), anchorer = self.ledger.call(
                "registration(bytes32)", log_id, returns=REGISTRATION
            )
            assert (owner, pending, successor, anchorer) == (
                model.owner,
                model.pending,
                model.successor,
                model.anchorer,
            )
            assert (origin, key, successor_log) == (model.origin, model.key, model.successor_log)

    def _model(self, log: int) -> Model:
        """Of a log that nobody registered: all zero, and kept nowhere."""
        return self.logs.get(log) or Model(owner=NOBODY, anchorer=NOBODY, origin=ZERO, key=ZERO)

    def _person(self, number: int) -> str:
        return NOBODY if number < 0 else self.ledger.address(number).lower()

    def _unless_owner(self, log: int, sender: int, *, active: bool) -> str:
        model = self._model(log)
        if self._person(sender) != model.owner:
            return "not the owner"
        return "log is retired" if active and model.successor != NOBODY else ""

    def _sent(self, log: int, signature: str, *values: object, sender: int, reason: str) -> bool:
        """Whether it was taken; it must be refused exactly when there is a reason."""
        if not reason:
            self.ledger.send(signature, self.ids[log], *values, sender=sender)
            return True
        with pytest.raises(Reverted, match=reason):
            self.ledger.send(signature, self.ids[log], *values, sender=sender)
        return False


def test_contract_does_what_the_model_does_on_py_evm(tmp_path: Path) -> None:
    """One contract for all runs: each takes log ids of its own."""
    ledger = Ledger(tmp_path)
    try:
        run_state_machine_as_test(
            lambda: Contract(ledger),  # type: ignore[arg-type]  # it takes whatever makes one
            settings=settings(max_examples=RUNS, stateful_step_count=40),
        )
    finally:
        ledger.chain.close()


def test_contract_does_what_the_model_does_on_anvil(anvil: Anvil) -> None:
    """A few dozen steps on an EVM that others wrote."""
    ledger = AnvilLedger(anvil)

    run_state_machine_as_test(
        lambda: Contract(ledger),  # type: ignore[arg-type]  # as above
        settings=settings(max_examples=2, stateful_step_count=40),
    )
