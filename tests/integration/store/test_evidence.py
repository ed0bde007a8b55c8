"""From message to verified receipt on a real PostgreSQL, and every kind of tampering found."""

from dataclasses import dataclass

import pytest
from sqlalchemy import text

from bridge.chain.recount import transaction_differs
from bridge.core.ids import RecordId, sha256
from bridge.core.log.merkle import leaf_hash
from bridge.core.log.note import VerifierKey
from bridge.core.policy.access import Caller, Role
from bridge.core.proof.report import Verdict
from bridge.core.proof.trust import LogKey, Trust
from bridge.core.proof.verify import verify
from bridge.core.record.claims import claim
from bridge.core.record.header import resend_key
from bridge.core.record.merge import ResourceRef
from bridge.core.record.revision import RULES, revision_header, revision_leaf
from bridge.flows.disclose import disclose_version
from bridge.flows.fsck import Difference, Recomputed, fsck
from bridge.flows.issue import VersionRef, issue
from bridge.flows.project import project
from bridge.flows.receive import Inbound, receive
from bridge.flows.sequence import sequence
from bridge.store.database import Database
from bridge.store.evidence import PostgresEvidence
from bridge.store.intake import PostgresIntake
from bridge.store.logbook import PostgresLogBook
from bridge.store.reading import PostgresReading
from bridge.store.stored import PostgresStored
from bridge.store.versions import PostgresVersions
from tests.fakes.bundles import bundle, observation, patient, removal
from tests.fakes.dialect import LineDialect, line
from tests.fakes.evidence import leaf_of
from tests.fakes.signer import KnownSigner
from tests.fakes.sources import CountedEntropy, FixedClock

SIGNER = KnownSigner()
KEY = VerifierKey.parse(SIGNER.verifier_key)
READER = Caller(subject="clinic", roles=frozenset({Role.READER}))
TRUST = Trust(logs=(LogKey(origin=SIGNER.name, key=KEY),))
RAWS = [
    line("1", bundle=bundle(patient("a"), observation("o", "a"))),
    line("2", bundle=bundle(patient("a", active=True))),
    line("3", bundle=bundle(removal("Observation/o"))),
    line("4", bundle=bundle(patient("a", active=True))),
]


@dataclass(frozen=True, kw_only=True)
class Node:
    """A database with four records, received, projected and sequenced."""

    database: Database
    records: tuple[RecordId, ...]

    def recomputed(self) -> Recomputed:
        """Recompute all of it."""
        return fsck(
            stored=PostgresStored(self.database),
            book=PostgresLogBook(self.database),
            verifiers=[KEY],
            transaction=transaction_differs,
            progress=lambda _stage, _done: None,
        )

    def fsck(self) -> Difference | None:
        """What it finds."""
        return self.recomputed().difference

    def run(self, statement: str, **values: object) -> None:
        """What a database administrator could do."""
        with self.database.unit():
            assert self.database.connection.execute(text(statement), values).rowcount > 0

    def receipt(self, subject: RecordId | VersionRef) -> bytes:
        """A receipt."""
        evidence, book = PostgresEvidence(self.database), PostgresLogBook(self.database)
        return issue(subject, evidence=evidence, book=book)

    def body(self, ref: VersionRef) -> bytes:
        """The bytes of a version as served."""
        statement = text(
            "SELECT body FROM resource_version WHERE (type, id, version) = (:type, :id, :version)"
        )
        names = {"type": ref.type, "id": ref.id, "version": ref.version}
        with self.database.unit():
            return bytes(self.database.connection.execute(statement, names).scalar_one())


@pytest.fixture
def node(clean: Database) -> Node:
    """Everything done."""
    entropy = CountedEntropy()
    received = receive(
        [Inbound(raw=raw, feed="test/1", number=n) for n, raw in enumerate(RAWS)],
        dialect=LineDialect(),
        intake=PostgresIntake(clean),
        clock=FixedClock(),
        entropy=entropy,
    )
    while project(versions=PostgresVersions(clean), clock=FixedClock(), entropy=entropy).records:
        pass
    disclose_version(
        ResourceRef("Patient", "a"),
        caller=READER,
        reading=PostgresReading(clean),
        clock=FixedClock(),
        entropy=entropy,
    )
    book = PostgresLogBook(clean)
    while sequence(book=book, signer=SIGNER, clock=FixedClock(), origin=SIGNER.name, max_leaves=3):
        pass
    return Node(database=clean, records=tuple(one.record for one in received))


def test_every_record_gets_a_receipt_that_verifies(node: Node) -> None:
    """By the bytes as received, offline, with the log's key alone."""
    for record, raw in zip(node.records, RAWS, strict=True):
        report = verify(node.receipt(record), raw, trust=TRUST)
        assert (report.verdict, report.failed) == (Verdict.UNCHANGED, ())


@pytest.mark.parametrize(
    "ref",
    [
        VersionRef(type="Patient", id="a", version=1),
        VersionRef(type="Patient", id="a", version=2),
        VersionRef(type="Observation", id="o", version=1),
        VersionRef(type="Observation", id="o", version=2),
    ],
    ids=lambda ref: ref.name,
)
def test_every_version_gets_a_receipt_that_verifies(node: Node, ref: VersionRef) -> None:
    """By the bytes as served; a deletion by no bytes at all."""
    report = verify(node.receipt(ref), node.body(ref), trust=TRUST)

    assert (report.verdict, report.failed) == (Verdict.UNCHANGED, ())


def test_clean_database_is_clean(node: Node) -> None:
    """All that is stored follows from the records."""
    assert node.fsck() is None


@pytest.mark.parametrize(
    ("statement", "where"),
    [
        pytest.param(
            "UPDATE record SET source = 'x' WHERE control_id = '2'",
            "claim source",
            id="edits-a-source",
        ),
        pytest.param(
            "UPDATE record SET source = 'x', source_digest = sha256('x') WHERE control_id = '2'",
            "leaf",
            id="edits-source-and-digest",
        ),
        pytest.param(
            "UPDATE record SET bundle = bundle || ' ' WHERE control_id = '2'",
            "claim bundle",
            id="edits-a-bundle",
        ),
        pytest.param(
            "UPDATE record SET received = received - interval '1 day' WHERE control_id = '2'",
            "claim header",
            id="back-dates-a-record",
        ),
        pytest.param(
            "UPDATE record SET salts = sha256('x') || salts WHERE control_id = '2'",
            "leaf",
            id="swaps-salts",
        ),
        pytest.param(
            "DELETE FROM leaf WHERE subject = (SELECT id FROM record WHERE control_id = '2')",
            "leaf",
            id="drops-a-leaf",
        ),
        pytest.param(
            "UPDATE resource_version SET body = body || ' ' WHERE type = 'Patient' AND version = 2",
            "version Patient/a/2",
            id="edits-what-clinics-see",
        ),
        pytest.param(
            "DELETE FROM resource_version WHERE type = 'Patient' AND version = 2",
            "version Patient/a/2",
            id="drops-a-version",
        ),
        pytest.param(
            "INSERT INTO resource_version SELECT type, 'made-up', version, revision, place, at, "
            "deleted, body, salt FROM resource_version WHERE type = 'Patient' AND version = 1",
            "version Patient/made-up/1",
            id="makes-up-a-resource",
        ),
        pytest.param(
            "UPDATE record SET bundle = 'x', bundle_digest = sha256('x') WHERE control_id = '2'",
            "claim bundle",
            id="edits-bundle-and-digest",
        ),
        pytest.param(
            "UPDATE revision SET resources_root = sha256('x') WHERE seq = "
            "(SELECT min(seq) FROM revision)",
            "claim resources",
            id="edits-a-root",
        ),
        pytest.param(
            "UPDATE revision SET header = 'x' WHERE seq = (SELECT min(seq) FROM revision)",
            "claim header",
            id="edits-a-revision-header",
        ),
        pytest.param(
            "DELETE FROM revision WHERE seq = (SELECT max(seq) FROM revision)",
            "of revision",
            id="drops-a-revision",
        ),
        pytest.param("DELETE FROM record WHERE control_id = '4'", "of record", id="drops-a-record"),
        pytest.param(
            "UPDATE resource SET version = 1 WHERE type = 'Patient'",
            "resource Patient/a",
            id="serves-an-older-version",
        ),
        pytest.param("UPDATE tile SET data = sha256('x') || data", "tile/0/", id="edits-a-tile"),
        pytest.param("UPDATE head SET root = sha256('x')", "head of size 9", id="edits-the-head"),
        pytest.param(
            "UPDATE checkpoint SET root = sha256('x') WHERE size = 3",
            "checkpoint of size 3",
            id="edits-a-checkpoint",
        ),
        pytest.param(
            "UPDATE checkpoint SET note = (SELECT note FROM checkpoint WHERE size = 6) "
            "WHERE size = 3",
            "checkpoint of size 3",
            id="swaps-a-signed-note",
        ),
        pytest.param("DELETE FROM head", "checkpoint of size 3", id="drops-the-head"),
        pytest.param(
            "DELETE FROM resource WHERE type = 'Patient'",
            "resource version Patient/a",
            id="hides-a-resource",
        ),
        pytest.param(
            "UPDATE resource SET updated = updated - interval '1 day' WHERE type = 'Patient'",
            "resource Patient/a",
            id="back-dates-a-resource",
        ),
        pytest.param(
            "UPDATE resource_version SET at = at - interval '1 day' WHERE type = 'Patient'",
            "resource version Patient/a",
            id="back-dates-a-version",
        ),
        pytest.param(
            "UPDATE record SET apply = 'x' WHERE control_id = '2'", "record 0", id="makes-no-sense"
        ),
        pytest.param(
            "DELETE FROM index_token WHERE type = 'Patient'",
            "search index of Patient/a",
            id="hides-from-a-search",
        ),
        pytest.param(
            "INSERT INTO index_token SELECT 'Patient', 'b', param, system, value FROM index_token "
            "WHERE type = 'Patient' LIMIT 1",
            "index_token Patient/b",
            id="adds-to-a-search",
        ),
        pytest.param(
            "UPDATE access SET event = replace(encode(event, 'escape'), 'clinic', 'nobody')::bytea",
            "access 0",
            id="edits-an-access",
        ),
        pytest.param("DELETE FROM access", "of access 0", id="drops-an-access"),
        pytest.param(
            "UPDATE access SET at = at - interval '1 day'", "access 0", id="back-dates-an-access"
        ),
        pytest.param(
            "DELETE FROM access_patient", "access 0", id="hides-an-access-from-the-patient"
        ),
    ],
)
def test_administrator_is_caught(node: Node, statement: str, where: str) -> None:
    """Whatever is changed behind the node's back, fsck names where."""
    node.run(statement)

    found = node.fsck()

    assert found is not None
    assert where in found.where


def test_whoever_edits_everything_still_meets_the_log(node: Node) -> None:
    """Record, digests and leaf row changed together: the tiles and the signed heads remember."""
    (record,) = node.records[1:2]
    with node.database.unit():
        stored = next(r for r in PostgresStored(node.database).records(0, 9) if r.id == record)
    sealed = PostgresEvidence(node.database)
    node.run(
        "UPDATE record SET source = 'x', source_digest = sha256('x'), resend_key = :key "
        "WHERE id = :id",
        id=record,
        key=resend_key(sender=stored.sender, name=stored.control_id, source=sha256(b"x")),
    )
    with sealed.unit():
        leaf = sealed.record(record)
    assert leaf is not None
    node.run("UPDATE leaf SET leaf = :leaf WHERE subject = :id", id=record, leaf=leaf_of(leaf))

    found = node.fsck()

    assert stored.leaf != leaf_of(leaf)
    assert found is not None
    assert found.where.startswith("tile/0/")


def test_what_older_rules_made_is_counted_and_not_accused(clean: Database) -> None:
    """It is served as it was sealed; only that this program makes other bytes of it is said."""
    node = _older(clean, "fhir-anchor/projection/0")

    done = node.recomputed()

    assert (done.difference, done.other_rules) == (None, {"fhir-anchor/projection/0": 1})


def test_seal_of_what_older_rules_made_is_checked(clean: Database) -> None:
    """Nobody escapes by naming other rules afterwards."""
    node = _older(clean, "fhir-anchor/projection/0")
    node.run("UPDATE resource_version SET body = body || ' ' WHERE version = 1")

    found = node.fsck()

    assert found is not None
    assert "the versions do not lead to the root" in found.what


def test_other_bytes_by_the_same_rules_are_a_change(clean: Database) -> None:
    """Even when everything in the database agrees with them."""
    node = _older(clean, RULES)

    found = node.fsck()

    assert found is not None
    assert found.where.endswith("version Patient/a/1")


def _older(clean: Database, rules: str) -> Node:
    """One record, whose only version was made and sealed by rules that make other bytes of it."""
    entropy = CountedEntropy()
    (kept,) = receive(
        [Inbound(raw=line("1", bundle=bundle(patient("a"))), feed="test/1", number=1)],
        dialect=LineDialect(),
        intake=PostgresIntake(clean),
        clock=FixedClock(),
        entropy=entropy,
    )
    project(versions=PostgresVersions(clean), clock=FixedClock(), entropy=entropy)
    node = Node(database=clean, records=(kept.record,))
    stored = PostgresStored(clean)
    with stored.unit():
        (made,) = stored.revisions(0, 1)
    (version,) = made.versions
    body = version.body.replace(b'"id":"a"', b'"active":true,"id":"a"')
    root = leaf_hash(claim("Patient/a/1", version.salt, sha256(body)))
    header = revision_header(record=made.record, at=made.at, versions=1, rules=rules)
    sealed = revision_leaf(header=header, resources=root, salts=made.salts)
    node.run("UPDATE resource_version SET body = :body", body=body)
    node.run(
        "UPDATE revision SET header = :header, resources_root = :root", header=header, root=root
    )
    node.run("UPDATE leaf_queue SET leaf = :leaf WHERE kind = 6", leaf=sealed)
    node.run("INSERT INTO index_token VALUES ('Patient', 'a', 'active', '', 'true')")
    return node
