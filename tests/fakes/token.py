"""Time-stamp tokens with any certificate, which `openssl ts` would refuse to make."""

from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from bridge.core.ids import sha256
from bridge.core.proof.der import (
    NULL,
    OCTETS,
    SEQUENCE,
    SET,
    TIME,
    context,
    encode,
    encode_integer,
    encode_oid,
)

__all__ = ["signed_token"]

_SHA256 = encode(SEQUENCE, encode_oid("2.16.840.1.101.3.4.2.1"), encode(NULL))
_TST_INFO = encode_oid("1.2.840.113549.1.9.16.1.4")


def signed_token(folder: Path, data: bytes, *, at: datetime | None = None) -> bytes:
    """A well-formed token by the key `tsa.key` and the certificate `tsa.pem` of a folder."""
    key = load_pem_private_key((folder / "tsa.key").read_bytes(), None)
    certificate = x509.load_pem_x509_certificate((folder / "tsa.pem").read_bytes())
    assert isinstance(key, EllipticCurvePrivateKey)
    der = certificate.public_bytes(Encoding.DER)
    moment = at or datetime.now(UTC)  # noqa: TID251  a liar has a clock of his own
    info = encode(
        SEQUENCE,
        encode_integer(1),
        encode_oid("1.2.3"),
        encode(SEQUENCE, _SHA256, encode(OCTETS, sha256(data))),
        encode_integer(1),
        encode(TIME, moment.strftime("%Y%m%d%H%M%SZ").encode()),
    )
    ess = encode(SEQUENCE, encode(SEQUENCE, encode(SEQUENCE, encode(OCTETS, sha256(der)))))
    attributes = (
        _attribute("1.2.840.113549.1.9.3", _TST_INFO)
        + _attribute("1.2.840.113549.1.9.4", encode(OCTETS, sha256(info)))
        + _attribute("1.2.840.113549.1.9.16.2.47", ess)
    )
    signer = encode(
        SEQUENCE,
        encode_integer(1),
        encode(
            SEQUENCE, certificate.issuer.public_bytes(), encode_integer(certificate.serial_number)
        ),
        _SHA256,
        encode(context(0), attributes),
        encode(SEQUENCE, encode_oid("1.2.840.10045.4.3.2")),
        encode(OCTETS, key.sign(encode(SET, attributes), ECDSA(hashes.SHA256()))),
    )
    signed = encode(
        SEQUENCE,
        encode_integer(3),
        encode(SET, _SHA256),
        encode(SEQUENCE, _TST_INFO, encode(context(0), encode(OCTETS, info))),
        encode(context(0), der),
        encode(SET, signer),
    )
    return encode(SEQUENCE, encode_oid("1.2.840.113549.1.7.2"), encode(context(0), signed))


def _attribute(name: str, value: bytes) -> bytes:
    return encode(SEQUENCE, encode_oid(name), encode(SET, value))
