"""Group commit: what waits at the same time, over all connections, shares one transaction."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, TypeAlias

from bridge.core.errors import BridgeError, Fault
from bridge.flows.receive import Inbound, Received

__all__ = [
    "GROUP_BYTES",
    "GROUP_SIZE",
    "HEAVY_BYTES",
    "Committer",
    "Outcome",
    "ReceiveGroup",
    "Waiting",
]

ReceiveGroup: TypeAlias = Callable[[Sequence[Inbound]], Sequence[Received]]
Outcome: TypeAlias = Received | BaseException

GROUP_SIZE = 256
"""Messages of one transaction: enough that one fsync is shared by every connection of a listener,
few enough that a group is converted and stored in well under a second."""
GROUP_BYTES = 2 * 1024 * 1024
"""Payload of one transaction of several messages: 256 of 8 KiB. A MiB of small fields takes up to a
second to convert, and whoever comes meanwhile waits for it."""
HEAVY_BYTES = 256 * 1024
"""A message from this size on has a transaction of its own: it may take seconds, and a commit that
is shared by fewer than ten such messages is not worth their neighbours' wait."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 2.0
"""Between tries while the storage is down; the senders wait meanwhile and are told to come again.
Doubling keeps a storm of resends off a database that is starting."""


class Waiting(Protocol):
    """One message of a connection that waits to become durable."""

    @property
    def inbound(self) -> Inbound:
        """What is to be stored."""

    @property
    def unanswered(self) -> bool:
        """No answer is owed, so nobody would send it again: it is tried until it is stored."""

    @property
    def line(self) -> object:
        """What it stands in, in order: when one is not stored, those behind it are not either."""

    def settle(self, outcome: Outcome) -> None:
        """Take what became of it; called once, on the loop's thread. Writes nothing yet."""

    def flush(self) -> None:
        """Write the answers that are next in line; called after the whole group is settled."""


class Committer:
    """One transaction at a time in a thread of its own; while it runs, the next group gathers.

    Use from the loop's thread alone. No delay is ever added to gather more.

    Args:
        receive_group: stores a group and returns one result an input, in order. It runs in the
            committer's thread, one call at a time.
        committed: called after a group is durable; must neither raise nor block.
    """

    def __init__(
        self,
        receive_group: ReceiveGroup,
        *,
        committed: Callable[[], None],
        failed: Callable[[BaseException, int], None],
    ) -> None:
        self._receive_group, self._committed, self._failed = receive_group, committed, failed
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mllp-commit")
        self._waiting: deque[Waiting] = deque()
        self._alone = 0  # how many of the first ones are tried one by one
        self._passed = False  # the first one is heavy, and others went before it
        self._busy = False
        self._pause_s = 0.0

    def __len__(self) -> int:
        """Messages that wait and are in no transaction yet."""
        return len(self._waiting)

    def submit(self, waiting: Waiting) -> None:
        """Queue one message; those of the same turn of the loop go together."""
        self._waiting.append(waiting)
        if not self._busy:
            self._busy = True
            asyncio.get_running_loop().call_soon(self._next)

    def close(self) -> None:
        """Wait for the transaction that runs, if any; the rest is dropped."""
        self._waiting.clear()
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _next(self) -> None:
        """Hand the next group to the thread."""
        if not self._waiting:
            self._busy = False
            return
        group = self._take()
        loop = asyncio.get_running_loop()
        running = self._executor.submit(self._receive_group, [one.inbound for one in group])

        def done(finished: Future[Sequence[Received]]) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._finished, group, finished)

        running.add_done_callback(done)

    def _take(self) -> list[Waiting]:
        """The next group: turn by turn what is light, and one heavy message alone.

        So the light ones of other lines wait for one heavy message at most, however many there
        are, and a heavy one for one group. Within a line nothing overtakes.
        """
        if self._alone or self._passed:
            self._alone, self._passed = max(0, self._alone - 1), self._passed and self._alone > 0
            return [self._waiting.popleft()]
        group, passed = self._light()
        self._waiting.extendleft(reversed(passed))
        self._passed = bool(group and passed)
        return group or [self._waiting.popleft()]

    def _light(self) -> tuple[list[Waiting], list[Waiting]]:
        """Messages for one transaction, and those before them that stay: heavy, or behind one."""
        group: list[Waiting] = []
        passed: list[Waiting] = []
        held: set[int] = set()
        size = 0
        while self._waiting and len(group) < GROUP_SIZE and size < GROUP_BYTES:
            one = self._waiting.popleft()
            if len(one.inbound.raw) >= HEAVY_BYTES or id(one.line) in held:
                held.add(id(one.line))
                passed.append(one)
            else:
                group.append(one)
                size += len(one.inbound.raw)
        return group, passed

    def _finished(self, group: list[Waiting], running: Future[Sequence[Received]]) -> None:
        """Start the next group first, so that the thread works while answers are written."""
        if running.cancelled():
            return
        failure = running.exception() or _mismatch(group, running.result())
        if failure is not None:
            self._fail(group, failure)
            return
        self._pause_s = 0.0
        self._next()
        _settle(group, running.result())
        self._committed()

    def _fail(self, group: list[Waiting], failure: BaseException) -> None:
        """The storage is down: all are told to come again. Anything else: each is tried alone.

        So the one that broke the group is found, and its neighbours are stored.
        """
        down = isinstance(failure, BridgeError) and failure.fault is Fault.PEER
        if not down and len(group) > 1:
            self._waiting.extendleft(reversed(group))
            self._alone += len(group)
            self._next()
            return
        told = self._give_back(group) if down else group
        self._failed(failure, max(len(group), len(told)))
        asyncio.get_running_loop().call_later(self._pause_s if down else 0, self._next)
        _settle(told, [failure] * len(told))

    def _give_back(self, group: list[Waiting]) -> list[Waiting]:
        """Whoever is told to come again, with all that waits behind it in its line.

        A message that was stored while the one before it comes again would overtake it.
        """
        lines = {id(one.line) for one in group if not one.unanswered}
        told: list[Waiting] = []
        kept: list[Waiting] = []
        for one in (*group, *self._waiting):
            (told if id(one.line) in lines and not one.unanswered else kept).append(one)
        self._waiting = deque(kept)
        self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S) or FIRST_PAUSE_S
        return told


def _settle(group: Sequence[Waiting], outcomes: Sequence[Outcome]) -> None:
    for one, outcome in zip(group, outcomes, strict=True):
        one.settle(outcome)
    for one in group:
        one.flush()


def _mismatch(group: Sequence[Waiting], results: Sequence[Received]) -> BridgeError | None:
    if len(results) == len(group):
        return None
    return BridgeError(
        "commit-results",
        Fault.US,
        what=f"{len(group)} messages were offered and {len(results)} results came back",
        where="workers.mllp.commit",
        do="stop the listener and report this defect",
    )
