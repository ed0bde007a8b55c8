"""Time-stamp tokens and certificates of any form, which `openssl ts` would refuse to make."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

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
    parse_der,
)

__all__ = [
    "STAMPING",
    "Holder",
    "attribute",
    "certified",
    "forged_token",
    "new_key",
    "over_sha1",
    "signed_token",
]

STAMPING = ExtendedKeyUsageOID.TIME_STAMPING
_DIGESTS = {
    "md5": "1.2.840.113549.2.5",
    "sha1": "1.3.14.3.2.26",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha512": "2.16.840.1.101.3.4.2.3",
}
_TST_INFO = encode_oid("1.2.840.113549.1.9.16.1.4")
_YEARS = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC))


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A certificate and its private key."""

    key: EllipticCurvePrivateKey
    certificate: x509.Certificate


def new_key() -> EllipticCurvePrivateKey:
    """A key that nobody had before."""
    return generate_private_key(SECP256R1())


def certified(  # noqa: PLR0913  each is something to lie about
    name: str,
    *,
    by: Holder | None = None,
    key: EllipticCurvePrivateKey | None = None,
    uses: Sequence[x509.ObjectIdentifier] = (),
    critical: bool = True,
    authority: bool = False,
    path_length: int | None = None,
    valid: tuple[datetime, datetime] = _YEARS,
) -> Holder:
    """A certificate of any kind; of itself unless another issues it."""
    key = key or new_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid[0])
        .not_valid_after(valid[1])
    )
    if authority:
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), True)
    if uses:
        made = made.add_extension(x509.ExtendedKeyUsage(uses), critical)
    return Holder(key=key, certificate=made.sign(by.key if by else key, hashes.SHA256()))


def over_sha1(made: Holder, *, by: Holder) -> Holder:
    """The same certificate, signed over SHA-1, which no tool of today does any more."""
    tbs, _, _ = parse_der(made.certificate.public_bytes(Encoding.DER)).exactly(3)
    version, serial, _, *rest = (one.whole for one in tbs.children())
    algorithm = encode(SEQUENCE, encode_oid("1.2.840.10045.4.1"))
    body = encode(SEQUENCE, version, serial, algorithm, *rest)
    signature = by.key.sign(body, ECDSA(hashes.SHA1()))  # noqa: S303  what is refused
    der = encode(SEQUENCE, body, algorithm, encode(0x03, b"\0" + signature))
    return Holder(key=made.key, certificate=x509.load_der_x509_certificate(der))


def signed_token(folder: Path, data: bytes, *, at: datetime | None = None) -> bytes:
    """A well-formed token by the key `tsa.key` and the certificate `tsa.pem` of a folder."""
    key = load_pem_private_key((folder / "tsa.key").read_bytes(), None)
    assert isinstance(key, EllipticCurvePrivateKey)
    certificate = x509.load_pem_x509_certificate((folder / "tsa.pem").read_bytes())
    moment = at or datetime.now(UTC)  # noqa: TID251  a liar has a clock of his own
    time = moment.strftime("%Y%m%d%H%M%SZ")
    return forged_token(Holder(key=key, certificate=certificate), data, time=time)


def forged_token(  # noqa: PLR0913  each is something to lie about
    signer: Holder,
    data: bytes,
    *,
    time: str = "20260101000000Z",
    digest: str = "sha256",
    more_info: bytes = b"",
    more_attributes: bytes = b"",
    more_signer: bytes = b"",
    others: Sequence[x509.Certificate | bytes] = (),
    named: x509.Certificate | None = None,
    bound: x509.Certificate | None = None,
    content: bytes = _TST_INFO,
    signers: int = 1,
) -> bytes:
    """A token whose signature is sound and whose other parts are as told.

    Args:
        signer: who signs; its certificate stands first.
        data: what is stamped.
        time: GeneralizedTime.
        digest: of the imprint and of the content.
        more_info: elements behind the time.
        more_attributes: signed attributes behind the honest ones.
        more_signer: elements behind the signature.
        others: further certificates.
        named: the certificate that the signer info names instead.
        bound: the certificate that the signed attributes name instead.
        content: the type of content that the signed attributes name.
        signers: how often the signer info stands there.
    """
    named, bound = named or signer.certificate, bound or signer.certificate
    algorithm = encode(SEQUENCE, encode_oid(_DIGESTS[digest]), encode(NULL))
    info = encode(
        SEQUENCE,
        encode_integer(1),
        encode_oid("1.2.3"),
        encode(SEQUENCE, algorithm, encode(OCTETS, hashlib.new(digest, data).digest())),
        encode_integer(1),
        encode(TIME, time.encode()),
        more_info,
    )
    ess = encode(OCTETS, sha256(bound.public_bytes(Encoding.DER)))
    attributes = (
        attribute("1.2.840.113549.1.9.3", content)
        + attribute("1.2.840.113549.1.9.4", encode(OCTETS, hashlib.new(digest, info).digest()))
        + attribute(
            "1.2.840.113549.1.9.16.2.47", encode(SEQUENCE, encode(SEQUENCE, encode(SEQUENCE, ess)))
        )
        + more_attributes
    )
    sid = encode(SEQUENCE, named.issuer.public_bytes(), encode_integer(named.serial_number))
    signer_info = encode(
        SEQUENCE,
        encode_integer(1),
        sid,
        algorithm,
        encode(context(0), attributes),
        encode(SEQUENCE, encode_oid("1.2.840.10045.4.3.2")),
        encode(OCTETS, signer.key.sign(encode(SET, attributes), ECDSA(hashes.SHA256()))),
        more_signer,
    )
    certificates = [signer.certificate.public_bytes(Encoding.DER)]
    certificates += [
        one if isinstance(one, bytes) else one.public_bytes(Encoding.DER) for one in others
    ]
    signed = encode(
        SEQUENCE,
        encode_integer(3),
        encode(SET, algorithm),
        encode(SEQUENCE, _TST_INFO, encode(context(0), encode(OCTETS, info))),
        encode(context(0), *certificates),
        encode(SET, *[signer_info] * signers),
    )
    return encode(SEQUENCE, encode_oid("1.2.840.113549.1.7.2"), encode(context(0), signed))


def attribute(name: str, value: bytes) -> bytes:
    """A signed attribute with one value."""
    return encode(SEQUENCE, encode_oid(name), encode(SET, value))
