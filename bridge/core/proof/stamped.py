"""Checks 9 and 10: that Bitcoin, or a time-stamp authority, saw a checkpoint of the log.

Both stamp SHA-256 of a signed checkpoint that the receipt carries: its own, or one of `rebase`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import sha256
from bridge.core.proof.anchors import OtsAnchor, TokenAnchor, moment_text, seconds_text
from bridge.core.proof.bitcoin import BITCOIN, BitcoinHeader, parse_bitcoin_header
from bridge.core.proof.ots import (
    BitcoinAttestation,
    PendingAttestation,
    Timestamp,
    attestations,
    parse_ots,
)
from bridge.core.proof.report import AnchorOutcome, Check
from bridge.core.proof.rfc3161 import Stamp, verify_token
from bridge.core.proof.trust import Trust

__all__ = ["BitcoinReader", "check_ots", "check_token"]

MAX_BITCOIN = 8
"""Attestations of one proof that are looked at; two calendars give two."""


class BitcoinReader(Protocol):
    """One source of Bitcoin headers. May be asked again; raises BridgeError with fault PEER."""

    @property
    def name(self) -> str:
        """How the report calls it; holds no credential."""

    def header(self, height: int) -> bytes | None:
        """The 80 bytes of the block at this height; None when it has no such block."""


def check_ots(
    anchor: OtsAnchor,
    *,
    notes: Sequence[bytes],
    trust: Trust,
    readers: Sequence[BitcoinReader],
) -> AnchorOutcome:
    """Check 9 of one proof: `opentimestamps` by itself, `bitcoin` against known headers.

    Args:
        anchor: as in the receipt.
        notes: signed checkpoints that checks 4, 5 and 7 proved.
        trust: blocks that are known without asking.
        readers: sources of headers to ask about other blocks.
    """
    try:
        timestamp = _stamped(anchor, notes)
    except BridgeError as error:
        detail = f"this time-stamp proves nothing: {error}"
        return AnchorOutcome(checks=(_ots_check(ok=False, detail=detail),))
    found = tuple(attestations(timestamp))
    blocks = [(m, a.height) for m, a in found if isinstance(a, BitcoinAttestation)][:MAX_BITCOIN]
    if not blocks:
        waiting = sum(isinstance(one, PendingAttestation) for _, one in found)
        detail = f"{waiting} calendars promised and nobody attested yet: a promise proves nothing"
        return AnchorOutcome(checks=(_ots_check(ok=None, detail=detail),))
    heights = ", ".join(str(height) for _, height in blocks)
    said = f"the proof leads from the checkpoint to Bitcoin block {heights}"
    sights = [_sight(message, height, trust, readers) for message, height in blocks]
    seen = min((sight.time for sight in sights if sight.time is not None), default=None)
    wrong = any(sight.ok is False for sight in sights)
    ok = False if wrong else (True if seen else None)
    words = "; ".join(sight.detail for sight in sights)
    return AnchorOutcome(
        checks=(
            _ots_check(ok=True, detail=said),
            Check(id=9, name="bitcoin", ok=ok, detail=words),
        ),
        time=None if wrong else seen,
        independent=True,
        clock="Bitcoin's miners, which may err by two hours",
    )


def check_token(anchor: TokenAnchor, *, notes: Sequence[bytes], trust: Trust) -> AnchorOutcome:
    """Check 10 of one token, at the token's own time.

    Args:
        anchor: as in the receipt.
        notes: signed checkpoints that checks 4, 5 and 7 proved.
        trust: root certificates of authorities.
    """
    try:
        stamp = _verified(anchor, notes, trust)
    except BridgeError as error:
        ok = None if error.code == "token-untrusted" else False
        detail = f"this time-stamp {'counts for' if ok is None else 'proves'} nothing: {error}"
        return AnchorOutcome(checks=(Check(id=10, name="rfc3161", ok=ok, detail=detail),))
    detail = f"{stamp.authority} stamped the checkpoint no later than {moment_text(stamp.time)}"
    independent = any(pin.independent for pin in trust.authorities if pin.certificate == stamp.root)
    if not independent:
        detail += (
            "; your trust file does not call this authority independent, so it raises no level"
        )
    return AnchorOutcome(
        checks=(Check(id=10, name="rfc3161", ok=True, detail=detail),),
        time=moment_text(stamp.time),
        independent=independent,
        clock="a time-stamp authority",
        system="time-stamp authority",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sight:
    """What is known of one block that a proof names."""

    ok: bool | None
    detail: str
    time: str | None = None


def _stamped(anchor: OtsAnchor, notes: Sequence[bytes]) -> Timestamp:
    timestamp = parse_ots(anchor.proof)
    if timestamp.message not in [sha256(note) for note in notes]:
        raise BridgeError(
            "ots-digest",
            Fault.SENDER,
            what="the proof is of other bytes than a checkpoint of this receipt",
            where="anchor.proof",
            do="fetch the receipt again from the node that issued it",
        )
    return timestamp


def _sight(message: bytes, height: int, trust: Trust, readers: Sequence[BitcoinReader]) -> _Sight:
    for block in trust.blocks:
        if (block.chain, block.number) == (BITCOIN, height):
            return _compared(message, height, block.header, "your trust file")
    answers = [_answer(message, height, reader) for reader in readers]
    yes = [one for one in answers if one.ok]
    no = [one for one in answers if one.ok is False]
    if yes and not no:
        return yes[0]
    if no and not yes:
        return no[0]
    if yes:
        return _Sight(ok=None, detail=f"the sources of headers disagree about block {height}")
    said = "; ".join(one.detail for one in answers)
    detail = (
        f"cannot be checked: name the header of Bitcoin block {height} in your trust file, or a "
        "source of headers with --bitcoin"
    )
    return _Sight(ok=None, detail=f"{detail} ({said})" if said else detail)


def _answer(message: bytes, height: int, reader: BitcoinReader) -> _Sight:
    try:
        header = reader.header(height)
        if header is None:
            return _Sight(ok=None, detail=f"{reader.name} has no block {height}")
        return _compared(message, height, header, reader.name)
    except BridgeError as error:
        return _Sight(ok=None, detail=f"{reader.name}: {error.what}")


def _compared(message: bytes, height: int, data: bytes, source: str) -> _Sight:
    header: BitcoinHeader = parse_bitcoin_header(data)
    if header.merkle_root != message:
        detail = f"block {height} as {source} has it holds another Merkle root"
        return _Sight(ok=False, detail=detail)
    time = seconds_text(header.timestamp_s)
    detail = f"block {height} ({time}) as {source} has it holds the Merkle root"
    return _Sight(ok=True, detail=detail, time=time)


def _verified(anchor: TokenAnchor, notes: Sequence[bytes], trust: Trust) -> Stamp:
    """The token over one of the checkpoints; which one it is of is tried in order."""
    roots = [pin.certificate for pin in trust.authorities]
    refusal: BridgeError | None = None
    for note in notes:
        try:
            return verify_token(anchor.token, note, roots=roots)
        except BridgeError as error:
            refusal = error
            if error.code != "token-imprint":
                break
    raise refusal or BridgeError(
        "token-imprint",
        Fault.SENDER,
        what="the receipt proves no checkpoint that could have been stamped",
        where="receipt.rebase",
        do="fetch the receipt again from the node that issued it",
    )


def _ots_check(*, ok: bool | None, detail: str) -> Check:
    return Check(id=9, name="opentimestamps", ok=ok, detail=detail)
