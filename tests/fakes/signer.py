"""A signer whose key everybody knows."""

from bridge.core.log.note import SignedNote, SigningKey

__all__ = ["KnownSigner"]


class KnownSigner:
    """The port `Signer`, with a choice of lies: `instead` is signed in place of what was asked."""

    def __init__(self, name: str = "log.example/test", seed: bytes = bytes(range(32))) -> None:
        """Hold a key made from a fixed seed."""
        self.key = SigningKey(name=name, seed=seed)
        self.instead: bytes | None = None
        self.signed: list[bytes] = []

    @property
    def name(self) -> str:
        """Name of the key."""
        return self.key.name

    @property
    def verifier_key(self) -> str:
        """The public half."""
        return self.key.verifier.encode()

    def sign(self, note_text: bytes) -> bytes:
        """A signed note."""
        text = self.instead or note_text
        self.signed.append(text)
        return SignedNote(text=text, signatures=(self.key.sign(text),)).encode()
