"""What waits to be stored, in order: which message is converted next, which go together."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from bridge.flows.receive import Inbound, Offer, Received

__all__ = [
    "GROUP_BYTES",
    "GROUP_SIZE",
    "HEAVY_BYTES",
    "LIGHT_BYTES",
    "Gathering",
    "Outcome",
    "Place",
    "Prepare",
    "ReceiveGroup",
    "Reception",
    "Waiting",
    "Work",
]

Work: TypeAlias = Inbound | Offer
Prepare: TypeAlias = Callable[[Inbound], Work]
ReceiveGroup: TypeAlias = Callable[[Sequence[Work]], Sequence[Received]]
Outcome: TypeAlias = Received | BaseException


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """What a door does with messages."""

    prepare: Prepare
    """All that needs no transaction; pure. Called for light messages, on the loop's thread."""
    receive_group: ReceiveGroup
    """Stores a group, prepared or not, and returns one result each, in order: then it is durable.
    Called in the committer's thread, one call at a time."""


GROUP_SIZE = 256
"""Messages of one transaction: enough that one fsync is shared by every connection of a listener,
few enough that a group is converted and stored in well under a second."""
GROUP_BYTES = 2 * 1024 * 1024
"""Payload of one transaction of several messages: 256 of 8 KiB. A MiB of small fields takes up to a
second to convert, and whoever comes meanwhile waits for it."""
LIGHT_BYTES = 16 * 1024
"""A message below this is converted on the loop's thread: that takes 16 ms at most, and no socket
is read or written meanwhile."""
HEAVY_BYTES = 256 * 1024
"""A message from this size on has a transaction of its own: it may take seconds, and a commit that
is shared by fewer than ten such messages is not worth their neighbours' wait."""


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


@dataclass(slots=True, eq=False)
class Place:
    """One message in the queue, and what of it is done."""

    waiting: Waiting
    work: Work | None
    """What the transaction is given; None while it is to be converted on the loop's thread."""
    ahead: bool = False
    """It was converted there, and is in no transaction yet."""

    @property
    def size_bytes(self) -> int:
        """Of the message as received."""
        return len(self.waiting.inbound.raw)


class Gathering:
    """The queue of a committer. Within a line nothing overtakes."""

    def __init__(self) -> None:
        """Nothing waits."""
        self._waiting: deque[Place] = deque()
        self._raw: deque[Place] = deque()  # those of them that are to be converted ahead
        self._ahead = self._ahead_bytes = 0
        self._alone = 0  # how many of the first ones are tried one by one
        self._passed = False  # the first one is heavy, and others went before it

    def __len__(self) -> int:
        """Messages that are in no transaction yet."""
        return len(self._waiting)

    @property
    def ahead(self) -> int:
        """Messages that were converted for the next transaction."""
        return self._ahead

    @property
    def may_convert(self) -> bool:
        """A light message waits, and the next transaction has room for it."""
        return bool(self._raw) and self._ahead < GROUP_SIZE and self._ahead_bytes < GROUP_BYTES

    def add(self, waiting: Waiting) -> None:
        """Put one behind all others."""
        place = Place(waiting, None)
        if place.size_bytes < LIGHT_BYTES:
            self._raw.append(place)
        else:
            place.work = waiting.inbound
        self._waiting.append(place)

    def convert(self, prepare: Prepare) -> None:
        """Convert the next light message; `may_convert` holds. One that breaks is left as it is."""
        place = self._raw.popleft()
        if place.work is not None:  # it is told to come again, or is tried without this
            return
        place.work, place.ahead = place.waiting.inbound, True
        self._ahead += 1
        self._ahead_bytes += place.size_bytes
        place.work = prepare(place.waiting.inbound)

    def take(self) -> list[Place]:
        """The next group: turn by turn what is light, and one heavy message alone.

        So the light ones of other lines wait for one heavy message at most, however many there
        are, and a heavy one for one group.
        """
        if self._alone or self._passed:
            self._alone, self._passed = max(0, self._alone - 1), self._passed and self._alone > 0
            return self._leave([self._waiting.popleft()])
        group, passed = self._light()
        self._waiting.extendleft(reversed(passed))
        self._passed = bool(group and passed)
        return self._leave(group or [self._waiting.popleft()])

    def try_alone(self, group: Sequence[Place]) -> None:
        """Put a group back where it was, for a transaction each."""
        self._waiting.extendleft(reversed(group))
        self._alone += len(group)

    def give_back(self, group: Sequence[Place]) -> list[Place]:
        """Whoever is told to come again, with all that waits behind it in its line.

        A message that was stored while the one before it comes again would overtake it.
        """
        lines = {id(one.waiting.line) for one in group if not one.waiting.unanswered}
        told: list[Place] = []
        kept: list[Place] = []
        for one in (*group, *self._waiting):
            again = id(one.waiting.line) in lines and not one.waiting.unanswered
            (told if again else kept).append(one)
        self._waiting = deque(kept)
        return self._leave(told)

    def clear(self) -> None:
        """Drop everything."""
        self._waiting.clear()
        self._raw.clear()

    def _light(self) -> tuple[list[Place], list[Place]]:
        """Messages for one transaction, and those before them that stay: heavy, or behind one."""
        group: list[Place] = []
        passed: list[Place] = []
        held: set[int] = set()
        size = 0
        while self._waiting and len(group) < GROUP_SIZE and size < GROUP_BYTES:
            if self._waiting[0].work is None:
                break
            one = self._waiting.popleft()
            if one.size_bytes >= HEAVY_BYTES or id(one.waiting.line) in held:
                held.add(id(one.waiting.line))
                passed.append(one)
            else:
                group.append(one)
                size += one.size_bytes
        return group, passed

    def _leave(self, group: list[Place]) -> list[Place]:
        """They wait no longer."""
        for one in group:
            if one.ahead:
                one.ahead = False
                self._ahead -= 1
                self._ahead_bytes -= one.size_bytes
            if one.work is None:
                one.work = one.waiting.inbound
        return group
