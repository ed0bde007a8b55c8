"""Issuing: what is handed out verifies, and nothing else is handed out."""

import json
from dataclasses import replace

import pytest

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest, RecordId, TreeSize
from bridge.core.log.note import VerifierKey
from bridge.core.proof.receipt import parse_receipt
from bridge.core.proof.report import Verdict
from bridge.core.proof.trust import LogKey, Trust
from bridge.core.proof.verify import verify
from bridge.flows.issue import VersionRef, issue
from bridge.flows.sequence import sequence
from bridge.ports.evidence import Anchoring
from tests.fakes import sealed as world
from tests.fakes.evidence import MemoryEvidence, leaf_of, sealed_record, sealed_revision
from tests.fakes.logbook import MemoryLogBook
from tests.fakes.signer import KnownSigner
from tests.fakes.sources import FixedClock

SIGNER = KnownSigner()
TRUST = Trust(logs=(LogKey(origin=SIGNER.name, key=VerifierKey.parse(SIGNER.verifier_key)),))
RECORD = RecordId("r5")
VERSIONS = {f"Observation/o{place}/1": b"body %d" % place for place in range(5)}
VERSION = VersionRef(type="Observation", id="o3", version=1)


def _sequence(book: MemoryLogBook) -> None:
    sequence(book=book, signer=SIGNER, clock=FixedClock(), origin=SIGNER.name)


def _node() -> tuple[MemoryEvidence, MemoryLogBook]:
    """Ten leaves in a first checkpoint, ten more in a second."""
    evidence, book = MemoryEvidence(), MemoryLogBook()
    record = sealed_record(RECORD, bundle=b"bundle", source=b"source")
    revision = sealed_revision("v6", VERSIONS)
    evidence.records[RECORD] = record
    evidence.revisions = dict.fromkeys(VERSIONS, revision)
    leaves = {5: record, 6: revision.leaf}
    for batch in (range(10), range(10, 20)):
        for place in batch:
            one = leaves.get(place) or sealed_record(f"r{place}", source=bytes([place]))
            book.promise(one.subject, leaf_of(one))
        _sequence(book)
    return evidence, book


@pytest.mark.parametrize("document", [b"bundle", b"source"])
def test_issued_receipt_of_a_record_verifies(document: bytes) -> None:
    """By the bundle or by the source, against the log's key alone."""
    evidence, book = _node()

    receipt = issue(RECORD, evidence=evidence, book=book)

    report = verify(receipt, document, trust=TRUST)
    assert (report.verdict, int(report.level)) == (Verdict.UNCHANGED, 2)


@pytest.mark.parametrize("place", range(5))
def test_issued_receipt_of_every_version_verifies(place: int) -> None:
    """Each version of a revision by the bytes as served."""
    evidence, book = _node()
    ref = VersionRef(type="Observation", id=f"o{place}", version=1)

    receipt = issue(ref, evidence=evidence, book=book)

    assert verify(receipt, VERSIONS[ref.name], trust=TRUST).verdict is Verdict.UNCHANGED


def test_only_what_may_be_seen_is_disclosed() -> None:
    """Salts of the other claims stay home: without them their hashes say nothing."""
    evidence, book = _node()

    receipt = parse_receipt(issue(RECORD, evidence=evidence, book=book, shown=("bundle",)))

    assert [claim.name for claim in receipt.disclosed] == ["bundle"]
    assert [claim.name for claim in receipt.hidden] == ["header", "map", "source"]


def test_receipt_is_rebased_to_the_anchored_checkpoint() -> None:
    """An anchor of a later checkpoint proves the record through a consistency path."""
    evidence, book = _node()
    head = book.newest()
    assert head is not None
    anchor = json.dumps(world.block(head.size, head.root)).encode()
    evidence.anchorings = [Anchoring(size=head.size, note=head.note, evidence=anchor)]

    data = issue(RECORD, evidence=evidence, book=book)

    receipt = parse_receipt(data)
    report = verify(data, b"bundle", trust=TRUST)
    assert (len(receipt.rebase), len(receipt.anchors)) == (1, 1)
    assert {check.id: check.ok for check in report.checks}[7] is True
    assert report.failed == ()


def test_fixed_part_stays_when_the_log_grows() -> None:
    """A receipt that is fetched again later starts at the same checkpoint."""
    evidence, book = _node()
    first = issue(RECORD, evidence=evidence, book=book)
    book.promise("later", b"leaf")
    _sequence(book)

    assert issue(RECORD, evidence=evidence, book=book) == first


def test_record_that_waits_for_its_checkpoint_is_told_to_wait() -> None:
    """Stored but not sequenced is no error of the caller."""
    evidence, book = MemoryEvidence(), MemoryLogBook()
    record = sealed_record(RECORD)
    evidence.records[RECORD] = record
    book.promise(RECORD, leaf_of(record))

    with pytest.raises(BridgeError, match="no signed checkpoint holds it yet") as refusal:
        issue(RECORD, evidence=evidence, book=book)

    assert (refusal.value.code, refusal.value.fault) == ("record-not-sequenced", Fault.PEER)


@pytest.mark.parametrize("subject", [RecordId("none"), VersionRef(type="X", id="y", version=1)])
def test_unknown_subject_is_refused(subject: RecordId | VersionRef) -> None:
    """No such record or version."""
    evidence, book = _node()

    with pytest.raises(BridgeError, match="nothing is stored under this name"):
        issue(subject, evidence=evidence, book=book)


def test_edited_record_gets_no_receipt() -> None:
    """When a row was changed behind the log's back, nothing is issued and fsck is named."""
    evidence, book = _node()
    evidence.records[RECORD] = sealed_record(RECORD, bundle=b"edited", source=b"source")

    with pytest.raises(BridgeError, match="does not lead to what was logged"):
        issue(RECORD, evidence=evidence, book=book)


def test_edited_version_gets_no_receipt() -> None:
    """The same for one served version among its neighbours."""
    evidence, book = _node()
    revision = evidence.revisions[VERSION.name]
    edited = tuple(replace(v, value=Digest(bytes(32))) for v in revision.versions)
    evidence.revisions[VERSION.name] = replace(revision, versions=edited)

    with pytest.raises(BridgeError, match="versions of revision v6"):
        issue(VERSION, evidence=evidence, book=book)


def test_unanchored_sizes_are_not_offered() -> None:
    """An anchor below the receipt's checkpoint proves nothing of it."""
    evidence, book = _node()
    evidence.anchorings = [Anchoring(size=TreeSize(3), note=b"", evidence=b"")]

    assert parse_receipt(issue(RECORD, evidence=evidence, book=book)).anchors == ()
