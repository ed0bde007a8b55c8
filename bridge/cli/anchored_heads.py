"""Which heads of a log its contracts hold and ever held, by the word of enough endpoints."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bridge.cli.rpc import JsonRpcReader, readers_of
from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import TreeSize
from bridge.core.proof.endpoints import LiveHead
from bridge.core.proof.trust import Contract, Trust
from bridge.ports.logbook import AnchoredHead

__all__ = ["AnchoredHeads", "anchored_heads"]

_UNPINNED = (
    "your trust file pins no contract of this log: heads that stand in the data of transactions "
    "cannot be listed, so nothing was compared with a chain; `fhir-anchor verify` checks those "
    "that receipts carry"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchoredHeads:
    """What is compared with the log, and what is not and why."""

    heads: tuple[AnchoredHead, ...] = ()
    notes: tuple[str, ...] = ()
    """Endpoints that did not answer, and heads that too few of them hold: no misbehaviour of the
    log, which one lying endpoint must not be able to accuse."""


def anchored_heads(rpc: Sequence[str], trust: Trust, origin: str) -> AnchoredHeads:
    """Ask every endpoint for the heads of every pinned contract of the log.

    Raises:
        BridgeError: `rpc-unavailable` when endpoints are named and none says anything.
    """
    readers = readers_of(rpc)
    pinned = [one for one in trust.contracts if one.origin == origin]
    if readers and not pinned:
        return AnchoredHeads(notes=(_UNPINNED,))
    heads, notes = list[AnchoredHead](), list[str]()
    for contract in pinned if readers else ():
        found = _held(contract, readers)
        heads += found.heads
        notes += found.notes
    if readers and not heads and notes:
        raise BridgeError(
            "rpc-unavailable",
            Fault.PEER,
            what="; ".join(notes),
            where="--rpc",
            do="try again, or name other endpoints",
        )
    return AnchoredHeads(heads=tuple(heads), notes=tuple(notes))


def _held(contract: Contract, readers: Sequence[JsonRpcReader]) -> AnchoredHeads:
    votes, notes, asked = Counter[LiveHead](), list[str](), 0
    for reader in readers:
        try:
            if reader.chain() != contract.chain:
                continue
            asked += 1
            if reader.code_hash(contract.address) != contract.code_hash:
                notes.append(f"{reader.name} holds other code than the pinned one at the contract")
                continue
            live = reader.head(contract.address, contract.log_id)
        except BridgeError as error:
            notes.append(f"{reader.name} did not answer: {error.what}")
            continue
        past = _past(reader, contract, notes)
        votes.update({live, *past})
    if not asked and not notes:
        notes.append(f"no endpoint is of {contract.chain}: the contract there was not asked")
    few = [head for head, count in votes.items() if count < contract.endpoints]
    notes += [
        f"size {head.size} with root {head.root.hex()[:16]}... is held by {votes[head]} of {asked} "
        f"endpoints of {contract.chain}, {contract.endpoints} are needed: not compared"
        for head in sorted(few, key=_size)
    ]
    enough = sorted((head for head in votes if head not in few), key=_size)
    return AnchoredHeads(
        heads=tuple(AnchoredHead(size=TreeSize(one.size), root=one.root) for one in enough),
        notes=tuple(notes),
    )


def _past(reader: JsonRpcReader, contract: Contract, notes: list[str]) -> Sequence[LiveHead]:
    try:
        return reader.past_heads(contract.address, contract.log_id)
    except BridgeError as error:
        notes.append(f"{reader.name} lists no past anchors, only its newest counts: {error.what}")
        return ()


def _size(head: LiveHead) -> int:
    return head.size
