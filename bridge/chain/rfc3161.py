"""A time-stamp authority over HTTP: RFC 3161 s3.4.

Not trusted: a token that is not of our bytes, or that its own certificate did not sign, is refused
before it is stored. Whether the authority is believed is the verifier's business.
"""

from typing import Final

from bridge.chain.exchange import exchange
from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import sha256
from bridge.core.proof.rfc3161 import MAX_SIZE, encode_query, parse_response, verify_token
from bridge.ports.sources import Entropy
from bridge.ports.stamps import Token

__all__ = ["TimeStampAuthority"]

_HEADERS: Final = {
    "Accept": "application/timestamp-reply",
    "Content-Type": "application/timestamp-query",
}


class TimeStampAuthority:
    """The port `Stamper` over one authority."""

    kind: str = "rfc3161"

    def __init__(self, url: str, entropy: Entropy) -> None:
        """Take the URL, and where nonces come from; nothing is asked yet."""
        self._url = url
        self._entropy = entropy

    def stamp(self, note: bytes) -> Token:
        """A token over SHA-256 of the bytes, checked in all but whom a verifier believes."""
        nonce = int.from_bytes(self._entropy.take(8))
        query = encode_query(sha256(note), nonce=nonce)
        answer = exchange(self._url, body=query, headers=_HEADERS, limit=MAX_SIZE)
        try:
            token = parse_response(answer or b"", nonce=nonce)
            _check(token, note)
        except BridgeError as error:
            raise BridgeError(
                error.code, Fault.PEER, what=error.what, where="rfc3161.url", do=error.do
            ) from error
        return Token(data=token, complete=True)

    def upgrade(self, token: Token) -> Token | None:
        """Nothing: a token is complete when it is given."""
        return None if token.complete else token


def _check(token: bytes, note: bytes) -> None:
    """That it holds but for the trusted root, which is asked for last."""
    try:
        verify_token(token, note, roots=())
    except BridgeError as error:
        if error.code != "token-untrusted":
            raise
