"""Tokens of a real authority (`openssl ts`), honest and altered."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from bridge.core.errors import BridgeError
from bridge.core.ids import sha256
from bridge.core.proof.rfc3161 import encode_query, encode_response, parse_response, verify_token
from tests.fakes.token import signed_token
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
