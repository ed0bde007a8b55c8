"""`POST /verify`: receipts of strangers, checked with what this node believes and by its chain.

Nobody logged in to send them, and each can name 32 anchors: so what one makes this node ask is
bounded in number and in time, what was answered a moment ago is not asked again, what was final is
never asked again, and few are verified at once, so that slow endpoints take no thread from others.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from bridge.cli.rpc import readers_of
from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest
from bridge.core.proof.endpoints import HeadReader, LiveHead
from bridge.core.proof.report import Report
from bridge.core.proof.trust import NO_TRUST, Trust
from bridge.core.proof.trust_file import parse_trust
from bridge.core.proof.verify import verify
from bridge.settings import Settings
from workers.places import TRUST_FILE

__all__ = ["Verifying", "verifying"]

T = TypeVar("T")

SLOTS: Final = 8
"""Verified at once, of the 40 threads that all requests share; one takes milliseconds."""
QUESTIONS: Final = 60
"""Of one receipt: five to each of three endpoints for its first anchor, two or three for each of a
dozen more."""
SECONDS: Final = 10.0
"""After which nothing more is asked for a receipt; a question under way ends within `TIMEOUT_S`."""
TIMEOUT_S: Final = 3.0
FRESH_S: Final = 2.0
"""How long an answer about the newest blocks is good, and a failure to answer."""
STEADY_S: Final = 60.0
"""How long the chain's id and a contract's code are."""
REMEMBERED: Final = 4096
"""Answers of one endpoint: a few hundred kilobytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    value: object
    until: float


@dataclass(slots=True)
class _Memory:
    """What one endpoint said, the oldest forgotten first. Shared by all requests."""

    reader: HeadReader
    answers: OrderedDict[Hashable, _Answer] = field(default_factory=OrderedDict)
    final: int = -1
    """The highest block that it ever called final."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def recall(self, question: Hashable, now: float) -> _Answer | None:
        with self.lock:
            found = self.answers.get(question)
            return found if found is not None and now < found.until else None

    def keep(self, question: Hashable, answer: _Answer) -> None:
        with self.lock:
            self.answers[question] = answer
            self.answers.move_to_end(question)
            if len(self.answers) > REMEMBERED:
                self.answers.popitem(last=False)


class Verifying:
    """Verifies for strangers; called from many threads."""

    def __init__(
        self,
        trust: Callable[[], Trust],
        readers: Sequence[HeadReader],
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask nobody yet.

        Args:
            trust: what this node believes now.
            readers: endpoints of its chain.
            now: seconds of a clock that never goes back.
        """
        self._trust, self._now = trust, now
        self._memories = [_Memory(reader) for reader in readers]
        self._slots = threading.BoundedSemaphore(SLOTS)

    def __call__(self, receipt: bytes, document: bytes | None) -> Report:
        """The report, as `verify` gives it; endpoints that were not asked are named in it.

        Raises:
            BridgeError: `verify-busy` with fault PEER: others are being verified, try again.
        """
        if not self._slots.acquire(blocking=False):
            raise BridgeError(
                "verify-busy",
                Fault.PEER,
                what=f"{SLOTS} receipts are being verified",
                where="POST /verify",
                do="send it again in a few seconds, or run `fhir-anchor verify` yourself",
            )
        try:
            budget = _Budget(left=QUESTIONS, end=self._now() + SECONDS)
            asked = [_Asked(memory, budget, self._now) for memory in self._memories]
            return verify(receipt, document, trust=self._trust(), chain=asked)
        finally:
            self._slots.release()


@dataclass(slots=True, kw_only=True)
class _Budget:
    """What one receipt may still make us ask. Of one thread."""

    left: int
    end: float

    def spend(self, name: str, now: float) -> None:
        self.left -= 1
        if self.left < 0 or now >= self.end:
            raise BridgeError(
                "verify-budget",
                Fault.PEER,
                what="this node asks no more for one receipt",
                where=f"endpoint {name}",
                do="run `fhir-anchor verify --rpc URL` yourself",
            )


class _Asked:
    """A `HeadReader` for one receipt: what is remembered, else what the budget allows to ask."""

    def __init__(self, memory: _Memory, budget: _Budget, now: Callable[[], float]) -> None:
        self._memory, self._budget, self._now = memory, budget, now
        self._reader = memory.reader
        self.name = memory.reader.name

    def chain(self) -> str:
        return self._ask("chain", self._reader.chain, STEADY_S)

    def block_hash(self, number: int) -> Digest | None:
        # What was final before it was asked stays; a block that was not may have been replaced.
        lasting = number <= self._memory.final
        return self._ask(
            ("block", number),
            lambda: self._reader.block_hash(number),
            float("inf") if lasting else FRESH_S,
        )

    def height(self) -> int:
        return self._ask("height", self._reader.height, FRESH_S)

    def finalized(self) -> int:
        found = self._ask("finalized", self._reader.finalized, FRESH_S)
        self._memory.final = max(found, self._memory.final)
        return found

    def code_hash(self, address: bytes) -> Digest:
        return self._ask(("code", address), lambda: self._reader.code_hash(address), STEADY_S)

    def head(self, address: bytes, log_id: bytes) -> LiveHead:
        return self._ask(
            ("head", address, log_id), lambda: self._reader.head(address, log_id), FRESH_S
        )

    def _ask(self, question: Hashable, ask: Callable[[], T], good_s: float) -> T:
        """The answer or refusal; both are remembered, so that a dead endpoint costs once."""
        known = self._memory.recall(question, self._now())
        if known is None:
            self._budget.spend(self.name, self._now())
            value: object
            try:
                value = ask()
            except BridgeError as error:
                value, good_s = error, FRESH_S
            known = _Answer(value=value, until=self._now() + good_s)
            self._memory.keep(question, known)
        if isinstance(known.value, BridgeError):
            raise known.value.with_traceback(None)
        return known.value  # type: ignore[return-value]  # what `ask` gave for this question


def verifying(settings: Settings) -> Verifying:
    """With the trust file and endpoints of this node; strangers verify with a file of their own."""
    file = settings.data / TRUST_FILE
    return Verifying(
        lambda: parse_trust(file.read_bytes()) if file.exists() else NO_TRUST,
        readers_of(settings.chain.rpc, timeout_s=TIMEOUT_S),
    )
