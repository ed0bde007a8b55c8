"""The newest checkpoint to a system that stamps, and promises turned into proofs.

Beside the chain and independent of it: nothing waits for a stamp, and one system that is down holds
up no other. A skipped checkpoint loses only time resolution.
"""

from dataclasses import dataclass
from datetime import timedelta

from bridge.core.errors import BridgeError, Fault
from bridge.ports.anchors import Heads
from bridge.ports.sources import Clock
from bridge.ports.stamps import Stamp, StampBook, Stamper

__all__ = ["Stamping", "stamp"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamping:
    """What one call did."""

    made: Stamp | None
    """A new stamp, complete or promised."""
    completed: tuple[Stamp, ...]
    """Promises that were kept."""
    waiting: int
    """Promises that are still open."""
    problems: tuple[BridgeError, ...]
    """Systems that gave nothing usable; the next call asks again."""


def stamp(
    *, book: Heads, stamps: StampBook, stamper: Stamper, clock: Clock, every: timedelta
) -> Stamping:
    """Stamp the newest checkpoint if the last stamp is old enough, and ask about open promises.

    Idempotent: call it as often as wanted, from any number of workers.

    Args:
        book: the log's published heads.
        stamps: where stamps are stored.
        stamper: the system to ask.
        clock: for the time between stamps, which proves nothing.
        every: shortest time between two stamps.

    Raises:
        BridgeError: what the ports raise with another fault than PEER.
    """
    problems: list[BridgeError] = []
    made: Stamp | None = None
    try:
        made = _made(book=book, stamps=stamps, stamper=stamper, clock=clock, every=every)
    except BridgeError as error:
        problems.append(_forgiven(error))
    with stamps.unit():
        pending = stamps.pending(stamper.kind)
    completed: list[Stamp] = []
    for one in pending:
        try:
            completed += _upgraded(one, stamps=stamps, stamper=stamper)
        except BridgeError as error:
            problems.append(_forgiven(error))
    return Stamping(
        made=made,
        completed=tuple(completed),
        waiting=len(pending) - len(completed),
        problems=tuple(problems),
    )


def _made(
    *, book: Heads, stamps: StampBook, stamper: Stamper, clock: Clock, every: timedelta
) -> Stamp | None:
    head, now = book.newest(), clock.now()
    with stamps.unit():
        last = stamps.newest(stamper.kind)
    if head is None or head.size == 0:
        return None
    if last is not None and head.size <= last.size:
        return None
    if last is not None and last.at <= now < last.at + every:  # not: it was set back since
        return None
    token = stamper.stamp(head.note)
    fresh = Stamp(size=head.size, note=head.note, kind=stamper.kind, token=token, at=now)
    with stamps.unit():
        return fresh if stamps.keep(fresh) else None


def _upgraded(one: Stamp, *, stamps: StampBook, stamper: Stamper) -> list[Stamp]:
    token = stamper.upgrade(one.token)
    if token is None:
        return []
    with stamps.unit():
        won = stamps.renew(one, token)
    return [one] if won and token.complete else []


def _forgiven(error: BridgeError) -> BridgeError:
    """A peer's failure is a fact to report; anything else is ours to stop at."""
    if error.fault is not Fault.PEER:
        raise error
    return error
