"""What a log's owner does in the contract: key, anchorer, owner, and its succession.

Each verb gives a change, which is tried or made. It looks first and sends only what is missing, so
that one that was cut is made again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bridge.chain.contract import (
    NOBODY,
    Registration,
    accept_owner_call,
    change_key_call,
    propose_owner_call,
    retire_call,
    set_anchorer_call,
)
from bridge.chain.deploy import Deployment, Former, registration_of, write_deployment
from bridge.chain.transact import Teller
from bridge.core.errors import BridgeError, Fault

__all__ = ["Change", "Governor", "take_over"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One call of the owner."""

    teller: Teller
    call: bytes
    stands: Callable[[], bool]
    """Whether the chain shows its effect."""
    wait: Callable[[], None]
    """Called between two looks at the chain."""

    def tried(self) -> int:
        """The most gas that it would take; nothing is sent. Raises BridgeError."""
        return self.teller.try_call(self.call)

    def make(self) -> None:
        """Send it unless it stands, and see it stand. Raises BridgeError."""
        self.teller.call_until(self.call, self.stands, self.wait)


@dataclass(frozen=True, slots=True, kw_only=True)
class Governor:
    """One log in one contract, and the account that speaks for its owner."""

    teller: Teller
    log_id: bytes
    wait: Callable[[], None]
    """Called between two looks at the chain."""

    def registration(self) -> Registration:
        """What the contract says of the log now."""
        return registration_of(
            self.teller.endpoints, self.teller.contract, "0x" + self.log_id.hex()
        )

    def change_key(self, key_hash: bytes) -> Change:
        """Name the key that signs from the present head on."""
        return self._change(
            change_key_call(self.log_id, key_hash),
            lambda: self.registration().key_hash == key_hash,
        )

    def set_anchorer(self, anchorer: str) -> Change:
        """Name the account that anchors; `NOBODY` stops anchoring."""
        return self._change(
            set_anchorer_call(self.log_id, anchorer),
            lambda: self.registration().anchorer == anchorer,
        )

    def propose_owner(self, owner: str) -> Change:
        """Offer the log to another owner; `NOBODY` withdraws."""
        return self._change(
            propose_owner_call(self.log_id, owner),
            lambda: self.registration().pending_owner == owner,
        )

    def accept_owner(self) -> Change:
        """Take a log that was offered to this account."""
        account = self.teller.account.address
        return self._change(
            accept_owner_call(self.log_id), lambda: self.registration().owner == account
        )

    def retire(self, successor: str, successor_log_id: bytes) -> Change:
        """Close the log for ever and name where it goes on.

        Raises:
            BridgeError: `log-retired` when it was closed for another successor.
        """
        found = self.registration()
        if found.successor not in {NOBODY, successor} or (
            found.successor == successor and found.successor_log_id != successor_log_id
        ):
            raise BridgeError(
                "log-retired",
                Fault.OPERATOR,
                what=f"the log was closed for another successor, {found.successor}",
                where=self.teller.contract,
                do="look at that contract; a log that was closed cannot be closed again",
            )
        return self._change(
            retire_call(self.log_id, successor, successor_log_id),
            lambda: self.registration().successor == successor,
        )

    def _change(self, call: bytes, stands: Callable[[], bool]) -> Change:
        return Change(teller=self.teller, call=call, stands=stands, wait=self.wait)


def take_over(state: Path, following: Path, made: Deployment) -> None:
    """Let the successor's state file take the place of the present one, which it remembers.

    The last step of a succession: before it the node anchors nowhere, after it in the successor.
    """
    before = msgspec.json.decode(state.read_bytes(), type=Deployment)
    if before.address != made.address:
        gone = Former(
            chain=before.chain,
            address=before.address,
            code_hash=before.code_hash,
            log_id=before.log_id,
        )
        write_deployment(state, msgspec.structs.replace(made, former=(gone, *before.former)))
    following.unlink(missing_ok=True)
