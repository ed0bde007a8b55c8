"""What became of sent anchors: mined, final, evidenced; or reorganised away, and mended."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, takewhile

from bridge.core.errors import BridgeError, Fault
from bridge.flows.anchor import push
from bridge.ports.anchors import AnchorBook, Attempt, State
from bridge.ports.chain import Chain, ChainView, Inclusion
from bridge.ports.sources import Clock

__all__ = ["Watched", "watch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What one look changed, and what it could not do. Workers log and count it."""

    mined: tuple[Attempt, ...] = ()
    evidenced: tuple[Attempt, ...] = ()
    reorged: tuple[Attempt, ...] = ()
    failed: tuple[Attempt, ...] = ()
    replaced: tuple[Attempt, ...] = ()
    waiting: int = 0
    """Attempts that may still change."""
    problems: tuple[BridgeError, ...] = ()
    """Why evidence could not be captured or bytes not be sent; each is tried again."""


def watch(*, anchors: AnchorBook, chain: Chain, clock: Clock) -> Watched:
    """Look at every attempt that may still change, and bring each as far as the chain allows.

    Idempotent, and safe beside `anchor` and other watchers. A transaction that is in no block is
    sent again, the same bytes: a vanished one comes back, a known one is not disturbed.

    Raises:
        BridgeError: what the Chain port raises when too few endpoints agree.
    """
    with anchors.unit():
        open_attempts = anchors.unsettled(chain.name, chain.account)
    look = _Look(anchors=anchors, chain=chain, clock=clock, view=chain.view())
    open_attempts += look.undo_lost()
    if open_attempts:
        in_order = sorted(open_attempts, key=lambda each: (each.nonce, each.round))
        for _, group in groupby(in_order, key=lambda each: each.nonce):
            look.at(tuple(group))
    return look.report()


class _Look:
    """One pass. Groups are the attempts of one nonce: at most one of them can be mined."""

    def __init__(self, *, anchors: AnchorBook, chain: Chain, clock: Clock, view: ChainView) -> None:
        self._anchors, self._chain, self._clock, self._view = anchors, chain, clock, view
        self._changed: dict[int, tuple[Attempt, Attempt]] = {}
        self._problems: list[BridgeError] = []
        self._waiting = 0

    def undo_lost(self) -> tuple[Attempt, ...]:
        """Evidence of blocks that the chain no longer has: a reorganisation beyond finality.

        Chains lose their newest blocks first, so the first one that is still there ends it.
        """
        with self._anchors.unit():
            newest_first = self._anchors.newest_evidenced(self._chain.name, self._chain.account)
        back = [
            self._swap(each, replace(each, state=State.REORGED, settled=False))
            for each in takewhile(self._is_lost, newest_first)
        ]
        return tuple(each for each in back if each is not None)

    def _is_lost(self, evidenced: Attempt) -> bool:
        """The chain has grown past its block and does not know it: not an endpoint that lags."""
        if evidenced.signed is None or evidenced.inclusion is None:
            return False
        if self._view.block_number < evidenced.inclusion.block_number:
            return False
        found = self._chain.find(evidenced.signed.tx_hash)
        return found is None or found.block_hash != evidenced.inclusion.block_hash

    def at(self, group: Sequence[Attempt]) -> None:
        """Find the one that is mined, if any, and act on it."""
        for attempt in reversed(group):
            if attempt.signed is None:
                continue
            inclusion = self._chain.find(attempt.signed.tx_hash)
            if inclusion is not None:
                self._won(group, attempt, inclusion)
                return
        self._none_mined(group)

    def report(self) -> Watched:
        """What changed in this pass, by the state it ended in."""

        def ended(state: State) -> tuple[Attempt, ...]:
            return tuple(
                after
                for before, after in self._changed.values()
                if after.state is state and before.state is not state
            )

        return Watched(
            mined=ended(State.MINED),
            evidenced=ended(State.EVIDENCED),
            reorged=tuple(
                after
                for before, after in self._changed.values()
                if before.inclusion is not None and after.inclusion is None
            ),
            failed=ended(State.FAILED),
            replaced=ended(State.REPLACED),
            waiting=self._waiting,
            problems=tuple(self._problems),
        )

    def _won(self, group: Sequence[Attempt], winner: Attempt, inclusion: Inclusion) -> None:
        final = self._view.final_block >= inclusion.block_number
        for other in group:
            if other.id != winner.id and (final or other.state is not State.REPLACED):
                self._swap(
                    other,
                    replace(other, state=State.REPLACED, inclusion=None, settled=final),
                )
        if inclusion.anchored != winner.payload:
            self._reverted(winner, inclusion, final=final)
            return
        current: Attempt | None = winner
        if winner.inclusion != inclusion or winner.state not in {State.MINED, State.FINAL}:
            current = self._swap(
                winner, replace(winner, state=State.MINED, inclusion=inclusion, reason="")
            )
        if final and current is not None:
            self._finish(current)
        else:
            self._waiting += 1

    def _finish(self, mined: Attempt) -> None:
        """Final: capture what proves it, then stop watching."""
        final: Attempt | None = mined
        if mined.state is not State.FINAL:
            final = self._swap(mined, replace(mined, state=State.FINAL))
        if final is None or final.signed is None:
            return
        try:
            evidence = self._chain.evidence(final.signed.tx_hash)
        except BridgeError as error:
            self._problems.append(error)
            self._waiting += 1
            return
        self._swap(final, replace(final, state=State.EVIDENCED, evidence=evidence, settled=True))

    def _reverted(self, attempt: Attempt, inclusion: Inclusion, *, final: bool) -> None:
        """Mined without its event: the nonce is gone and the head is not there."""
        after = replace(
            attempt,
            state=State.FAILED,
            inclusion=inclusion,
            settled=final,
            reason="mined without the expected Anchored event",
        )
        if after != attempt:
            self._swap(attempt, after)
        self._waiting += not final

    def _none_mined(self, group: Sequence[Attempt]) -> None:
        newest = group[-1]
        if self._view.nonce > newest.nonce and self._nonce_is_final(newest.nonce):
            self._foreign(group)
            return
        self._waiting += 1
        for attempt in group[:-1]:
            if attempt.inclusion is not None or attempt.state is not State.REPLACED:
                self._swap(attempt, replace(attempt, state=State.REPLACED, inclusion=None))
        if self._lags(newest):
            # Nothing is concluded from a chain that is shorter than one we saw; but where blocks
            # come only with transactions it grows by being sent ours.
            self._send_again(replace(newest, state=State.SENT))
            return
        if newest.inclusion is not None or newest.state is State.REPLACED:
            back = self._swap(newest, replace(newest, state=State.REORGED, inclusion=None))
            if back is None:
                return
            newest = back
        self._send_again(newest)

    def _lags(self, attempt: Attempt) -> bool:
        inclusion = attempt.inclusion
        return inclusion is not None and self._view.block_number < inclusion.block_number

    def _send_again(self, attempt: Attempt) -> None:
        """The same bytes once more; the time of the first broadcast is kept, for `stuck`."""
        try:
            if attempt.state is not State.SENT:
                step = push(attempt, anchors=self._anchors, chain=self._chain, clock=self._clock)
                if step.attempt is not None:
                    self._note(attempt, step.attempt)
            elif attempt.signed is not None:
                self._chain.send(attempt.signed.raw)
        except BridgeError as error:
            if error.fault is Fault.US:
                raise
            self._problems.append(error)

    def _foreign(self, group: Sequence[Attempt]) -> None:
        """A transaction that is none of ours took the nonce, for ever."""
        for attempt in group:
            self._swap(
                attempt,
                replace(
                    attempt,
                    state=State.FAILED,
                    inclusion=None,
                    settled=True,
                    reason="another transaction of this account took the nonce",
                ),
            )

    def _nonce_is_final(self, nonce: int) -> bool:
        return self._chain.final_nonce() > nonce

    def _swap(self, before: Attempt, after: Attempt) -> Attempt | None:
        with self._anchors.unit():
            changed = self._anchors.swap(before, after)
        if changed is not None:
            self._note(before, changed)
        return changed

    def _note(self, before: Attempt, after: Attempt) -> None:
        first, _ = self._changed.get(before.id, (before, before))
        self._changed[before.id] = (first, after)
