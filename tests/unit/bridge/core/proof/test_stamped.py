"""Checks 9 and 10 on receipts of a world that a second implementation made."""

import base64
import copy
from dataclasses import dataclass, replace
from typing import Any

import pytest
from cryptography import x509

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import sha256
from bridge.core.proof.bitcoin import BITCOIN, parse_bitcoin_header
from bridge.core.proof.ots import BitcoinAttestation, Timestamp, encode_ots
from bridge.core.proof.report import Level, Report, Verdict
from bridge.core.proof.rfc3161 import encode_query, parse_response
from bridge.core.proof.trust import Authority, KnownBlock, Trust
from bridge.core.proof.trust_file import parse_trust, trust_text
from bridge.core.proof.verify import verify
from tests.fakes import sealed
from tests.fakes.sealed import DOCUMENT, World, dumped
from tests.fakes.token import signed_token
from tests.stamping import BLOCK_TIME, BLOCK_TIME_S, HEIGHT, Tsa, bitcoin_header

WORLD = World()
LATER = WORLD.record_receipt()["rebase"][0]["checkpoint"].encode()
TRUST = Trust(logs=parse_trust(sealed.trust_text()).logs)


@dataclass(kw_only=True)
class _Source:
    """A source of headers that answers what a test wants."""

    name: str = "headers.example"
    known: bytes | None = None
    down: bool = False

    def header(self, height: int) -> bytes | None:
        assert height == HEIGHT
        if self.down:
            raise BridgeError("rpc", Fault.PEER, what="it is down", where="", do="")
        return self.known


def _receipt(*anchors: dict[str, Any]) -> dict[str, Any]:
    receipt = copy.deepcopy(WORLD.record_receipt())
    receipt["anchors"] = list(anchors)
    return receipt


def _ots(note: bytes = LATER, *, height: int = HEIGHT) -> dict[str, Any]:
    stamp = Timestamp(message=sha256(note), attestations=(BitcoinAttestation(height=height),))
    return {"type": "ots", "proof": base64.b64encode(encode_ots(stamp)).decode()}


def _block(note: bytes = LATER) -> KnownBlock:
    header = bitcoin_header(sha256(note))
    known = parse_bitcoin_header(header).hash
    return KnownBlock(chain=BITCOIN, number=HEIGHT, hash=known, header=header)


def _token(data: bytes) -> dict[str, Any]:
    return {"type": "rfc3161", "token": base64.b64encode(data).decode()}


def _verify(receipt: dict[str, Any], trust: Trust, *sources: _Source) -> Report:
    return verify(dumped(receipt), DOCUMENT, trust=trust, bitcoin=sources)


def _named(report: Report, name: str) -> tuple[bool | None, str]:
    check = next(check for check in report.checks if check.name == name)
    return check.ok, check.detail


@pytest.mark.parametrize("own", [True, False], ids=["own-checkpoint", "rebased-checkpoint"])
def test_bitcoin_block_of_the_trust_file_dates_the_record(*, own: bool) -> None:
    """By the receipt's own checkpoint, or by a later one that it proves."""
    note = WORLD.record_receipt()["tlog_proof"].encode().partition(b"\n\n")[2] if own else LATER

    report = _verify(_receipt(_ots(note)), replace(TRUST, blocks=(_block(note),)))

    assert (report.verdict, report.level) == (Verdict.UNCHANGED, Level.ANCHORED)
    assert report.existed_by == BLOCK_TIME
    assert "by the clock of Bitcoin's miners" in report.checks[-2].detail


def test_unknown_block_cannot_be_checked_and_the_report_says_what_is_missing() -> None:
    """Nobody is asked behind the verifier's back."""
    report = _verify(_receipt(_ots()), TRUST)

    ok, detail = _named(report, "bitcoin")
    assert (ok, report.level, report.existed_by) == (None, Level.SIGNED, None)
    assert f"name the header of Bitcoin block {HEIGHT} in your trust file" in detail


def test_forged_proof_fails_against_a_known_block() -> None:
    """The block's Merkle root is another one."""
    report = _verify(_receipt(_ots()), replace(TRUST, blocks=(_block(b"else"),)))

    assert (report.verdict, report.level) == (Verdict.CANNOT_SAY, Level.FAILED)
    assert "another Merkle root" in _named(report, "bitcoin")[1]


def test_proof_of_other_bytes_is_evidence_of_nothing() -> None:
    """A genuine proof of a checkpoint that the receipt does not carry."""
    report = _verify(_receipt(_ots(b"else")), replace(TRUST, blocks=(_block(b"else"),)))

    assert (report.verdict, _named(report, "opentimestamps")[0]) == (Verdict.CHANGED, False)


RIGHT, WRONG = _Source(known=_block().header), _Source(known=_block(b"else").header)


@pytest.mark.parametrize(
    ("sources", "ok"),
    [
        pytest.param([RIGHT], True, id="one"),
        pytest.param([RIGHT, _Source(down=True), _Source(known=None)], True, id="others-silent"),
        pytest.param([RIGHT, WRONG], None, id="disagree"),
        pytest.param([WRONG], False, id="contradicts"),
        pytest.param([_Source(down=True)], None, id="down"),
        pytest.param([_Source(known=bytes(80))], None, id="no-work"),
    ],
)
def test_sources_of_headers_are_compared(sources: list[_Source], ok: bool | None) -> None:  # noqa: FBT001
    """One yes is enough while nobody says no; a source that lies is never followed."""
    report = _verify(_receipt(_ots()), TRUST, *sources)

    assert _named(report, "bitcoin")[0] is ok
    assert report.existed_by == (BLOCK_TIME if ok else None)


@pytest.fixture(scope="module")
def token(tsa: Tsa) -> bytes:
    """Over the later checkpoint."""
    return parse_response(tsa.answer(encode_query(sha256(LATER), nonce=1)))


def _believing(tsa: Tsa, *, independent: bool = True) -> Trust:
    root = x509.load_pem_x509_certificate(tsa.root_pem.encode())
    pin = Authority(certificate=root, independent=independent)
    return parse_trust(trust_text(replace(TRUST, authorities=(pin,))).encode())


@pytest.mark.parametrize("independent", [True, False])
def test_token_of_a_believed_authority_dates_the_record(
    tsa: Tsa, token: bytes, *, independent: bool
) -> None:
    """An authority of the operator's own raises no level, and the report says so."""
    report = _verify(_receipt(_token(token)), _believing(tsa, independent=independent))

    assert report.verdict is Verdict.UNCHANGED
    assert report.level == (Level.ANCHORED if independent else Level.SIGNED)
    assert (report.existed_by is not None, _named(report, "rfc3161")[0]) == (True, True)
    assert ("raises no level" in _named(report, "rfc3161")[1]) is not independent


def test_token_of_an_unknown_authority_counts_for_nothing(token: bytes) -> None:
    """It neither dates the record nor taints it."""
    report = _verify(_receipt(_token(token)), TRUST)

    assert (report.verdict, report.level) == (Verdict.UNCHANGED, Level.SIGNED)
    assert _named(report, "rfc3161")[0] is None


def test_token_over_other_bytes_fails(tsa: Tsa) -> None:
    """A genuine token of something else."""
    other = signed_token(tsa.folder, b"else")

    report = _verify(_receipt(_token(other)), _believing(tsa))

    assert (report.verdict, _named(report, "rfc3161")[0]) == (Verdict.CHANGED, False)


def test_the_earliest_of_several_anchors_counts(tsa: Tsa, token: bytes) -> None:
    """Whatever kind it is of."""
    trust = replace(_believing(tsa), blocks=(_block(),))

    report = _verify(_receipt(_token(token), _ots()), trust)

    stamped = _verify(_receipt(_token(token)), trust).existed_by
    assert stamped is not None
    assert report.existed_by == min(stamped, BLOCK_TIME)
    assert BLOCK_TIME_S == 1_790_000_000


def test_log_that_nobody_vouches_for_is_dated_by_those_who_are_named(
    tsa: Tsa, token: bytes
) -> None:
    """Without the log's key the stamp still says when; whose log it is stays open, and is said."""
    report = _verify(_receipt(_token(token)), replace(_believing(tsa), logs=()))

    assert report.level == Level.SELF_CONSISTENT
    assert "the time-stamp authority you named; whose log it is" in report.checks[-1].detail


@pytest.mark.parametrize(
    "anchor",
    [
        {"type": "ots", "proof": ""},
        {"type": "ots", "proof": "AA="},
        {"type": "ots", "proof": "AAB="},
        {"type": "ots", "proof": 7},
        {"type": "rfc3161", "token": "A" * 100_000},
        {"type": "rfc3161"},
    ],
)
def test_malformed_anchor_is_a_failed_first_check(anchor: dict[str, Any]) -> None:
    """One spelling of base64, bounded."""
    report = _verify(_receipt(anchor), TRUST)

    assert report.checks[0].ok is False
    assert "bytes in base64 is expected" in report.checks[0].detail
