"""Time-stamp tokens: that an authority saw some bytes no later than a time. RFC 3161, RFC 5652.

Validated at the token's own time: a certificate that ran out since changes nothing about what was
signed while it was valid. Own DER reader, because `cryptography` reads no time-stamps.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NoReturn

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding

from bridge.core.errors import BridgeError, Fault
from bridge.core.proof.certificates import (
    is_authority,
    leads_to_root,
    may_stamp,
    read_certificate,
)
from bridge.core.proof.der import (
    BOOLEAN,
    NULL,
    OCTETS,
    SEQUENCE,
    SET,
    Element,
    context,
    encode,
    encode_integer,
    encode_oid,
    parse_der,
)
from bridge.core.proof.tst_info import HASHES, SHA256, hash_of, parse_info

__all__ = [
    "MAX_SIZE",
    "Stamp",
    "encode_query",
    "encode_response",
    "parse_response",
    "verify_token",
]

MAX_SIZE: Final = 64 * 1024
"""A token with its chain has 2 to 8 KB."""
MAX_CERTIFICATES: Final = 16
_SIGNATURE_HASHES: Final[Mapping[str, str]] = {
    "1.2.840.113549.1.1.11": "2.16.840.1.101.3.4.2.1",
    "1.2.840.113549.1.1.12": "2.16.840.1.101.3.4.2.2",
    "1.2.840.113549.1.1.13": "2.16.840.1.101.3.4.2.3",
    "1.2.840.10045.4.3.2": "2.16.840.1.101.3.4.2.1",
    "1.2.840.10045.4.3.3": "2.16.840.1.101.3.4.2.2",
    "1.2.840.10045.4.3.4": "2.16.840.1.101.3.4.2.3",
}
_BY_KEY: Final = frozenset({"1.2.840.113549.1.1.1", "1.2.840.10045.2.1", "1.3.101.112"})
"""Signature algorithms that leave the digest to the signer info: RSA, EC and Ed25519 keys."""
_SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
_TST_INFO: Final = "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
_ESS_V1: Final = "1.2.840.113549.1.9.16.2.12"
_ESS_V2: Final = "1.2.840.113549.1.9.16.2.47"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What a verified token says."""

    time: datetime
    """UTC, whole seconds: the latest moment that the token allows, its accuracy added."""
    authority: str
    """Subject of the signer's certificate, RFC 4514."""
    root: x509.Certificate
    """The trusted one that stands behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    """The parts of a token, as they are signed or as they stand."""

    info: bytes
    certificates: tuple[bytes, ...]
    signer: tuple[Element, ...]


def verify_token(
    token: bytes,
    data: bytes,
    *,
    roots: Sequence[x509.Certificate],
    others: Sequence[x509.Certificate] = (),
) -> Stamp:
    """Check that the token stamps these bytes by an authority under one of the roots.

    Args:
        token: the ContentInfo of RFC 3161 s2.4.2, DER.
        data: what was stamped; the token holds its SHA-256, SHA-384 or SHA-512.
        roots: certificates that are believed.
        others: certificates that the token may have left out.

    Raises:
        BridgeError: `token-form`; `token-imprint` when other bytes were stamped;
            `token-signature`; `token-certificate` when the signer may not stamp, is not in the
            token, or stands beside a certificate that could be taken for it; `token-untrusted`
            when everything holds but no trusted root stands behind it.
    """
    read = _parse(token)
    info = parse_info(read.info)
    if not hmac.compare_digest(info.digest, _digest(info.algorithm, data)):
        _refuse("token-imprint", "the token stamps other bytes")
    known = tuple(read_certificate(one) for one in read.certificates)
    signer = _signer(read, (*known, *others))
    if any(one != signer and not is_authority(one) for one in known):
        _refuse("token-certificate", "beside the signer's there is one that issues none")
    _check_signature(read, signer)
    root = leads_to_root(signer, others=(*known, *others), roots=roots, at=info.time)
    if root is None:
        raise _refusal("token-untrusted", "no trusted root stands behind the authority")
    return Stamp(time=info.latest, authority=signer.subject.rfc4514_string(), root=root)


def encode_query(digest: bytes, *, nonce: int) -> bytes:
    """A TimeStampReq over a SHA-256 digest that asks for the authority's certificates."""
    algorithm = encode(SEQUENCE, encode_oid(SHA256), encode(NULL))
    imprint = encode(SEQUENCE, algorithm, encode(OCTETS, digest))
    wanted = encode(BOOLEAN, b"\xff")
    return encode(SEQUENCE, encode_integer(1), imprint, encode_integer(nonce), wanted)


def parse_response(data: bytes, *, nonce: int | None = None) -> bytes:
    """The token of a TimeStampResp (RFC 3161 s2.4.2).

    Args:
        data: DER.
        nonce: of the query; the token must repeat it.

    Raises:
        BridgeError: `token-form`; `token-refused` when the authority did not grant it.
    """
    parts = _bounded(data).children(SEQUENCE)
    if not parts or not (status := parts[0].children(SEQUENCE)):
        _refuse("token-form", "the answer has no status")
    if status[0].integer() not in (0, 1) or len(parts) != 2:
        _refuse("token-refused", f"the authority answered with status {status[0].integer()}")
    token = parts[1].whole
    if nonce is not None and parse_info(_parse(token).info).nonce != nonce:
        _refuse("token-form", "the token does not repeat the nonce of the query")
    return token


def encode_response(token: bytes) -> bytes:
    """The .tsr file that standard tools read: status granted, and the token."""
    return encode(SEQUENCE, encode(SEQUENCE, encode_integer(0)), token)


def _bounded(data: bytes) -> Element:
    if len(data) > MAX_SIZE:
        _refuse("token-form", f"{len(data)} bytes exceed the limit of {MAX_SIZE}")
    return parse_der(data)


def _parse(token: bytes) -> _Token:
    """ContentInfo, SignedData with one signer, TSTInfo: RFC 5652 s5.1, RFC 3161 s2.4.2."""
    outer = _bounded(token).children(SEQUENCE)
    if len(outer) != 2 or outer[0].oid() != _SIGNED_DATA:
        _refuse("token-form", "the token is not CMS signed data")
    version, algorithms, content, *rest = outer[1].expect(context(0)).inside(SEQUENCE).at_least(4)
    if version.integer() != 3:
        _refuse("token-form", "signed data of a time-stamp is of version 3")
    kind, body = content.exactly(2)
    if kind.oid() != _TST_INFO:
        _refuse("token-form", "what was signed is not a time-stamp")
    certificates = [one for one in rest[:-1] if one.tag == context(0)]
    signers = rest[-1].children(SET)
    if len(signers) != 1:
        _refuse("token-form", f"{len(signers)} signers where a token has one")
    listed = certificates[0].children() if certificates else ()
    if len(listed) > MAX_CERTIFICATES:
        _refuse("token-form", f"more than {MAX_CERTIFICATES} certificates")
    signer = signers[0].at_least(6)
    if [one.tag for one in signer[6:]] not in ([], [context(1)]):
        _refuse("token-form", "something else than unsigned attributes follows the signature")
    if signer[2].at_least(1)[0] not in [one.at_least(1)[0] for one in algorithms.children(SET)]:
        _refuse("token-form", "the signer's digest algorithm is not listed")
    return _Token(
        info=body.expect(context(0)).inside(OCTETS).value,
        certificates=tuple(one.whole for one in listed if one.tag == SEQUENCE),
        signer=signer,
    )


def _signer(token: _Token, known: Iterable[x509.Certificate]) -> x509.Certificate:
    """The certificate that the signed attributes bind, never merely one that is in the token."""
    bound = _attributes(token)
    for certificate in known:
        if _is_bound(certificate, bound) and _is_named(certificate, token.signer[1]):
            if not may_stamp(certificate):
                _refuse("token-certificate", "the signer's certificate is not for time-stamping")
            return certificate
    raise _refusal("token-certificate", "the certificate that the token names is not there")


def _is_bound(certificate: x509.Certificate, attributes: Mapping[str, Element]) -> bool:
    """ESSCertID or ESSCertIDv2 (RFC 5816): the first one is the signer's."""
    der = certificate.public_bytes(Encoding.DER)
    found = []
    for name in (_ESS_V1, _ESS_V2):
        if name in attributes:
            listed = attributes[name].expect(SEQUENCE).at_least(1)[0].at_least(1)
            found.append(_ess_matches(listed[0].at_least(1), der, name))
    return bool(found) and all(found)


def _ess_matches(ess: Sequence[Element], der: bytes, name: str) -> bool:
    """The certificate's digest: SHA-1 in the first form, SHA-256 unless named in the second."""
    if name == _ESS_V1:
        wanted = hashlib.sha1(der, usedforsecurity=False).digest()
    elif ess[0].tag == SEQUENCE:
        wanted, ess = _digest(hash_of(ess[0]), der), ess[1:]
    else:
        wanted = hashlib.sha256(der).digest()
    return bool(ess) and hmac.compare_digest(ess[0].expect(OCTETS).value, wanted)


def _is_named(certificate: x509.Certificate, sid: Element) -> bool:
    """SignerIdentifier: issuer and serial number, or the subject's key identifier."""
    if sid.tag == context(0, constructed=False):
        try:
            key = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        except x509.ExtensionNotFound:
            return False
        return hmac.compare_digest(key.value.digest, sid.value)
    issuer, serial = sid.exactly(2)
    return (issuer.whole, serial.integer()) == (
        certificate.issuer.public_bytes(),
        certificate.serial_number,
    )


def _attributes(token: _Token) -> Mapping[str, Element]:
    """The signed attributes, each with its single value."""
    found: dict[str, Element] = {}
    for attribute in token.signer[3].children(context(0)):
        name, values = attribute.exactly(2)
        if name.oid() in found:
            _refuse("token-form", "a signed attribute stands twice")
        found[name.oid()] = _single(values.children(SET))
    if _CONTENT_TYPE not in found or found[_CONTENT_TYPE].oid() != _TST_INFO:
        _refuse("token-form", "the signed attributes are not of a time-stamp")
    return found


def _check_signature(token: _Token, signer: x509.Certificate) -> None:
    """RFC 5652 s5.4: the digest of the content is an attribute; the attributes are signed."""
    algorithm = hash_of(token.signer[2])
    attributes = _attributes(token)
    if _MESSAGE_DIGEST not in attributes or not hmac.compare_digest(
        attributes[_MESSAGE_DIGEST].expect(OCTETS).value, _digest(algorithm, token.info)
    ):
        _refuse("token-signature", "the signed digest is not that of the time-stamp")
    signed = encode(SET, token.signer[3].value)
    signature = token.signer[5].expect(OCTETS).value
    name = token.signer[4].at_least(1)[0].oid()
    if name in _SIGNATURE_HASHES:
        algorithm = HASHES[_SIGNATURE_HASHES[name]]
    elif name not in _BY_KEY:
        _refuse("token-signature", f"the signature algorithm {name} is not known here")
    try:
        _verify(signer, signature, signed, algorithm)
    except InvalidSignature as error:
        raise _refusal("token-signature", "the signature is not the authority's") from error


def _verify(
    signer: x509.Certificate, signature: bytes, signed: bytes, algorithm: hashes.HashAlgorithm
) -> None:
    key = signer.public_key()
    match key:
        case RSAPublicKey():
            key.verify(signature, signed, PKCS1v15(), algorithm)
        case EllipticCurvePublicKey():
            key.verify(signature, signed, ECDSA(algorithm))
        case Ed25519PublicKey():
            key.verify(signature, signed)
        case _:
            _refuse("token-signature", "the authority's kind of key is not known here")


def _digest(algorithm: hashes.HashAlgorithm, data: bytes) -> bytes:
    return hashlib.new(algorithm.name, data).digest()


def _single(parts: tuple[Element, ...]) -> Element:
    if len(parts) != 1:
        _refuse("token-form", f"{len(parts)} values where a signed attribute has one")
    return parts[0]


def _refuse(code: str, what: str) -> NoReturn:
    raise _refusal(code, what)


def _refusal(code: str, what: str) -> BridgeError:
    return BridgeError(
        code,
        Fault.SENDER,
        what=what,
        where="time-stamp token",
        do="fetch the token again, or name the authority's root certificate in your trust file",
    )
