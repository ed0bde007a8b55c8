"""`private_key_jwt` against the examples that SMART App Launch publishes."""

import base64
import json
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from bridge.core.errors import BridgeError
from bridge.keys.assertion import LIFETIME, read_assertion_key
from tests.fakes.sources import FixedClock

CLAIMS = {
    "iss": "https://bili-monitor.example.com",
    "sub": "https://bili-monitor.example.com",
    "aud": "https://authorize.smarthealthit.org/token",
    "exp": 1422568860,
    "jti": "random-non-reusable-jwt-id-123",
}


@pytest.fixture
def vectors(shared: Path) -> Path:
    """Keys and tokens of the specification."""
    return shared / "fhir-samples" / "smart-app-launch-vectors"


def published(vectors: Path, algorithm: str) -> str:
    """The token that the specification prints for these claims."""
    text = (vectors / "authorization-example-jwks-and-signatures.md").read_text("utf-8")
    start = text.index(f"### Encoded JWT with {algorithm} Signature")
    found = re.search(r"eyJ[\w.-]+", text[start:])
    assert found is not None
    return found[0]


def decoded(part: str) -> bytes:
    """Base64url without padding."""
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_RS384_token_is_the_published_one_byte_for_byte(vectors: Path) -> None:  # noqa: N802 - the algorithm's name
    """The same claims and key give the specification's own token."""
    key = read_assertion_key(vectors / "RS384.private.json")

    assert key.sign(CLAIMS) == published(vectors, "RS384")


def test_ES384_token_says_the_same_and_verifies(vectors: Path) -> None:  # noqa: N802 - the algorithm's name
    """An ECDSA signature is new each time; header and claims are the published ones."""
    key = read_assertion_key(vectors / "ES384.private.json")
    signed, _, signature = key.sign(CLAIMS).rpartition(".")

    assert signed == published(vectors, "ES384").rpartition(".")[0]
    raw = decoded(signature)
    pair = encode_dss_signature(int.from_bytes(raw[:48]), int.from_bytes(raw[48:]))
    public = key.key.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(pair, signed.encode(), ec.ECDSA(hashes.SHA384()))


def test_assertion_names_the_client_and_ends_soon(vectors: Path) -> None:
    """Issuer and subject are the client, the audience is the endpoint, under five minutes."""
    key, at = read_assertion_key(vectors / "ES384.private.json"), FixedClock().now()

    token = key.assertion(client="node", audience="https://up/token", at=at, jti="one")

    claims = json.loads(decoded(token.split(".")[1]))
    assert (claims["iss"], claims["sub"], claims["aud"], claims["jti"]) == (
        "node",
        "node",
        "https://up/token",
        "one",
    )
    assert claims["exp"] == int((at + LIFETIME).timestamp())
    assert LIFETIME.total_seconds() < 300


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("[]", id="no-object"),
        pytest.param('{"keys": []}', id="no-key"),
        pytest.param('{"kty": "EC", "crv": "P-256", "d": "AA", "kid": "k"}', id="other-curve"),
        pytest.param('{"kty": "RSA", "n": "AQ", "e": "AQAB", "kid": "k"}', id="public-half"),
    ],
)
def test_file_without_a_usable_key_is_refused_without_quoting_it(tmp_path: Path, text: str) -> None:
    """A wrong file is named; its content is a secret."""
    file = tmp_path / "key.json"
    file.write_text(text)

    with pytest.raises(BridgeError, match="no private key for RS384 or ES384") as refused:
        read_assertion_key(file)

    assert "AA" not in str(refused.value)
