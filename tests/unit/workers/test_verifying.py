"""Receipts of strangers: what each makes this node ask is bounded; what is known is not asked."""

import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest
from bridge.core.proof.endpoints import LiveHead
from bridge.core.proof.report import Level, Report, Verdict
from bridge.core.proof.trust import NO_TRUST
from bridge.core.proof.trust_file import parse_trust
from bridge.settings import load
from tests.fakes import sealed
from tests.fakes.endpoint import FakeEndpoint, honest
from tests.fakes.sealed import DOCUMENT, World, dumped
from workers.verifying import FRESH_S, QUESTIONS, SECONDS, SLOTS, Verifying, verifying

WORLD = World()
TRUST = parse_trust(sealed.trust_text())
RECORD = WORLD.record_receipt()
ROOT = sealed.tree_root(WORLD.leaves[: WORLD.anchored])


@dataclass
class _Counting:
    """An endpoint that counts what it is asked; something may happen at each question."""

    fake: FakeEndpoint
    asked: Counter[str] = field(default_factory=Counter)
    at_each: Callable[[], None] = lambda: None

    @property
    def name(self) -> str:
        return self.fake.name

    def _count(self, what: str) -> None:
        self.asked[what] += 1
        self.at_each()

    def chain(self) -> str:
        self._count("chain")
        return self.fake.chain()

    def block_hash(self, number: int) -> Digest | None:
        self._count("block")
        return self.fake.block_hash(number)

    def height(self) -> int:
        self._count("height")
        return self.fake.height()

    def finalized(self) -> int:
        self._count("finalized")
        return self.fake.finalized()

    def code_hash(self, address: bytes) -> Digest:
        self._count("code")
        return self.fake.code_hash(address)

    def head(self, address: bytes, log_id: bytes) -> LiveHead:
        self._count("head")
        return self.fake.head(address, log_id)


class _Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


def _many(count: int) -> bytes:
    """A receipt with anchors in as many blocks, each sound by itself."""
    anchors = [sealed.block(WORLD.anchored, ROOT, number=42 + n) for n in range(count)]
    return dumped(RECORD | {"anchors": anchors})


def _said(report: Report) -> str:
    return " | ".join(check.detail for check in report.checks)


def test_same_receipt_again_asks_nothing() -> None:
    """A moment later all is known; later only what may have changed, and never a final block."""
    endpoint, clock = _Counting(honest(WORLD)), _Clock()
    verifier = Verifying(lambda: TRUST, [endpoint], now=clock)

    reports = [verifier(dumped(RECORD), DOCUMENT) for _ in range(3)]
    first = Counter(endpoint.asked)
    for _ in range(5):
        clock.pass_by(FRESH_S)
        reports.append(verifier(dumped(RECORD), DOCUMENT))

    assert {(one.verdict, one.level) for one in reports} == {(Verdict.UNCHANGED, Level.ANCHORED)}
    assert first == {"chain": 1, "block": 1, "code": 1, "head": 1, "finalized": 1}
    assert endpoint.asked == {"chain": 1, "block": 2, "code": 1, "head": 6, "finalized": 6}


def test_block_that_was_replaced_before_it_was_final_is_asked_again() -> None:
    """An answer of before finality is good for a moment only."""
    endpoint, clock = _Counting(replace(honest(WORLD), final=41)), _Clock()
    verifier = Verifying(lambda: TRUST, [endpoint], now=clock)
    early = verifier(dumped(RECORD), DOCUMENT)

    endpoint.fake = replace(honest(WORLD), block=Digest(b"\5" * 32), final=90)
    clock.pass_by(FRESH_S)
    late = verifier(dumped(RECORD), DOCUMENT)

    assert (early.verdict, early.level) == (Verdict.UNCHANGED, Level.SIGNED)
    assert late.verdict is Verdict.CANNOT_SAY
    assert "has another block 42" in _said(late)


def test_dead_endpoint_is_tried_once_a_receipt() -> None:
    """Each try may take seconds: 32 anchors make no 32 of them."""
    endpoint = _Counting(replace(honest(WORLD), down=True))

    report = Verifying(lambda: TRUST, [endpoint], now=_Clock())(_many(32), DOCUMENT)

    assert endpoint.asked == {"chain": 1}
    assert (report.verdict, report.level) == (Verdict.UNCHANGED, Level.SIGNED)


def test_receipt_of_many_anchors_asks_a_bounded_number_of_questions() -> None:
    """What is not asked is open, and said to be."""
    endpoints = [_Counting(honest(WORLD, name=f"node-{n}")) for n in range(3)]

    report = Verifying(lambda: TRUST, endpoints, now=_Clock())(_many(32), DOCUMENT)

    assert sum(sum(one.asked.values()) for one in endpoints) == QUESTIONS
    assert "this node asks no more for one receipt" in _said(report)


def test_slow_endpoints_hold_a_receipt_for_a_bounded_time() -> None:
    """After that nothing more is asked."""
    clock = _Clock()
    endpoint = _Counting(honest(WORLD), at_each=lambda: clock.pass_by(3))

    report = Verifying(lambda: TRUST, [endpoint], now=clock)(_many(32), DOCUMENT)

    assert clock.now <= 100 + SECONDS + 3
    assert (report.verdict, report.existed_by) == (Verdict.UNCHANGED, None)


def test_one_too_many_at_once_is_told_to_come_again() -> None:
    """Those that wait for a slow endpoint leave the threads of all other requests alone."""
    held, inside = threading.Event(), threading.Semaphore(0)

    def hold() -> None:
        inside.release()
        held.wait(30)

    verifier = Verifying(lambda: TRUST, [_Counting(honest(WORLD), at_each=hold)])
    threads = [
        threading.Thread(target=verifier, args=(dumped(RECORD), DOCUMENT)) for _ in range(SLOTS)
    ]
    for one in threads:
        one.start()
    for _ in threads:
        assert inside.acquire(timeout=30)

    with pytest.raises(BridgeError, match=r"receipts are being verified") as refusal:
        verifier(dumped(RECORD), DOCUMENT)
    held.set()
    for one in threads:
        one.join()

    assert (refusal.value.code, refusal.value.fault) == ("verify-busy", Fault.PEER)
    assert verifier(dumped(RECORD), DOCUMENT).verdict is Verdict.UNCHANGED


def test_node_believes_its_own_trust_file_as_it_is_now(tmp_path: Path) -> None:
    """None before the first anchor; a rotation is followed without a restart."""
    settings = load(environment={}, overrides={"data": tmp_path, "chain.rpc": []})
    verifier = verifying(settings)
    before = verifier(dumped(RECORD), DOCUMENT)
    value: Any = json.loads(sealed.trust_text())

    (tmp_path / "trust.toml").write_bytes(json.dumps(value).encode())
    after = verifier(dumped(RECORD), DOCUMENT)

    assert NO_TRUST.logs == ()
    assert (before.verdict, after.verdict) == (Verdict.CANNOT_SAY, Verdict.UNCHANGED)
