"""A certificate authority that lives as long as a test."""

import datetime as dt
import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

__all__ = ["Authority", "trusting"]

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


def trusting(hospital: Authority, own: Path | None = None) -> ssl.SSLContext:
    """The context of a client."""
    context = ssl.create_default_context(cafile=hospital.certificate)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # this CA is as plain as many a hospital's
    if own is not None:
        context.load_cert_chain(own)
    return context
