"""The newest checkpoint goes to the chain, and what was sent is watched until it is evidence.

An attempt is `PLANNED -> SIGNED -> SENT -> MINED -> FINAL -> EVIDENCED`, beside these REPLACED,
REORGED and FAILED. Three rules carry it:

1. What is about to happen is durable first. Signed bytes are stored before their first broadcast,
   so that a crash sends the same bytes again, which has one effect.
2. The anchor is state to synchronise ("newest head"), not a queue. One nonce is in flight; a stuck
   transaction is replaced at its nonce by the newest head. A skipped head loses time resolution.
3. The chain decides. Nonce and previous root are read from it; a transaction counts while its
   block is canonical; every hash ever signed for a nonce is watched until that nonce is final.

Several workers may run both verbs at once: each change is a compare-and-swap that one of them
wins, and sending the same bytes twice is harmless.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum
from typing import Final

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Instant
from bridge.ports.anchors import AnchorBook, Attempt, Heads, State
from bridge.ports.chain import Chain, ChainView, Fees, Market, Payload
from bridge.ports.logbook import PublishedHead
from bridge.ports.sources import Clock

__all__ = ["IN_FLIGHT", "NO_BUDGET", "Budget", "Move", "Step", "anchor", "push"]

IN_FLIGHT: Final = frozenset({State.PLANNED, State.SIGNED, State.SENT, State.REORGED})
"""Attempts that may still be waiting for a block: no new nonce is taken beside them."""


class Move(Enum):
    """What one call of `anchor` did. Workers log and count it."""

    IDLE = "idle"
    """The chain has the newest head, or the log has none."""
    SENT = "sent"
    """A new head, or one that a crash left behind, was offered to the chain."""
    WAITING = "waiting"
    """A transaction is in flight and not yet stuck, or another worker is ahead."""
    REPLACED = "replaced"
    """A stuck transaction gave its nonce to the newest head at higher fees."""
    AT_CAP = "at-cap"
    """Fees have reached the operator's cap: raise it, or wait for the price to fall. Alert."""
    OVER_BUDGET = "over-budget"
    """The next transaction might exceed what the operator lets a period cost. Alert."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What anchoring may cost."""

    wei: int
    """At most this in any `period`; 0 sets no limit."""
    period: timedelta


NO_BUDGET: Final = Budget(wei=0, period=timedelta(days=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The move, and the attempt that it concerns."""

    move: Move
    attempt: Attempt | None


def anchor(
    *,
    book: Heads,
    anchors: AnchorBook,
    chain: Chain,
    clock: Clock,
    budget: Budget = NO_BUDGET,
) -> Step:
    """Do the next thing that brings the newest published head to the chain.

    Idempotent: call it as often as wanted, from any number of workers. It waits for nothing;
    `watch` sees what became of a transaction.

    Raises:
        BridgeError: `anchor-fork` when the chain's head is not in our log's history, and
            `anchor-behind` when our log is smaller than the chain says (a database restored from
            a backup): both mean stop. Also what the Chain port raises.
    """
    with anchors.unit():
        open_attempts = anchors.unsettled(chain.name, chain.account)
    side = _Side(book=book, anchors=anchors, chain=chain, clock=clock, budget=budget)
    flying = [attempt for attempt in open_attempts if attempt.state in IN_FLIGHT]
    if not flying:
        return side.begin(open_attempts)
    lowest = min(attempt.nonce for attempt in flying)
    current = max(
        (attempt for attempt in flying if attempt.nonce == lowest), key=lambda each: each.round
    )
    stuck = _is_stuck(current, chain, clock.now())
    if current.state is State.SIGNED and stuck:
        # No endpoint ever took these bytes: others may be taken, say after a setting was mended.
        return side.replace(current)
    if current.state is not State.SENT:
        return push(current, anchors=anchors, chain=chain, clock=clock)
    if not stuck:
        return Step(move=Move.WAITING, attempt=current)
    return side.pass_by(current, open_attempts)


def push(attempt: Attempt, *, anchors: AnchorBook, chain: Chain, clock: Clock) -> Step:
    """Sign if it is not signed, then send; the bytes are durable before they leave."""
    current: Attempt | None = attempt
    if attempt.signed is None:
        signed = chain.sign(
            attempt.payload, nonce=attempt.nonce, gas=attempt.gas, fees=attempt.fees
        )
        current = _swap(anchors, attempt, replace(attempt, signed=signed, state=State.SIGNED))
    if current is None or current.signed is None:
        return Step(move=Move.WAITING, attempt=None)
    delivery = chain.send(current.signed.raw)
    sent = replace(
        current, state=State.SENT, sent=clock.now(), inclusion=None, reason=delivery.value
    )
    return Step(move=Move.SENT, attempt=_swap(anchors, current, sent))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """What a step of anchoring works on."""

    book: Heads
    anchors: AnchorBook
    chain: Chain
    clock: Clock
    budget: Budget

    def pass_by(self, stuck: Attempt, open_attempts: tuple[Attempt, ...]) -> Step:
        """Bring the newest head past a transaction that was sent long ago."""
        nonce = self.chain.view().nonce
        if nonce < stuck.nonce and all(attempt.nonce != nonce for attempt in open_attempts):
            # A reorganisation took a transaction that was none of ours, and ours waits behind its
            # nonce for ever: fill it.
            return self.begin(())
        if all(attempt.nonce < nonce for attempt in open_attempts):
            # The nonce is used, by ours or by a foreign one: `watch` finds out which, and the
            # newest head need not wait until that is final.
            return self.begin(open_attempts)
        return self.replace(stuck)

    def begin(self, open_attempts: tuple[Attempt, ...]) -> Step:
        """Take the next nonce for the newest head, if the chain does not have it."""
        chain, newest, view = self.chain, self.book.newest(), self.chain.view()
        if newest is None or not _is_news(newest, view, self.book):
            return Step(move=Move.IDLE, attempt=None)
        if any(attempt.nonce >= view.nonce for attempt in open_attempts):
            # An endpoint that lags behind what we have seen mined: its nonce would be taken twice.
            return Step(move=Move.WAITING, attempt=None)
        fees = _first_fees(chain.market(), chain.fee_cap_wei)
        if fees is None:
            return Step(move=Move.AT_CAP, attempt=None)
        plan = _plan(newest, view, chain, fees=fees, nonce=view.nonce, now=self.clock.now())
        if self._exceeds_budget(_most_wei(plan)):
            return Step(move=Move.OVER_BUDGET, attempt=None)
        with self.anchors.unit():
            free = self.anchors.next_round(chain.name, chain.account, view.nonce)
            stored = self.anchors.plan(replace(plan, round=free))
        if stored is None:
            return Step(move=Move.WAITING, attempt=None)
        return push(stored, anchors=self.anchors, chain=chain, clock=self.clock)

    def replace(self, stuck: Attempt) -> Step:
        """Give the nonce of a stuck transaction to the newest head, at fees that pools accept."""
        chain, newest, view = self.chain, self.book.newest(), self.chain.view()
        if view.nonce > stuck.nonce or newest is None or not _is_news(newest, view, self.book):
            # Its nonce is used: `watch` finds out by which transaction.
            return Step(move=Move.WAITING, attempt=stuck)
        market, cap_wei = chain.market(), chain.fee_cap_wei
        # What no pool ever took need not be outbid.
        unsent = stuck.sent is None
        fees = _first_fees(market, cap_wei) if unsent else _higher_fees(stuck.fees, market, cap_wei)
        if fees is None:
            return Step(move=Move.AT_CAP, attempt=stuck)
        plan = _plan(newest, view, chain, fees=fees, nonce=stuck.nonce, now=self.clock.now())
        if self._exceeds_budget(_most_wei(plan) - _most_wei(stuck)):
            return Step(move=Move.OVER_BUDGET, attempt=stuck)
        with self.anchors.unit():
            stored = None
            if self.anchors.swap(stuck, replace(stuck, state=State.REPLACED)) is not None:
                stored = self.anchors.plan(replace(plan, round=stuck.round + 1))
        if stored is None:
            return Step(move=Move.WAITING, attempt=stuck)
        sent = push(stored, anchors=self.anchors, chain=chain, clock=self.clock)
        return Step(move=Move.REPLACED, attempt=sent.attempt)

    def _exceeds_budget(self, more_wei: int) -> bool:
        """Counted with the most that what is in flight may still cost."""
        if not self.budget.wei or more_wei <= 0:
            return False
        since = Instant(self.clock.now() - self.budget.period)
        with self.anchors.unit():
            spent = self.anchors.spent_wei(self.chain.name, self.chain.account, since=since)
        return spent + more_wei > self.budget.wei


def _most_wei(attempt: Attempt) -> int:
    return attempt.gas * attempt.fees.max_fee_wei


def _is_news(newest: PublishedHead, view: ChainView, book: Heads) -> bool:
    """Whether the log has grown past the chain's head, which must be in the log's own history."""
    on_chain = view.head
    if on_chain.sequence == 0:
        return newest.size > 0
    if on_chain.size > newest.size:
        raise BridgeError(
            "anchor-behind",
            Fault.US,
            what=f"the chain holds size {on_chain.size} and the log has only {newest.size} leaves",
            where=f"block {view.block_number}",
            do="the database is older than the chain: restore a newer backup; sign nothing; if no "
            "backup ever had so many leaves, it is a junk head of a thief: see the runbook",
        )
    if book.root_at(on_chain.size) != on_chain.root:
        raise BridgeError(
            "anchor-fork",
            Fault.US,
            what=f"the chain's root at size {on_chain.size} is not the log's root at that size",
            where=f"block {view.block_number}",
            do="keep both heads as evidence; if the anchoring key was stolen, see the runbook",
        )
    return newest.size > on_chain.size


def _plan(
    newest: PublishedHead,
    view: ChainView,
    chain: Chain,
    *,
    fees: Fees,
    nonce: int,
    now: Instant,
) -> Attempt:
    payload = Payload(prev_root=view.head.root, size=newest.size, root=newest.root)
    return Attempt(
        id=0,
        version=0,
        chain=chain.name,
        contract=chain.contract,
        account=chain.account,
        nonce=nonce,
        round=0,
        payload=payload,
        checkpoint=newest.note,
        fees=fees,
        gas=chain.gas(payload),
        state=State.PLANNED,
        settled=False,
        planned=now,
    )


def _is_stuck(attempt: Attempt, chain: Chain, now: Instant) -> bool:
    """By a clock that may have been set back since: then it is sent anew, which costs little."""
    since = attempt.sent or attempt.planned
    return abs(now - since) >= timedelta(seconds=chain.stuck_after_s)


def _first_fees(market: Market, cap_wei: int) -> Fees | None:
    """Twice the base fee outlasts six full blocks in a row; None when the cap buys no block."""
    if market.base_wei + market.tip_wei > cap_wei:
        return None
    most = min(2 * market.base_wei + market.tip_wei, cap_wei)
    return Fees(max_fee_wei=most, tip_wei=min(market.tip_wei, most))


def _higher_fees(before: Fees, market: Market, cap_wei: int) -> Fees | None:
    """Both fees up by an eighth, or to the going rate; None when that exceeds the cap.

    Pools ask for a tenth more on each of the two; an eighth is safe on all of them.
    """
    tip = max(_eighth_more(before.tip_wei), market.tip_wei)
    least = max(_eighth_more(before.max_fee_wei), tip)
    if least > cap_wei:
        return None
    most = max(least, min(2 * market.base_wei + tip, cap_wei))
    return Fees(max_fee_wei=most, tip_wei=min(tip, most))


def _eighth_more(wei: int) -> int:
    return wei + max(1, -(-wei // 8))


def _swap(anchors: AnchorBook, before: Attempt, after: Attempt) -> Attempt | None:
    with anchors.unit():
        return anchors.swap(before, after)
