"""TLS and mutual TLS: the certificate opens the door and chooses the sender."""

import datetime as dt
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapters.hl7v2.mllp import frame
from tests.fakes.feed import adt
from tests.served_mllp import Served, code_of, eventually, quick_limits
from workers.mllp import Listener

Serve = Callable[..., Served]
DAY = dt.timedelta(days=1)
NOW = dt.datetime.now(dt.UTC)  # noqa: TID251  a certificate is valid on the real clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A CA that lives as long as a test."""

    folder: Path
    name: x509.Name
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def found(cls, folder: Path, name: str) -> "Authority":
        """Make key and certificate."""
        folder.mkdir()
        made = cls(folder=folder, name=_named(name), key=ec.generate_private_key(ec.SECP256R1()))
        made._write("ca", made._sign(made.name, made.key.public_key(), authority=True), made.key)
        return made

    def issue(self, name: str) -> Path:
        """Certificate and key of one host or client, in one PEM file."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(_named(name), key.public_key(), authority=False)
        return self._write(name, certificate, key)

    @property
    def certificate(self) -> Path:
        """Of the authority."""
        return self.folder / "ca.pem"

    def _sign(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, *, authority: bool
    ) -> x509.Certificate:
        names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - DAY)
            .not_valid_after(NOW + DAY)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(self.key, hashes.SHA256())
        )

    def _write(
        self, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
    ) -> Path:
        path = self.folder / f"{name}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
        return path


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The CA that the node trusts."""
    return Authority.found(tmp_path_factory.mktemp("tls") / "hospital", "Hospital CA")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Another CA."""
    return Authority.found(tmp_path_factory.mktemp("tls") / "stranger", "Other CA")


def listener(
    hospital: Authority, *, mutual: bool, senders: dict[str, str] | None = None
) -> Listener:
    """One TLS listener."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(hospital.issue("localhost"))
    if mutual:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(hospital.certificate)
    return Listener(
        feed="f",
        host="127.0.0.1",
        port=0,
        tls=context,
        certificate_senders=senders or {},
        limits=quick_limits(),
    )


def trusting(hospital: Authority, own: Path | None = None) -> ssl.SSLContext:
    """The context of a client."""
    context = ssl.create_default_context(cafile=hospital.certificate)
    if own is not None:
        context.load_cert_chain(own)
    return context


def test_message_over_tls_is_answered(serve: Serve, hospital: Authority) -> None:
    """Large and small, pipelined, in order, as over plain TCP."""
    served = serve(listener(hospital, mutual=False))
    big = adt("2", extra=b"x" * 3_000_000)

    with served.client(tls=trusting(hospital)) as client:
        client.send(frame(adt("1")) + frame(big) + frame(adt("3")))
        answers = client.answers(3)

    assert [code_of(a) for a in answers] == ["AA 1", "AA 2", "AA 3"]
    assert big in served.feed.kept


def test_client_certificate_chooses_the_sender(serve: Serve, hospital: Authority) -> None:
    """The common name of a verified certificate pins the profile."""
    served = serve(listener(hospital, mutual=True, senders={"lab": "LAB-PROFILE"}))

    with served.client(tls=trusting(hospital, hospital.issue("lab"))) as client:
        answer = client.ask(adt("1"))

    assert code_of(answer) == "AA 1"
    assert served.feed.senders == {"LAB-PROFILE"}


def test_certificate_of_an_unknown_client_is_turned_away(serve: Serve, hospital: Authority) -> None:
    """Signed by the right CA, named by nobody."""
    served = serve(listener(hospital, mutual=True, senders={"lab": "LAB-PROFILE"}))

    with served.client(tls=trusting(hospital, hospital.issue("kiosk"))) as client:
        assert client.is_closed()

    assert "mllp-certificate-unknown" in served.codes


def test_wrong_or_missing_certificate_gets_no_further_than_the_handshake(
    serve: Serve, hospital: Authority, stranger: Authority
) -> None:
    """Another CA's certificate, none at all and plain TCP are refused; the right one works."""
    served = serve(listener(hospital, mutual=True))
    wrong = trusting(hospital, stranger.issue("lab"))

    for context in (wrong, trusting(hospital)):
        with (
            pytest.raises((ssl.SSLError, ConnectionError, AssertionError)),
            served.client(tls=context) as client,
        ):
            client.ask(adt("1"))
    with served.client() as plain:
        plain.send(frame(adt("1")))
        refused = plain.is_closed()
    with served.client(tls=trusting(hospital, hospital.issue("lab"))) as client:
        answer = client.ask(adt("2"))

    assert refused
    assert code_of(answer) == "AA 2"
    assert list(served.feed.kept) == [adt("2")]


def test_graceful_stop_over_tls_answers_first(serve: Serve, hospital: Authority) -> None:
    """TLS has no half-close, and loses no answer for it."""
    served = serve(listener(hospital, mutual=False))

    with served.client(tls=trusting(hospital)) as client:
        client.send(frame(adt("1")))
        eventually(lambda: bool(served.feed.kept))
        served.stop()

        assert code_of(client.answer()) == "AA 1"
        assert client.is_closed()
