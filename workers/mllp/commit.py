"""Group commit: what waits at the same time, over all connections, shares one transaction."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from bridge.core.errors import BridgeError, Fault
from bridge.flows.receive import Received
from workers.mllp.gathering import Gathering, Outcome, Place, Reception, Waiting

__all__ = ["Committer"]

GATHER_S = 0.02
"""While there is something to convert, a group gathers for so long: some thirty messages, so that
the commit costs a twentieth of what they do."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 2.0
"""Between tries while the storage is down; the senders wait meanwhile and are told to come again.
Doubling keeps a storm of resends off a database that is starting."""


class Committer:
    """One transaction at a time in a thread of its own; while it runs, the next group is converted.

    Light messages are converted on the loop's thread, one a turn, between the reads and writes of
    its sockets. Beside a thread that computes, the loop would wait for the interpreter, 5 ms, after
    each of its system calls; a thread that waits for the disk holds up nobody.

    Use from the loop's thread alone. No message waits for others that are not here yet.

    Args:
        reception: what is done with messages.
        committed: called after a group is durable; must neither raise nor block.
        failed: takes the cause and the number of messages that were not stored; likewise.
    """

    def __init__(
        self,
        reception: Reception,
        *,
        committed: Callable[[], None],
        failed: Callable[[BaseException, int], None],
    ) -> None:
        self._reception, self._committed, self._failed = reception, committed, failed
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mllp-commit")
        self._gathering = Gathering()
        self._since = 0.0  # when the first message of the next group was converted
        self._turns = False  # a turn is due
        self._busy = False  # a transaction runs, or the storage is down
        self._pause_s = 0.0

    def __len__(self) -> int:
        """Messages that wait and are in no transaction yet."""
        return len(self._gathering)

    def submit(self, waiting: Waiting) -> None:
        """Queue one message; those of the same turn of the loop go together."""
        self._gathering.add(waiting)
        self._turn_soon()

    def close(self) -> None:
        """Wait for the transaction that runs, if any; the rest is dropped."""
        self._gathering.clear()
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _turn_soon(self) -> None:
        if not self._turns:
            self._turns = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        """Convert one message; between two of them the loop sees to its sockets."""
        self._turns = False
        if self._gathering.may_convert:
            self._turn_soon()
            if not self._gathering.ahead:
                self._since = asyncio.get_running_loop().time()
            self._gathering.convert(self._reception.prepare)
        self._next_if_due()

    def _next_if_due(self) -> None:
        """A group leaves once nothing is left to convert, or when enough has gathered."""
        if self._busy or not self._gathering:
            return
        waited_s = asyncio.get_running_loop().time() - self._since
        if not self._gathering.may_convert or (self._gathering.ahead and waited_s >= GATHER_S):
            self._next()

    def _next(self) -> None:
        """Hand the next group to the thread."""
        self._busy = bool(self._gathering)
        if not self._busy:
            return
        group = self._gathering.take()
        self._turn_soon()  # there is room again for what is to be converted
        loop = asyncio.get_running_loop()
        running = self._executor.submit(
            self._reception.receive_group, [one.work or one.waiting.inbound for one in group]
        )

        def done(finished: Future[Sequence[Received]]) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._finished, group, finished)

        running.add_done_callback(done)

    def _finished(self, group: list[Place], running: Future[Sequence[Received]]) -> None:
        """Start the next group first, so that the thread works while answers are written."""
        if running.cancelled():
            return
        failure = running.exception() or _mismatch(group, running.result())
        if failure is not None:
            self._fail(group, failure)
            return
        self._pause_s = 0.0
        self._busy = False
        self._next_if_due()
        _settle(group, running.result())
        self._committed()

    def _fail(self, group: list[Place], failure: BaseException) -> None:
        """The storage is down: all are told to come again. Anything else: each is tried alone.

        So the one that broke the group is found, and its neighbours are stored.
        """
        for one in group:
            one.work = one.waiting.inbound  # a record that may be stored has its id for itself
        down = isinstance(failure, BridgeError) and failure.fault is Fault.PEER
        if not down and len(group) > 1:
            self._gathering.try_alone(group)
            self._next()
            return
        told = self._gathering.give_back(group) if down else group
        if down:
            self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S) or FIRST_PAUSE_S
        self._failed(failure, max(len(group), len(told)))
        asyncio.get_running_loop().call_later(self._pause_s if down else 0, self._next)
        _settle(told, [failure] * len(told))


def _settle(group: Sequence[Place], outcomes: Sequence[Outcome]) -> None:
    for one, outcome in zip(group, outcomes, strict=True):
        one.waiting.settle(outcome)
    for one in group:
        one.waiting.flush()


def _mismatch(group: Sequence[Place], results: Sequence[Received]) -> BridgeError | None:
    if len(results) == len(group):
        return None
    return BridgeError(
        "commit-results",
        Fault.US,
        what=f"{len(group)} messages were offered and {len(results)} results came back",
        where="workers.mllp.commit",
        do="stop the listener and report this defect",
    )
