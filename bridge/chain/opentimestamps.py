"""OpenTimestamps calendars: a checkpoint's digest is given to several, and their proofs fetched.

Not trusted: an answer that does not lead from our digest is refused by the reader, and whether
Bitcoin holds the end of it is for the verifier to find out. Protocol: POST /digest, GET
/timestamp/HEX of https://github.com/opentimestamps/opentimestamps-server.
"""

import time
from collections.abc import Sequence
from typing import Final

from bridge.chain.exchange import exchange
from bridge.chain.urls import public_name
from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import sha256
from bridge.core.proof.ots import (
    BitcoinAttestation,
    PendingAttestation,
    Timestamp,
    attestations,
    encode_ots,
    grafted,
    merged,
    parse_ots,
    parse_timestamp,
)
from bridge.ports.stamps import Token

__all__ = ["OpenTimestamps"]

MAX_ANSWER: Final = 10_000
"""Of the reference client."""
LEAST: Final = 2
"""Calendars that must be configured: each is one operator who may vanish before Bitcoin has it."""
REST_S: Final = 30.0
"""A calendar that gave nothing usable is not asked for this long: with many promises open, one that
hangs would else hold up the others' again and again."""
_HEADERS: Final = {
    "Accept": "application/vnd.opentimestamps.v1",
    "Content-Type": "application/x-www-form-urlencoded",
}


class OpenTimestamps:
    """The port `Stamper` over public calendars."""

    kind: str = "ots"

    def __init__(self, calendars: Sequence[str]) -> None:
        """Take their URLs; nothing is asked yet.

        Raises:
            BridgeError: `ots-calendars` when fewer than two are named.
        """
        self._calendars = tuple(dict.fromkeys(url.rstrip("/") for url in calendars))
        self._rests_until = dict.fromkeys(self._calendars, 0.0)
        if len(self._calendars) < LEAST:
            raise BridgeError(
                "ots-calendars",
                Fault.OPERATOR,
                what=f"{len(self._calendars)} calendars are named, at least {LEAST} are asked",
                where="opentimestamps.calendars",
                do="name another calendar, or none to leave OpenTimestamps off",
            )

    def stamp(self, note: bytes) -> Token:
        """Give SHA-256 of the bytes to every calendar; one that answers is enough.

        Raises:
            BridgeError: of the last calendar when none gave anything usable.
        """
        digest = sha256(note)
        found: Timestamp | None = None
        refusal: BridgeError | None = None
        for calendar in self._calendars:
            try:
                promised = self._asked(calendar, "digest", digest, body=digest)
            except BridgeError as error:
                refusal = error
                continue
            if promised is not None:
                found = promised if found is None else merged(found, promised)
        if found is None:
            raise refusal or _nothing("no calendar takes digests at its address")
        return _token(found)

    def upgrade(self, token: Token) -> Token | None:
        """Ask the calendars of this node that promised; others' addresses are never called."""
        stamped = parse_ots(token.data)
        found: dict[bytes, Timestamp] = {}
        refusal: BridgeError | None = None
        for message, attestation in attestations(stamped):
            if not isinstance(attestation, PendingAttestation):
                continue
            calendar = attestation.uri.rstrip("/")
            if calendar not in self._calendars:
                continue
            try:
                kept = self._asked(calendar, f"timestamp/{message.hex()}", message, body=None)
            except BridgeError as error:
                refusal = error
                continue
            if kept is not None:
                found[message] = kept
        if not found:
            if refusal is not None:
                raise refusal
            return None
        later = _token(grafted(stamped, found))
        return None if later == token else later

    def _asked(
        self, calendar: str, path: str, message: bytes, *, body: bytes | None
    ) -> Timestamp | None:
        """The calendar's timestamp of the message; None when it has none yet."""
        if time.monotonic() < self._rests_until[calendar]:
            raise _nothing(f"{public_name(calendar)} failed just now and is let alone for a while")
        try:
            url = f"{calendar}/{path}"
            answer = exchange(url, body=body, headers=_HEADERS, limit=MAX_ANSWER)
            return None if answer is None else parse_timestamp(answer, message)
        except BridgeError as error:
            self._rests_until[calendar] = time.monotonic() + REST_S
            raise BridgeError(
                error.code, Fault.PEER, what=error.what, where=error.where, do=error.do
            ) from error


def _token(timestamp: Timestamp) -> Token:
    complete = any(isinstance(one, BitcoinAttestation) for _, one in attestations(timestamp))
    return Token(data=encode_ots(timestamp), complete=complete)


def _nothing(what: str) -> BridgeError:
    return BridgeError(
        "stamp-unavailable",
        Fault.PEER,
        what=what,
        where="opentimestamps.calendars",
        do="see that the addresses are those of calendars",
    )
