"""From message to receipt in any order of work, crash, restart, rollback, reorganisation, erasure.

What must hold after each step: leaves stand in the order in which they were promised, each once;
whatever was acknowledged has its leaf; no two signed heads contradict each other or the chain;
every receipt that was ever issued still verifies; and once a record's salts are gone, nothing that
is kept leads from its content to its leaf.
"""

import contextlib
import copy
import os

import pytest
from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bridge.core.errors import BridgeError
from bridge.core.ids import Digest, RecordId, sha256
from bridge.core.log.checkpoint import Checkpoint, VerifierKey, open_checkpoint
from bridge.core.log.merkle import verify_consistency
from bridge.core.log.tiles import prove_consistency
from bridge.core.proof.report import Verdict
from bridge.core.proof.trust import LogKey, Trust
from bridge.core.proof.verify import verify
from bridge.core.record.claims import RECORD_NAMES, SALT_SIZE, Claim, Kind, commitment, leaf
from bridge.flows.anchor import anchor
from bridge.flows.issue import issue
from bridge.flows.receive import Inbound, receive
from bridge.flows.sequence import sequence
from bridge.flows.watch import watch
from bridge.ports.evidence import SealedLeaf
from bridge.ports.intake import NewRecord
from bridge.ports.logbook import AnchoredHead
from tests.fakes.anchors import MemoryAnchors
from tests.fakes.chain import Crash, HostileChain
from tests.fakes.dialect import LineDialect, line
from tests.fakes.evidence import MemoryEvidence
from tests.fakes.highwater import MemoryHighWater
from tests.fakes.intake import MemoryIntake
from tests.fakes.logbook import MemoryLogBook
from tests.fakes.naive_tree import naive_root
from tests.fakes.signer import KnownSigner
from tests.fakes.sources import CountedEntropy, FixedClock

SIGNER = KnownSigner()
KEY = VerifierKey.parse(SIGNER.verifier_key)
TRUST = Trust(logs=(LogKey(origin=SIGNER.name, key=KEY),))
STEPS = 50
"""Rules of one run at most; a run has half of it, so that 20 are 500 steps and 400 are 10,000."""
NIGHTLY = os.environ.get("FHIR_ANCHOR_TEST_NIGHTLY") == "1"
RUNS = 400 if NIGHTLY or os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 20
FAILURES = st.sampled_from(["", "before-commit", "after-commit"])
PLACES = st.sampled_from(["assign", "write", "advance", "publish"])
WHENS = st.sampled_from(["before", "after"])


class Ledger(RuleBasedStateMachine):
    """A node, its senders, a hostile chain, and people who keep what they were given."""

    def __init__(self) -> None:
        """Nothing happened yet."""
        super().__init__()
        self.intake, self.book, self.anchors = MemoryIntake(), MemoryLogBook(), MemoryAnchors()
        self.chain, self.evidence = HostileChain(depth=3), MemoryEvidence()
        self.clock, self.entropy = FixedClock(), CountedEntropy()
        self.backup = copy.deepcopy(self.book)
        self.sent: list[bytes] = []
        self.promised: list[RecordId] = []
        self.acknowledged: dict[RecordId, bytes] = {}
        self.signed: dict[int, bytes] = {}
        self.last: Checkpoint | None = None
        self.issued: list[tuple[bytes, bytes]] = []
        self.erased: dict[RecordId, tuple[Digest, ...]] = {}

    @rule(count=st.integers(1, 4), failure=FAILURES)
    def ingest(self, count: int, failure: str) -> None:
        """New messages come; the commit may fail, or succeed without our knowing."""
        raws = [line(str(len(self.sent) + n), bundle='{"n":1}') for n in range(count)]
        self.sent += raws
        self._receive(raws, failure)

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), failure=FAILURES)
    def resend(self, data: st.DataObject, failure: str) -> None:
        """A sender that heard nothing sends again; one that heard, too."""
        self._receive([data.draw(st.sampled_from(self.sent))], failure)

    @rule(most=st.integers(1, 7))
    def sequence(self, most: int) -> None:
        """The sequencer runs to its end, or to the failure that was set."""
        with contextlib.suppress(BridgeError):
            self._sequence(most)

    @rule(place=PLACES, when=WHENS)
    def fail_at_a_step(self, place: str, when: str) -> None:
        """The next such step fails, before or after it persisted."""
        self.book.fail_at = (place, when)

    @rule()
    def restart(self) -> None:
        """Every process is new; the database is the same."""
        self.book.fail_at, self.book.locked, self.anchors.crash_at = None, False, None

    @rule()
    def take_a_backup(self) -> None:
        """Of the log, as a database dump would."""
        self.backup = copy.deepcopy(self.book)

    @precondition(lambda self: self.chain.head.size > len(self.backup.log))
    @rule()
    def restore_an_old_backup(self) -> None:
        """A log below what the chain holds signs nothing; then the newest copy comes back."""
        newest, self.book = self.book, copy.deepcopy(self.backup)
        self.book.fail_at, self.book.locked = None, False
        event("a backup below the chain was restored")
        with pytest.raises(BridgeError, match="older copy"):
            self._sequence(5)
        self.book = newest

    @rule(at=st.integers(0, 3), persists=st.booleans())
    def crash_while_anchoring(self, *, at: int, persists: bool) -> None:
        """A coming write of the anchor book is the last one of its process."""
        self.anchors.crash_at, self.anchors.crash_persists = at, persists

    @rule(seconds=st.sampled_from([0, 31]))
    def anchor(self, seconds: int) -> None:
        """Workers bring the newest head to the chain and watch it."""
        self.clock.advance(seconds)
        with contextlib.suppress(Crash, BridgeError):
            anchor(book=self.book, anchors=self.anchors, chain=self.chain, clock=self.clock)
            watch(anchors=self.anchors, chain=self.chain, clock=self.clock)

    @rule(count=st.integers(1, 4))
    def mine(self, count: int) -> None:
        """Blocks come."""
        self.chain.mine(count)

    @rule(count=st.integers(1, 3))
    def a_quiet_hour(self, count: int) -> None:
        """Messages come, are signed and reach the chain, and nothing goes wrong."""
        self.ingest(count=count, failure="")
        self.restart()
        self._sequence(100)
        for _ in range(2):
            self.anchor(seconds=31)
            self.mine(count=4)

    @rule(depth=st.integers(1, 6), keep=st.booleans())
    def reorg(self, *, depth: int, keep: bool) -> None:
        """Blocks go, final ones too."""
        self.chain.reorg(min(depth, len(self.chain.blocks) - 1), keep=keep)

    @precondition(lambda self: self.acknowledged)
    @rule(data=st.data())
    def issue(self, data: st.DataObject) -> None:
        """Somebody fetches a receipt, if the record is under a checkpoint, and keeps it."""
        record = data.draw(st.sampled_from(sorted(self.acknowledged)))
        with contextlib.suppress(BridgeError):
            receipt = issue(record, evidence=self.evidence, book=self.book)
            self.issued.append((receipt, self.acknowledged[record]))
            event("a receipt was issued")

    @precondition(lambda self: self.acknowledged)
    @rule(data=st.data())
    def erase(self, data: st.DataObject) -> None:
        """A record's salts die; whoever kept a receipt of it holds the only way to its leaf."""
        record = data.draw(st.sampled_from(sorted(self.acknowledged)))
        sealed = self.evidence.records.pop(record)
        self.erased[record] = tuple(one.value for one in sealed.claims)
        del self.acknowledged[record]
        event("a record was erased")

    @invariant()
    def erased_records_are_noise(self) -> None:
        """No receipt is made of them, and their content under every salt left is another leaf."""
        leaves = dict((*self.book.log, *self.book.pending))
        salts = [one.salt for sealed in self.evidence.records.values() for one in sealed.claims[:1]]
        for record, values in list(self.erased.items())[-2:]:
            with pytest.raises(BridgeError, match="nothing is stored"):
                issue(record, evidence=self.evidence, book=self.book)
            for salt in (bytes(SALT_SIZE), *salts[-3:]):
                claims = {
                    name: Claim(name=name, salt=salt, value=value).digest()
                    for name, value in zip(RECORD_NAMES, values, strict=True)
                }
                assert leaf(Kind.RECORD, commitment(claims)) != leaves[record]

    @invariant()
    def leaves_stand_in_order_and_once(self) -> None:
        """Indices are contiguous, nothing is lost, doubled or overtaken."""
        subjects = [name for name, _ in (*self.book.log, *self.book.pending)]

        assert subjects == self.promised
        assert set(self.acknowledged) <= set(subjects)

    @invariant()
    def signed_heads_agree(self) -> None:
        """Every checkpoint that anybody ever saw is the naive tree's, and each extends the last."""
        leaves = [leaf for _, leaf in self.book.log]
        for size, published in sorted(self.book.checkpoints.items()):
            if size in self.signed:
                assert self.signed[size] == published.note
                continue
            self.signed[size] = published.note
            head = open_checkpoint(published.note, [KEY], SIGNER.name)
            assert head.root == naive_root(leaves[: head.size])
            if self.last is not None:
                path = prove_consistency(self.last.size, head.size, self.book.tiles)
                verify_consistency(self.last.size, head.size, self.last.root, head.root, path)
            self.last = head

    @invariant()
    def chain_holds_a_head_of_this_log(self) -> None:
        """Whatever was reorganised."""
        head = self.chain.head

        assert head.sequence == 0 or head.root == self.book.root_at(head.size)

    @invariant()
    def every_receipt_verifies(self) -> None:
        """For ever: the newest ones at each step, all of them at the end."""
        for receipt, document in self.issued[-3:]:
            _assert_verifies(receipt, document)

    def teardown(self) -> None:
        """When the world calms down all that was acknowledged is proved and final."""
        self.restart()
        self.chain.crash_on = ""
        while self._sequence(100) is not None:
            pass
        for _ in range(12):
            self.clock.advance(31)
            anchor(book=self.book, anchors=self.anchors, chain=self.chain, clock=self.clock)
            self.chain.mine(4)
            watch(anchors=self.anchors, chain=self.chain, clock=self.clock)
        newest = self.book.newest()
        assert newest is None or self.chain.head.size == newest.size == len(self.promised)
        for record, document in self.acknowledged.items():
            self.issued.append((issue(record, evidence=self.evidence, book=self.book), document))
        for receipt, document in self.issued:
            _assert_verifies(receipt, document)

    def _receive(self, raws: list[bytes], failure: str) -> None:
        self.intake.fail_at = failure  # type: ignore[assignment]
        before = len(self.intake.records)
        try:
            received = receive(
                [Inbound(raw=raw, feed="f", number=n) for n, raw in enumerate(raws)],
                dialect=LineDialect(),
                intake=self.intake,
                clock=self.clock,
                entropy=self.entropy,
            )
        except BridgeError:
            received = ()
        # The leaf is promised in the record's own transaction.
        for row in self.intake.records[before:]:
            self.book.promise(row.id, row.leaf)
            self.promised.append(row.id)
            self.evidence.records[row.id] = _sealed(row)
        self.acknowledged |= {
            one.record: raw
            for one, raw in zip(received, raws, strict=False)
            if one.record not in self.erased
        }

    def _sequence(self, most: int) -> object:
        head = self.chain.head
        return sequence(
            book=self.book,
            signer=SIGNER,
            clock=self.clock,
            origin=SIGNER.name,
            max_leaves=most,
            high_water=MemoryHighWater(asked=lambda: AnchoredHead(size=head.size, root=head.root)),
        )


def _sealed(row: NewRecord) -> SealedLeaf:
    values = (
        sha256(row.bundle.canonical),
        sha256(row.header),
        row.bundle.mapping,
        row.bundle.source,
    )
    claims = tuple(
        Claim(name=name, salt=row.salts[n * SALT_SIZE : (n + 1) * SALT_SIZE], value=value)
        for n, (name, value) in enumerate(zip(RECORD_NAMES, values, strict=True))
    )
    return SealedLeaf(subject=row.id, kind=Kind.RECORD, claims=claims)


def _assert_verifies(receipt: bytes, document: bytes) -> None:
    report = verify(receipt, document, trust=TRUST)
    assert (report.verdict, report.failed) == (Verdict.UNCHANGED, ()), report


Ledger.TestCase.settings = settings(max_examples=RUNS, stateful_step_count=STEPS)
TestLedger = pytest.mark.timeout(60 + 5 * RUNS)(Ledger.TestCase)
