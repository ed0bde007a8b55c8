"""From message to a receipt with stamps, verified by us and by standard tools."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from opentimestamps.core.serialize import BytesDeserializationContext
from opentimestamps.core.timestamp import DetachedTimestampFile

from bridge.chain.opentimestamps import OpenTimestamps
from bridge.chain.rfc3161 import TimeStampAuthority
from bridge.core.ids import RecordId, TreeSize
from bridge.core.log.note import VerifierKey
from bridge.core.proof.bitcoin import BITCOIN, parse_bitcoin_header
from bridge.core.proof.report import Level, Report, Verdict
from bridge.core.proof.rfc3161 import encode_response
from bridge.core.proof.trust import Authority, KnownBlock, LogKey, Trust
from bridge.core.proof.verify import verify
from bridge.flows.issue import issue
from bridge.flows.receive import Inbound, receive
from bridge.flows.sequence import sequence
from bridge.flows.stamp import stamp
from bridge.ports.stamps import Stamper
from bridge.store.database import Database
from bridge.store.evidence import PostgresEvidence
from bridge.store.intake import PostgresIntake
from bridge.store.logbook import PostgresLogBook
from bridge.store.stamps import PostgresStamps
from tests.fakes.bundles import bundle, patient
from tests.fakes.dialect import LineDialect, line
from tests.fakes.signer import KnownSigner
from tests.fakes.sources import CountedEntropy, FixedClock
from tests.stamping import BLOCK_TIME, HEIGHT, Calendar, Tsa

SIGNER = KnownSigner()
LOG = LogKey(origin=SIGNER.name, key=VerifierKey.parse(SIGNER.verifier_key))
RAW = line("1", bundle=bundle(patient("a")))
Pair = tuple[Calendar, Calendar]


class _Node:
    """One record in a signed log."""

    def __init__(self, database: Database, stampers: tuple[Stamper, ...]) -> None:
        self.book, self.stamps = PostgresLogBook(database), PostgresStamps(database)
        self.evidence, self.stampers, self.clock = (
            PostgresEvidence(database),
            stampers,
            FixedClock(),
        )
        (got,) = receive(
            [Inbound(raw=RAW, feed="f", number=1)],
            dialect=LineDialect(),
            intake=PostgresIntake(database),
            clock=self.clock,
            entropy=CountedEntropy(),
        )
        self.record: RecordId = got.record
        sequence(book=self.book, signer=SIGNER, clock=self.clock, origin=SIGNER.name)

    def stamp(self) -> None:
        for stamper in self.stampers:
            stamp(
                book=self.book,
                stamps=self.stamps,
                stamper=stamper,
                clock=self.clock,
                every=timedelta(hours=1),
            )

    def receipt(self) -> bytes:
        return issue(self.record, evidence=self.evidence, book=self.book)


@pytest.fixture
def node(clean: Database, calendars: Pair, tsa: Tsa) -> _Node:
    """Both legs configured."""
    ots = OpenTimestamps([one.url for one in calendars])
    return _Node(clean, (ots, TimeStampAuthority(tsa.url, CountedEntropy())))


def _checks(report: Report, number: int) -> list[tuple[str, bool | None]]:
    return [(check.name, check.ok) for check in report.checks if check.id == number]


def test_receipt_carries_both_stamps_and_the_earliest_dates_it(
    node: _Node, calendars: Pair, tsa: Tsa
) -> None:
    """Promises stay out; once Bitcoin has the block both pass, and the earlier time counts."""
    node.stamp()
    early = json.loads(node.receipt())["anchors"]
    header = calendars[0].mine()
    node.stamp()
    block = KnownBlock(
        chain=BITCOIN, number=HEIGHT, hash=parse_bitcoin_header(header).hash, header=header
    )
    root = x509.load_pem_x509_certificate(tsa.root_pem.encode())
    trust = Trust(logs=(LOG,), authorities=(Authority(certificate=root, independent=True),))

    receipt = node.receipt()

    assert [one["type"] for one in early] == ["rfc3161"]
    assert [one["type"] for one in json.loads(receipt)["anchors"]] == ["ots", "rfc3161"]
    dated = verify(receipt, RAW, trust=trust)
    assert (dated.verdict, dated.level) == (Verdict.UNCHANGED, Level.ANCHORED)
    assert _checks(dated, 9) == [("opentimestamps", True), ("bitcoin", None)]
    assert _checks(dated, 10) == [("rfc3161", True)]
    assert dated.existed_by is not None
    both = verify(receipt, RAW, trust=replace(trust, blocks=(block,)))
    assert _checks(both, 9) == [("opentimestamps", True), ("bitcoin", True)]
    assert both.existed_by == min(BLOCK_TIME, dated.existed_by)


def test_later_stamp_reaches_an_earlier_record_by_rebase(node: _Node, tsa: Tsa) -> None:
    """The stamped checkpoint is a later one; the receipt proves that it holds the record."""
    receive(
        [Inbound(raw=line("2", bundle=bundle(patient("b"))), feed="f", number=2)],
        dialect=LineDialect(),
        intake=PostgresIntake(node.evidence._database),
        clock=node.clock,
        entropy=_later(),
    )
    sequence(book=node.book, signer=SIGNER, clock=node.clock, origin=SIGNER.name)
    node.stamp()
    root = x509.load_pem_x509_certificate(tsa.root_pem.encode())
    trust = Trust(logs=(LOG,), authorities=(Authority(certificate=root, independent=False),))

    receipt = node.receipt()

    report = verify(receipt, RAW, trust=trust)
    assert len(json.loads(receipt)["rebase"]) == 1
    assert _checks(report, 10) == [("rfc3161", True)]
    assert (report.verdict, report.level) == (Verdict.UNCHANGED, Level.SIGNED)
    assert report.existed_by is not None


def test_standard_tools_read_what_is_stored(
    node: _Node, calendars: Pair, tsa: Tsa, tmp_path: Path
) -> None:
    """The reference library reads the .ots, `openssl ts -verify` accepts the .tsr."""
    node.stamp()
    calendars[0].mine()
    node.stamp()
    with node.evidence.unit():
        kept = {one.evidence[:20]: one for one in node.evidence.anchored(TreeSize(1))}
        newest = {kind: node.stamps.newest(kind) for kind in ("ots", "rfc3161")}

    assert len(kept) == 2
    ots, token = newest["ots"], newest["rfc3161"]
    assert ots is not None
    assert token is not None
    read = DetachedTimestampFile.deserialize(BytesDeserializationContext(ots.token.data))
    file = tmp_path / "checkpoint"
    file.write_bytes(ots.note)
    with file.open("rb") as stamped:
        assert read.file_digest == read.file_hash_op.hash_fd(stamped)
    assert tsa.accepts(encode_response(token.token.data), token.note)


def _later() -> CountedEntropy:
    entropy = CountedEntropy()
    entropy.taken = 1000
    return entropy
