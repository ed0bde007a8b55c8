"""A client's signed assertion for an OAuth 2 token endpoint: `private_key_jwt`.

Source: https://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html, RFC 7523 s3,
RFC 7515 (compact form), RFC 7518 s3.3 and s3.4 (RS384, ES384), RFC 7517 (JWK).
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Instant

__all__ = ["LIFETIME", "AssertionKey", "read_assertion_key"]

LIFETIME = timedelta(minutes=4)
"""SMART allows five; one is left for a clock that is wrong."""
P384_BYTES = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class AssertionKey:
    """A private key that an authorization server knows the public half of, by its id."""

    kid: str
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

    def assertion(self, *, client: str, audience: str, at: Instant, jti: str) -> str:
        """The JWT, good for one request.

        Args:
            client: id under which the client is registered.
            audience: URL of the token endpoint.
            at: now.
            jti: fresh and unpredictable; a server refuses the second use.
        """
        expires = int((at + LIFETIME).timestamp())
        claims = {"iss": client, "sub": client, "aud": audience, "exp": expires, "jti": jti}
        return self.sign(claims)

    def sign(self, claims: Mapping[str, Any]) -> str:
        """The compact form of these claims."""
        rs = isinstance(self.key, rsa.RSAPrivateKey)
        header = {"alg": "RS384" if rs else "ES384", "kid": self.kid, "typ": "JWT"}
        signed = f"{_part(header)}.{_part(claims)}"
        return f"{signed}.{_base64url(self._signature(signed.encode()))}"

    def _signature(self, signed: bytes) -> bytes:
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(signed, padding.PKCS1v15(), hashes.SHA384())
        r, s = decode_dss_signature(self.key.sign(signed, ec.ECDSA(hashes.SHA384())))
        return r.to_bytes(P384_BYTES) + s.to_bytes(P384_BYTES)


def read_assertion_key(file: Path) -> AssertionKey:
    """The signing key of a JWK or JWK set file.

    Raises:
        BridgeError: `assertion-key` when there is none for RS384 or ES384; nothing of the file is
            quoted.
    """
    try:
        found = json.loads(file.read_text("utf-8"))
        keys = found.get("keys", [found])
        jwk = next(one for one in keys if "d" in one)
        key = _rsa(jwk) if jwk["kty"] == "RSA" else _ec(jwk)
        return AssertionKey(kid=str(jwk["kid"]), key=key)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, StopIteration) as error:
        raise BridgeError(
            "assertion-key",
            Fault.OPERATOR,
            what="there is no private key for RS384 or ES384 with a kid in this file",
            where=str(file),
            do="give a JWK or JWK set with kty RSA, or EC with crv P-384",
        ) from error


def _rsa(jwk: Mapping[str, str]) -> rsa.RSAPrivateKey:
    n, e, d, p, q, dp, dq, qi = (
        _number(jwk[name]) for name in ("n", "e", "d", "p", "q", "dp", "dq", "qi")
    )
    public = rsa.RSAPublicNumbers(e, n)
    return rsa.RSAPrivateNumbers(p, q, d, dp, dq, qi, public).private_key()


def _ec(jwk: Mapping[str, str]) -> ec.EllipticCurvePrivateKey:
    if jwk["crv"] != "P-384":
        raise ValueError(jwk["crv"])
    public = ec.EllipticCurvePublicNumbers(_number(jwk["x"]), _number(jwk["y"]), ec.SECP384R1())
    return ec.EllipticCurvePrivateNumbers(_number(jwk["d"]), public).private_key()


def _number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def _part(value: Mapping[str, Any]) -> str:
    return _base64url(json.dumps(value, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
