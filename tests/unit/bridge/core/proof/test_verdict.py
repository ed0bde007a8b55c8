"""Checks 11 and 12: what people are told, in words that need no knowledge of logs and chains."""

from typing import Any

import pytest

from bridge.core.proof.endpoints import LiveHead
from bridge.core.proof.report import AnchorOutcome, Check, Level, Report, Verdict
from bridge.core.proof.trust import NO_TRUST
from bridge.core.proof.trust_file import parse_trust
from bridge.core.proof.verdict import conclude
from bridge.core.proof.verify import verify
from tests.fakes.endpoint import FakeEndpoint, honest
from tests.fakes.sealed import DOCUMENT, World, dumped, trust_text

WORLD = World()
RECORD = WORLD.record_receipt()
TRUST = parse_trust(trust_text())


def _verify(receipt: Any, document: bytes | None, *readers: FakeEndpoint) -> Report:
    return verify(dumped(receipt), document, trust=TRUST, chain=readers)


def test_without_trust_nobody_stands_behind_the_receipt() -> None:
    """A receipt that only agrees with itself proves nothing: anybody can make one."""
    report = verify(dumped(RECORD), DOCUMENT, trust=NO_TRUST)

    assert (report.verdict, report.level) == (Verdict.CANNOT_SAY, Level.SELF_CONSISTENT)
    assert report.existed_by is None
    assert "nobody you trust stands behind it" in report.checks[-1].detail


def test_receipt_without_document_says_nothing_of_a_document() -> None:
    """The receipt holds; the verdict is about a document, and none was given."""
    report = _verify(RECORD, None, honest(WORLD))

    assert (report.verdict, report.level) == (Verdict.CANNOT_SAY, Level.ANCHORED)


def test_receipt_that_hides_everything_accuses_no_document() -> None:
    """What is not shown cannot be compared: neither the same nor another."""
    receipt = WORLD.record_receipt("bundle", "source")
    hidden = WORLD.record_receipt("bundle")["record"]["hidden"]
    bundle = {"name": "bundle", "claim": _claim_of_bundle()}
    receipt["record"] |= {"disclosed": [], "hidden": [bundle, *hidden]}

    report = _verify(receipt, DOCUMENT, honest(WORLD))

    assert (report.verdict, report.level) == (Verdict.CANNOT_SAY, Level.ANCHORED)
    assert "hides all that it could be compared with" in report.checks[-1].detail


def _claim_of_bundle() -> str:
    found = WORLD.record_receipt("source")["record"]["hidden"]
    return next(str(one["claim"]) for one in found if one["name"] == "bundle")


def test_chain_of_the_operator_raises_no_level() -> None:
    """A development chain is no evidence by itself, and the report says so."""
    trust = parse_trust(trust_text(independent=False))

    report = verify(dumped(RECORD), DOCUMENT, trust=trust, chain=[honest(WORLD)])

    assert (report.verdict, report.level) == (Verdict.UNCHANGED, Level.SIGNED)
    assert any("whoever runs it can rewrite it" in check.detail for check in report.checks)


def test_every_report_says_what_it_does_not_prove() -> None:
    """Existence and integrity, never truth."""
    report = _verify(RECORD, DOCUMENT)

    assert "not that what it says is true" in report.checks[-1].detail


def test_chain_that_denies_leaves_the_document_alone() -> None:
    """It was undone, or somebody lies: nobody is told that the document was changed."""
    stale = FakeEndpoint(
        name="stale", block=honest(WORLD).block, live=LiveHead(size=1, root=honest(WORLD).live.root)
    )

    report = _verify(RECORD, DOCUMENT, stale)

    assert report.verdict is Verdict.CANNOT_SAY
    assert "The document may be intact; do not rely on it" in report.checks[-1].detail


@pytest.mark.parametrize(
    ("number", "name", "words"),
    [
        (2, "document", "larger than anything that was ever sealed"),
        (3, "claims", "the document is not the one that was sealed"),
        (4, "checkpoint", "the log's own signature does not hold"),
        (5, "inclusion", "the log does not hold this where the receipt says"),
        (6, "witnesses", "the signature of a witness is false"),
        (7, "rebase", "the log was rewritten, or the receipt was"),
        (8, "anchor", "the evidence from the chain was altered"),
        (9, "opentimestamps", "the Bitcoin time-stamp was altered"),
        (10, "rfc3161", "the authority's time-stamp was altered"),
    ],
)
def test_verdict_says_in_words_what_failed(number: int, name: str, words: str) -> None:
    """With the number, for whoever wants the detail."""
    no = Check(id=number, name=name, ok=False, detail="details")

    report = conclude([no], [AnchorOutcome(checks=())], given=True, foreign=False)

    assert report.verdict is Verdict.CHANGED
    assert report.checks[-1].detail.startswith("Changed: ")
    assert words in report.checks[-1].detail
    assert f"(check {number})" in report.checks[-1].detail
