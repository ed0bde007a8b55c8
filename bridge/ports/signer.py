"""Whoever holds the log's signing key: a file on this machine, or a service that never gives it."""

from typing import Protocol

__all__ = ["Signer"]


class Signer(Protocol):
    """Trusted with the log's identity: a thief of its key can fork the log, until anchors tell."""

    @property
    def name(self) -> str:
        """Name of the key: the origin of the log."""

    @property
    def verifier_key(self) -> str:
        """The public key to publish, as `name+hash+base64` of c2sp.org/signed-note."""

    def sign(self, note_text: bytes) -> bytes:
        """A complete signed note, by every key that is in use during a rotation.

        Deterministic (Ed25519): after a crash the same text gives the same bytes.

        Raises:
            BridgeError: with fault PEER when a remote signer does not answer.
        """
