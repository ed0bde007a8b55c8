"""A TLS context that follows its files, by handshakes in memory."""

import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from bridge.core.errors import BridgeError
from tests.authority import Authority, trusting
from workers.mllp.certificates import CertificateFiles, Certificates


@pytest.fixture
def hospital(tmp_path: Path) -> Authority:
    """The CA of everybody here."""
    return Authority.found(tmp_path / "hospital", "Hospital CA")


def files(certificate: Path, key: Path | None = None) -> CertificateFiles:
    """Certificate and key, in one file or two."""
    return CertificateFiles(certificate=str(certificate), private_key=str(key or ""))


def served(context: ssl.SSLContext, hospital: Authority) -> bytes:
    """The certificate that a client meets, DER."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(there, back, server_side=True)
    client = trusting(hospital).wrap_bio(back, there, server_hostname="localhost")
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    met = client.getpeercert(binary_form=True)
    assert met is not None
    return met


def test_files_that_nobody_touched_are_read_once(hospital: Authority) -> None:
    """Each connection costs a look at their times."""
    told: list[BridgeError | None] = []
    context = Certificates(files(hospital.issue("door")), told.append)

    assert served(context, hospital) == served(context, hospital)
    assert told == []


def test_certificate_beside_the_key_of_another_waits_for_its_own(
    hospital: Authority, tmp_path: Path
) -> None:
    """A renewal writes two files, and somebody connects in between."""
    told: list[BridgeError | None] = []
    old, new = (hospital.issue(name).read_bytes() for name in ("old", "new"))
    certificate, key = tmp_path / "door.pem", tmp_path / "door.key"
    certificate.write_bytes(old)
    key.write_bytes(old)
    context = Certificates(files(certificate, key), told.append)
    met = [served(context, hospital)]

    certificate.write_bytes(new)
    met.append(served(context, hospital))
    key.write_bytes(new)
    met.append(served(context, hospital))

    assert met[0] == met[1] != met[2]
    assert told[0] is not None
    assert "KEY_VALUES_MISMATCH" in str(told[0])
    assert told[1:] == [None]


def test_file_that_is_gone_changes_nothing(hospital: Authority) -> None:
    """Somebody tidied up: connections go on until the process starts anew."""
    told: list[BridgeError | None] = []
    certificate = hospital.issue("door")
    context = Certificates(files(certificate), told.append)
    met = served(context, hospital)

    certificate.unlink()

    assert served(context, hospital) == met
    assert [one.code for one in told if one] == ["mllp-tls"]


def test_key_with_a_passphrase_is_refused_and_nobody_is_asked_for_it(
    hospital: Authority, tmp_path: Path
) -> None:
    """A door that waits for somebody at a terminal is shut."""
    locked = tmp_path / "locked.pem"
    form = serialization.PrivateFormat.TraditionalOpenSSL
    locked.write_bytes(
        hospital.key.private_bytes(
            serialization.Encoding.PEM, form, serialization.BestAvailableEncryption(b"secret")
        )
    )

    with pytest.raises(BridgeError, match="the key without passphrase"):
        Certificates(files(hospital.certificate, locked), print)


def test_file_without_a_key_is_refused_at_the_start(hospital: Authority, tmp_path: Path) -> None:
    """The refusal says what kind of file is wanted."""
    empty = tmp_path / "empty.pem"
    empty.write_bytes(b"")

    with pytest.raises(BridgeError, match=r"PEM files that belong together; the key without pass"):
        Certificates(files(hospital.issue("door"), empty), print)
