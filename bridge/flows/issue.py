"""A record or resource version to its receipt. Nothing leaves that would not verify."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest, LeafIndex, RecordId, TreeSize
from bridge.core.log.checkpoint import Checkpoint, parse_checkpoint, parse_note
from bridge.core.log.merkle import inclusion_proof, leaf_hash, root, verify_inclusion
from bridge.core.log.tiles import prove_consistency, prove_inclusion
from bridge.core.log.tlog_proof import TlogProof
from bridge.core.proof.anchors import Anchor, parse_anchor
from bridge.core.proof.members import load
from bridge.core.proof.receipt import (
    MAX_SIZE,
    HiddenClaim,
    Rebase,
    Receipt,
    ResourcePart,
    encode_receipt,
)
from bridge.core.record.claims import Kind, claim, commitment, leaf
from bridge.ports.evidence import Anchoring, Evidence, SealedLeaf, SealedRevision
from bridge.ports.logbook import LogBook, PublishedHead

__all__ = ["SHOWN", "EventRef", "VersionRef", "issue"]

SHOWN = ("bundle", "source")
"""What a record's receipt discloses: that this was sent, and that this is what it meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRef:
    """One version of one resource, `Type/id/_history/version`."""

    type: str
    id: str
    version: int

    @property
    def name(self) -> str:
        """Of its claim."""
        return f"{self.type}/{self.id}/{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRef:
    """A feed marker or key event."""

    id: str


def issue(
    subject: RecordId | VersionRef | EventRef,
    *,
    evidence: Evidence,
    book: LogBook,
    shown: Collection[str] = SHOWN,
) -> bytes:
    """The receipt, from the first checkpoint that holds the leaf to the first anchor after it.

    Asking again gives the same fixed part; anchors are added once they are final.

    Args:
        subject: a record, a resource version, or an event, all of whose claims are shown.
        evidence: claims with their salts, and anchors.
        book: the log; its reads join the unit of `evidence`.
        shown: claims of a record that the receiver may see; the others go as hashes.

    Raises:
        BridgeError: `record-unknown`; `record-not-sequenced` (fault PEER: wait and ask again);
            `evidence-differs` when the stored claims do not lead to the log, and nothing is issued.
    """
    with evidence.unit():
        if isinstance(subject, VersionRef):
            return encode_receipt(_version_receipt(subject, evidence, book))
        if isinstance(subject, EventRef):
            event = evidence.event(subject.id)
            if event is None:
                raise _unknown(f"event {subject.id[:64]}")
            names = [one.name for one in event.claims]
            return encode_receipt(_receipt(event, names, evidence, book))
        sealed = evidence.record(subject)
        if sealed is None:
            raise _unknown(f"record {subject}")
        return encode_receipt(_receipt(sealed, shown, evidence, book))


def _version_receipt(ref: VersionRef, evidence: Evidence, book: LogBook) -> Receipt:
    revision = evidence.revision(ref.type, ref.id, ref.version)
    if revision is None:
        raise _unknown(f"version {ref.name}")
    receipt = _receipt(revision.leaf, ("resources",), evidence, book)
    return Receipt(
        kind=receipt.kind,
        proof=receipt.proof,
        disclosed=receipt.disclosed,
        hidden=receipt.hidden,
        rebase=receipt.rebase,
        anchors=receipt.anchors,
        resource=_resource_part(ref.name, revision),
    )


def _resource_part(name: str, revision: SealedRevision) -> ResourcePart:
    """The version's place in the tree that `resources` is the root of, proved before it is used."""
    hashes = [
        leaf_hash(claim(version.name, version.salt, version.value)) for version in revision.versions
    ]
    place = next(n for n, version in enumerate(revision.versions) if version.name == name)
    version, size = revision.versions[place], TreeSize(len(hashes))
    value = next(one.value for one in revision.leaf.claims if one.name == "resources")
    if root(hashes) != value:
        raise _differs(f"versions of revision {revision.leaf.subject}")

    def node(height: int, index: int) -> Digest:
        return root(hashes[index << height : (index + 1) << height])

    return ResourcePart(
        name=name,
        salt=version.salt,
        value=version.value,
        index=LeafIndex(place),
        size=size,
        path=inclusion_proof(LeafIndex(place), size, node),
    )


def _receipt(
    sealed: SealedLeaf, shown: Collection[str], evidence: Evidence, book: LogBook
) -> Receipt:
    index, head = _place(sealed.subject, book)
    checkpoint = parse_checkpoint(parse_note(head.note).text)
    path = prove_inclusion(index, checkpoint.size, book.tiles)
    digest = leaf_hash(leaf(sealed.kind, commitment({c.name: c.digest() for c in sealed.claims})))
    try:
        verify_inclusion(digest, index, checkpoint.size, path, checkpoint.root)
    except BridgeError as error:
        raise _differs(f"{sealed.kind.name.lower()} {sealed.subject}") from error
    anchorings = evidence.anchored(checkpoint.size)
    return Receipt(
        kind=Kind(sealed.kind),
        proof=TlogProof(index=index, path=path, checkpoint=head.note),
        disclosed=tuple(one for one in sealed.claims if one.name in shown),
        hidden=tuple(
            HiddenClaim(name=one.name, digest=one.digest())
            for one in sealed.claims
            if one.name not in shown
        ),
        rebase=_rebase(checkpoint, anchorings, book),
        anchors=tuple(_anchor(one) for one in anchorings),
    )


def _place(subject: str, book: LogBook) -> tuple[LeafIndex, PublishedHead]:
    """The leaf's index and the first published checkpoint that holds it."""
    index = book.index_of(subject)
    head = None if index is None else book.published(size_from=index + 1)
    if index is None or head is None:
        raise BridgeError(
            "record-not-sequenced",
            Fault.PEER,
            what="the record is stored but no signed checkpoint holds it yet",
            where=subject,
            do="wait a few seconds and ask again; see that a worker runs if it stays so",
        )
    return index, head


def _rebase(
    first: Checkpoint, anchorings: Sequence[Anchoring], book: LogBook
) -> tuple[Rebase, ...]:
    """One step for each later checkpoint that was anchored."""
    later = {one.size: one.note for one in anchorings if one.size != first.size}
    return tuple(
        Rebase(checkpoint=later[size], path=prove_consistency(first.size, size, book.tiles))
        for size in sorted(later)
    )


def _anchor(anchoring: Anchoring) -> Anchor:
    return parse_anchor(load(anchoring.evidence, max_size=MAX_SIZE, where="evidence"), "evidence")


def _unknown(where: str) -> BridgeError:
    return BridgeError(
        "record-unknown",
        Fault.SENDER,
        what="nothing is stored under this name",
        where=where,
        do="check the id; GET /records finds records by control id and sender",
    )


def _differs(where: str) -> BridgeError:
    return BridgeError(
        "evidence-differs",
        Fault.US,
        what="what is stored does not lead to what was logged: one of them was changed",
        where=where,
        do="run `fhir-anchor fsck` and restore the database from a good copy",
    )
