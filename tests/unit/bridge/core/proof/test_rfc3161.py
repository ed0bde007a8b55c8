"""Tokens of a real authority (`openssl ts`), honest and altered."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from bridge.core.errors import BridgeError
from bridge.core.ids import sha256
from bridge.core.proof.der import (
    BOOLEAN,
    OCTETS,
    SEQUENCE,
    TIME,
    context,
    encode,
    encode_integer,
    encode_oid,
)
from bridge.core.proof.rfc3161 import encode_query, encode_response, parse_response, verify_token
from tests.fakes.token import STAMPING, attribute, certified, forged_token, signed_token
from tests.stamping import Tsa, make_tsa

DATA = b"a signed checkpoint\n"


@pytest.fixture(scope="module")
def token(tsa: Tsa) -> bytes:
    """Over the data."""
    return parse_response(tsa.answer(encode_query(sha256(DATA), nonce=7)), nonce=7)


def _root(tsa: Tsa) -> x509.Certificate:
    return x509.load_pem_x509_certificate(tsa.root_pem.encode())


def test_accuracy_is_added_to_the_time(tsa: Tsa, token: bytes) -> None:
    """The fixture's authority says one second: no later than its clock plus one."""
    stamp = verify_token(token, DATA, roots=[_root(tsa)])

    assert stamp.authority == "CN=Test TSA"
    assert stamp.root == _root(tsa)
    assert stamp.time.microsecond == 0


def test_every_altered_byte_fails_or_changes_nothing(tsa: Tsa, token: bytes) -> None:
    """No mutant dates the data at another time, and no other data passes."""
    honest, roots = verify_token(token, DATA, roots=[_root(tsa)]), [_root(tsa)]
    harmless = 0

    for place in range(len(token)):
        mutant = token[:place] + bytes([token[place] ^ 1]) + token[place + 1 :]
        try:
            seen = verify_token(mutant, DATA, roots=roots)
        except BridgeError:
            continue
        assert seen == honest
        harmless += 1

    # Parameters of algorithms and the signer's version, which nothing rests on.
    assert harmless < 10


@pytest.mark.parametrize("cut", [0, 1, 10, 100, -1])
def test_cut_token_is_refused(token: bytes, cut: int) -> None:
    """Whatever is left of it."""
    with pytest.raises(BridgeError):
        verify_token(token[:cut], DATA, roots=[])


def test_certificate_for_web_servers_stamps_nothing(tmp_path: Path) -> None:
    """A root that also issues server certificates does not make each of them an authority."""
    impostor = make_tsa(tmp_path, subject="www.example", use="server")
    liar = signed_token(impostor.folder, DATA)

    with pytest.raises(BridgeError, match="not for time-stamping"):
        verify_token(liar, DATA, roots=[_root(impostor)])


def test_token_before_its_certificate_was_valid_is_refused(tsa: Tsa) -> None:
    """A stolen key cannot stamp the years before it was certified."""
    early = signed_token(tsa.folder, DATA, at=datetime(2001, 1, 1, tzinfo=UTC))

    with pytest.raises(BridgeError, match="no trusted root stands behind"):
        verify_token(early, DATA, roots=[_root(tsa)])


def test_authority_that_signs_by_hand_verifies_too(tsa: Tsa) -> None:
    """The forger's tool makes sound tokens with a sound certificate: the tests above are fair."""
    stamp = verify_token(signed_token(tsa.folder, DATA), DATA, roots=[_root(tsa)])

    assert stamp.root == _root(tsa)


def test_huge_token_is_refused() -> None:
    """A bound before anything is read."""
    with pytest.raises(BridgeError, match="70000 bytes exceed"):
        verify_token(bytes(70_000), DATA, roots=[])


def test_refused_query_is_said() -> None:
    """Status 2 is a rejection."""
    with pytest.raises(BridgeError, match="status 2"):
        parse_response(bytes.fromhex("30053003020102"))


def test_response_round_trips(token: bytes) -> None:
    """The exported file holds the token."""
    assert parse_response(encode_response(token), nonce=7) == token


ROOT = certified("root", authority=True)
SIGNER = certified("tsa", by=ROOT, uses=[STAMPING])
OTHER = certified("other", by=ROOT, uses=[STAMPING])
ACCURACY_OF_A_DAY = encode(SEQUENCE, encode_integer(86_400))
SIGNING_TIME = attribute("1.2.840.113549.1.9.5", encode(TIME, b"20260101000000Z"))


def _extended(*, critical: bool) -> bytes:
    """Extensions of a time-stamp, one of them of a kind that nobody knows."""
    flag = encode(BOOLEAN, b"\xff") if critical else b""
    one = encode(SEQUENCE, encode_oid("1.2.3.4"), flag, encode(OCTETS, b"x"))
    return encode(context(1), one)


def test_what_an_authority_may_add_changes_nothing() -> None:
    """Ordering, nonce, and an extension that may be left unread."""
    more = encode(BOOLEAN, b"\xff") + encode_integer(7) + _extended(critical=False)

    stamp = verify_token(forged_token(SIGNER, DATA, more_info=more), DATA, roots=[ROOT.certificate])

    assert stamp.authority == "CN=tsa"


@pytest.mark.parametrize(
    ("lie", "what"),
    [
        pytest.param({"digest": "sha1"}, "not SHA-256, SHA-384 or SHA-512", id="sha1-imprint"),
        pytest.param({"digest": "md5"}, "not SHA-256, SHA-384 or SHA-512", id="md5-imprint"),
        pytest.param({"named": OTHER.certificate}, "names is not there", id="other-serial"),
        pytest.param({"bound": OTHER.certificate}, "names is not there", id="other-bound"),
        pytest.param({"others": [OTHER.certificate]}, "one that issues none", id="two-signers"),
        pytest.param({"others": [b"\x30\x00"]}, "cannot be read", id="no-certificate"),
        pytest.param({"signers": 2}, "2 signers where a token has one", id="signed-twice"),
        pytest.param({"signers": 0}, "0 signers where a token has one", id="unsigned"),
        pytest.param({"content": encode_oid("1.2.3")}, "not of a time-stamp", id="other-content"),
        pytest.param(
            {"more_attributes": SIGNING_TIME * 2}, "attribute stands twice", id="twin-attribute"
        ),
        pytest.param(
            {"more_attributes": attribute("1.2.3", SIGNING_TIME * 2)},
            "2 values where a signed attribute has one",
            id="attribute-of-two-values",
        ),
        pytest.param({"time": "20260230000000Z"}, "does not exist", id="thirtieth-of-february"),
        pytest.param({"time": "20260101000000+0100"}, "YYYYMMDDhhmmss", id="local-time"),
        pytest.param({"time": "99991231235959.9Z"}, "beyond the year 9999", id="end-of-years"),
        pytest.param(
            {"time": "99991231235959Z", "more_info": ACCURACY_OF_A_DAY},
            "beyond the year 9999",
            id="a-day-after-the-end",
        ),
        pytest.param(
            {"more_info": _extended(critical=True)},
            r"critical extension 1\.2\.3\.4 is not known",
            id="critical-extension",
        ),
        pytest.param(
            {"more_info": encode_integer(7) + ACCURACY_OF_A_DAY},
            "not those of a time-stamp",
            id="accuracy-behind-the-nonce",
        ),
        pytest.param(
            {"more_info": encode_integer(7) * 2}, "not those of a time-stamp", id="two-nonces"
        ),
        pytest.param(
            {"more_info": encode(TIME, b"20200101000000Z")},
            "not those of a time-stamp",
            id="two-times",
        ),
        pytest.param(
            {"more_signer": encode_integer(7)}, "something else than unsigned", id="more-signer"
        ),
        pytest.param({"time": "20310101000000Z"}, "no trusted root", id="after-it-ran-out"),
        pytest.param({"time": "20190101000000Z"}, "no trusted root", id="before-it-was-valid"),
    ],
)
def test_lying_token_is_refused_by_name(lie: dict[str, Any], what: str) -> None:
    """Each lie of an authority's own key, or of whoever has a key like it, has its refusal."""
    honest = verify_token(forged_token(SIGNER, DATA), DATA, roots=[ROOT.certificate])
    assert honest.authority == "CN=tsa"

    with pytest.raises(BridgeError, match=what):
        verify_token(forged_token(SIGNER, DATA, **lie), DATA, roots=[ROOT.certificate])


def test_certificate_that_ran_out_since_is_believed_for_its_time() -> None:
    """What was signed while it was valid was signed."""
    valid = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC))
    old = certified("old", by=ROOT, uses=[STAMPING], valid=valid)
    token = forged_token(old, DATA, time="20200601000000Z")

    assert verify_token(token, DATA, roots=[ROOT.certificate]).time.year == 2020
