"""A time-stamping certificate's way to a root that the verifier trusts, at the token's own time.

The general path builders of today judge web servers; this one asks what RFC 5280 s6.1 and RFC 3161
s2.3 ask of a time-stamp authority. Revocation is not looked up: nothing is asked of any network.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from bridge.core.errors import BridgeError, Fault

__all__ = ["is_authority", "leads_to_root", "may_stamp", "read_certificate"]

T = TypeVar("T", bound=x509.ExtensionType)

MAX_DEPTH: Final = 6
"""Certificates between the authority's and a root; real ones have one to three."""
_JUDGED: Final = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    }
)
"""Critical extensions whose meaning is known here; any other one refuses the certificate."""
_SAFE_DIGEST: Final = 28
"""Bytes: SHA-224 and longer; MD5 and SHA-1 have 16 and 20."""
_UNREADABLE: Final = (
    ValueError,
    TypeError,  # a name in a BIT STRING
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)


def read_certificate(der: bytes) -> x509.Certificate:
    """The certificate with a key and extensions that can be read.

    Raises:
        BridgeError: `certificate-form`.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        # Read now what is otherwise read later, and would fail there.
        certificate.public_key()
        tuple(certificate.extensions)
        certificate.subject.rfc4514_string()
        certificate.issuer.public_bytes()
    except _UNREADABLE as error:
        raise BridgeError(
            "certificate-form",
            Fault.SENDER,
            what="a certificate, its key or its extensions cannot be read",
            where="certificate of a time-stamp authority",
            do="take the certificate from the authority itself",
        ) from error
    return certificate


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether it may issue certificates (RFC 5280 s4.2.1.9)."""
    constraints = _extension(certificate, x509.BasicConstraints)
    return constraints is not None and constraints.value.ca


def may_stamp(certificate: x509.Certificate) -> bool:
    """Whether its one, critical, extended use is time-stamping (RFC 3161 s2.3)."""
    found = _extension(certificate, x509.ExtendedKeyUsage)
    if found is None or not found.critical:
        return False
    usage = _extension(certificate, x509.KeyUsage)
    signs = usage is None or usage.value.digital_signature or usage.value.content_commitment
    return list(found.value) == [ExtendedKeyUsageOID.TIME_STAMPING] and signs


def leads_to_root(
    certificate: x509.Certificate,
    *,
    others: Iterable[x509.Certificate],
    roots: Sequence[x509.Certificate],
    at: datetime,
) -> x509.Certificate | None:
    """The root that a chain of valid certificates ends in; None when none does.

    Args:
        certificate: of the signer.
        others: candidates for the way between, believed only where a chain proves them.
        roots: believed.
        at: the moment at which every certificate of the chain must be valid, in UTC.
    """
    left, reached = [*roots, *others], [certificate]
    for below in range(MAX_DEPTH):
        sound = [one for one in reached if _is_sound(one, at)]
        for one in sound:
            if one in roots:
                return one
        # The shortest way to a certificate is enough, for more authorities below it allow no more:
        # else a token of sixteen that all issued one another would have a million ways.
        reached = [
            issuer for issuer in left if any(_issued(one, issuer, below=below) for one in sound)
        ]
        left = [one for one in left if one not in reached]
    return None


def _issued(certificate: x509.Certificate, issuer: x509.Certificate, *, below: int) -> bool:
    """Whether the issuer may have signed, and did; `below` counts authorities under it."""
    constraints = _extension(issuer, x509.BasicConstraints)
    usage = _extension(issuer, x509.KeyUsage)
    uses = _extension(issuer, x509.ExtendedKeyUsage)
    if constraints is None or not constraints.value.ca:
        return False
    if constraints.value.path_length is not None and constraints.value.path_length < below:
        return False
    if _is_collidable(certificate) or (usage is not None and not usage.value.key_cert_sign):
        return False
    allowed = {ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    if uses is not None and allowed.isdisjoint(uses.value):
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _is_collidable(certificate: x509.Certificate) -> bool:
    """Whether its signature is over a digest for which anybody can make a second certificate.

    Never asked of a root, which is believed by itself and not by its own signature.
    """
    try:
        digest = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return True
    return digest is not None and digest.digest_size < _SAFE_DIGEST


def _is_sound(certificate: x509.Certificate, at: datetime) -> bool:
    known = all(
        not extension.critical or extension.oid in _JUDGED for extension in certificate.extensions
    )
    return known and certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def _extension(certificate: x509.Certificate, kind: type[T]) -> x509.Extension[T] | None:
    try:
        return certificate.extensions.get_extension_for_class(kind)
    except x509.ExtensionNotFound:
        return None
