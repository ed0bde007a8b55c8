"""Published time-stamp responses of rfc3161-client 886f40b2 (Apache-2.0)."""

import re
from pathlib import Path

import pytest
from cryptography import x509

from bridge.core.errors import BridgeError
from bridge.core.proof.anchors import moment_text
from bridge.core.proof.rfc3161 import Stamp, encode_response, parse_response, verify_token

HELLO = b"hello"


@pytest.fixture(scope="module")
def fixtures(shared: Path) -> Path:
    """The folder."""
    return shared / "vectors/rfc3161/test/fixtures"


def _verify(file: Path, data: bytes, *, chain: str = "") -> Stamp:
    text = (file.parents[1] / chain if chain else file.parent).joinpath("ts_chain.pem").read_bytes()
    pems = re.findall(rb"-----BEGIN CERT.*?END CERTIFICATE-----", text, re.DOTALL)
    known = [x509.load_pem_x509_certificate(pem) for pem in pems]
    known = known or [x509.load_der_x509_certificate(text)]
    roots = [one for one in known if one.issuer == one.subject]
    others = [one for one in known if one not in roots]
    return verify_token(parse_response(file.read_bytes()), data, roots=roots, others=others)


@pytest.mark.parametrize(
    ("name", "time"),
    [
        ("sigstage/response-sha256.tsr", "2025-05-09T11:58:56Z"),
        ("sigstage/response-sha384.tsr", "2025-05-09T11:58:56Z"),
        ("sigstage/response-sha512.tsr", "2025-05-09T11:58:57Z"),
        ("sigstage/response-no-embedded-cert.tsr", "2025-06-18T08:13:03Z"),
        ("identrust/issue-104.tsr", "2025-03-11T08:52:08Z"),
        ("test_tsa/response.tsr", "2024-10-08T15:40:33Z"),
    ],
)
def test_honest_response_verifies(fixtures: Path, name: str, time: str) -> None:
    """Each holds for its bytes, and says the latest moment that its accuracy allows."""
    assert moment_text(_verify(fixtures / name, HELLO).time) == time


def test_response_of_an_expired_authority_holds_at_its_own_time(fixtures: Path) -> None:
    """Certificates that ran out at the end of 2023 do not undo what was stamped that February."""
    folder = fixtures / "sigstore.mock"

    stamp = _verify(folder / "response-expired.tsr", (folder / "payload").read_bytes())

    assert moment_text(stamp.time) == "2023-02-01T00:00:01Z"


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("sigstage/response-invalid-signature.tsr", "token-signature", "not the authority's"),
        ("test_tsa/response-injected-certs.tsr", "token-certificate", "one that issues none"),
    ],
)
def test_forged_response_is_refused(fixtures: Path, name: str, code: str, words: str) -> None:
    """An altered signature; certificates of a spoofed authority beside the real one."""
    with pytest.raises(BridgeError, match=words) as caught:
        _verify(fixtures / name, HELLO)

    assert caught.value.code == code


def test_other_authority_is_not_believed(fixtures: Path) -> None:
    """A sound token counts for nothing under roots that did not issue it."""
    with pytest.raises(BridgeError, match="no trusted root stands behind") as caught:
        _verify(fixtures / "test_tsa/response.tsr", HELLO, chain="sigstage")

    assert caught.value.code == "token-untrusted"


def test_other_bytes_are_refused(fixtures: Path) -> None:
    """A token is of the bytes that it was made for."""
    with pytest.raises(BridgeError, match="the token stamps other bytes"):
        _verify(fixtures / "test_tsa/response.tsr", b"hell0")


def test_token_is_put_back_into_a_response(fixtures: Path) -> None:
    """The exported .tsr holds the token that was kept, byte for byte."""
    token = parse_response((fixtures / "test_tsa/response.tsr").read_bytes())

    assert parse_response(encode_response(token)) == token
