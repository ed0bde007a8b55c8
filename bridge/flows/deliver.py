"""Application acknowledgements to the addresses that they are owed to, until each was taken.

HL7 v2.5.1 ch. 2.9.3: in enhanced mode the application acknowledgement may start an exchange of its
own. Delivery is at least once: a crash between the receiver's answer and our note repeats it, and
the receiver knows it by its control id.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeAlias

from bridge.core.ids import instant
from bridge.ports.answers import Answers, Owed
from bridge.ports.sources import Clock

__all__ = ["Delivered", "Outcome", "Send", "deliver"]

Outcome: TypeAlias = Literal["taken", "later", "never"]
Send: TypeAlias = Callable[[Owed], Outcome]
"""Bring one answer to its address; `later` also when it could not be reached. Never raises."""

AT_ONCE = 10
"""Claimed together: one receiver that hangs holds up no more than these."""
LEASE = timedelta(minutes=5)
"""Longer than the claimed ones can take, so that two workers never send the same one; those of a
worker that dies wait this long."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 2, 600
GIVE_UP, GIVE_UP_TRIES = timedelta(hours=72), 100
"""A long weekend: a receiver that is away for longer needs a person. A clock that leaps over it has
not tried; a hundred times take 15 hours."""
FURTHEST = timedelta(seconds=LONGEST_PAUSE_S) + LEASE
"""No answer waits for longer: what is due later was put off before the clock was set back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What one run did."""

    taken: int
    postponed: int
    abandoned: int


def deliver(*, answers: Answers, send: Send, clock: Clock) -> Delivered:
    """Send what is due, once each; idempotent, for several workers side by side.

    After a failure an address gets no further answer in this run: the others are postponed, too.
    """
    now = clock.now()
    taken = postponed = abandoned = 0
    down: set[str] = set()
    until, furthest = instant(now + LEASE), instant(now + FURTHEST)
    for one in answers.claim(now, until, furthest=furthest, at_most=AT_ONCE):
        outcome: Outcome = "later" if one.address in down else send(one)
        if outcome == "taken":
            answers.delivered(one.record)
            taken += 1
        elif outcome == "never":
            answers.abandon(one, "the receiver refused it", now)
            abandoned += 1
        elif now - one.owed > GIVE_UP and one.tries > GIVE_UP_TRIES:
            answers.abandon(one, "the receiver did not take it within 72 hours", now)
            abandoned += 1
        else:
            down.add(one.address)
            answers.postpone(one.record, instant(now + _pause(one.tries)))
            postponed += 1
    return Delivered(taken=taken, postponed=postponed, abandoned=abandoned)


def _pause(tries: int) -> timedelta:
    """Doubling from two seconds to ten minutes."""
    return timedelta(seconds=min(FIRST_PAUSE_S << min(tries - 1, 16), LONGEST_PAUSE_S))
