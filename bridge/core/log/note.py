"""c2sp.org/signed-note: text signed by keys that have a name, with Ed25519 alone.

Two kinds of signature are known: a log's (type 0x01) and a witness's timestamped cosignature
(type 0x04, c2sp.org/tlog-cosignature). Signatures of unknown keys are kept and never trusted.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from bridge.core.errors import BridgeError, Fault

__all__ = [
    "MAX_NOTE",
    "MAX_SIGNATURES",
    "KeyKind",
    "OpenedNote",
    "Signature",
    "SignedNote",
    "SigningKey",
    "VerifierKey",
    "cosignature_time",
    "decode_base64",
    "open_note",
    "parse_note",
]

MAX_NOTE = 1 << 20
"""Bytes of a note: 100 signatures of the largest kind in sight, 7 KB each in base64."""
MAX_SIGNATURES = 100
"""Signature lines of a note; the specification asks for at least 16."""
DASH = "\u2014 "
KEY_TEXT = re.compile(r"(?P<name>[^+]+)\+(?P<id>[0-9a-f]{8})\+(?P<key>[A-Za-z0-9+/]+={0,2})")
PRIVATE = "PRIVATE+KEY+"
FIELD_PRIME = 2**255 - 19
LOW_ORDER = frozenset(
    bytes.fromhex(point) + bytes([last])
    for point, lasts in {
        "00" * 31: (0x00, 0x80),
        "01" + "00" * 30: (0x00, 0x80),
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc": (0x05, 0x85),
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03": (0x7A, 0xFA),
        "ec" + "ff" * 30: (0x7F, 0xFF),
        "ed" + "ff" * 30: (0x7F, 0xFF),
        "ee" + "ff" * 30: (0x7F, 0xFF),
    }.items()
    for last in lasts
)
"""Every encoding of the eight points of low order (C2SP/CCTV, ed25519). Such a key signs anything,
so we refuse it, as `verify_strict` of ed25519-dalek does: two verifiers then never disagree."""


class KeyKind(IntEnum):
    """Signature type identifier byte of c2sp.org/signed-note."""

    LOG = 1
    """Ed25519 over the note text."""
    WITNESS = 4
    """Ed25519 over a time and the note text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One signature line, believed or not."""

    name: str
    key_id: bytes
    body: bytes
    """Behind the four bytes of key id: 64 bytes from a log, 8 of time and 64 from a witness."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedNote:
    """A note as it stands, nothing verified."""

    text: bytes
    """With its last newline: what is signed."""
    signatures: tuple[Signature, ...]

    def encode(self) -> bytes:
        """The inverse of `parse_note`."""
        return self.text + b"\n" + b"".join(map(_signature_line, self.signatures))


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedNote:
    """A note that at least one known key signed."""

    text: bytes
    verified: tuple[Signature, ...]
    unverified: tuple[Signature, ...]
    """By unknown keys: neither right nor wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKey:
    """A public key with its name."""

    name: str
    kind: KeyKind
    public: bytes

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """From `name+hash+base64`; refuses unknown kinds, a wrong hash and keys of low order.

        Raises:
            BridgeError: `note-key`, with fault OPERATOR: verifier keys are configured.
        """
        name, key_id, kind, public = _key_parts(text, "verifier key")
        key = cls(name=name, kind=kind, public=public)
        if key.key_id != key_id:
            raise _bad_key("the key's hash does not fit its name and bytes", "verifier key")
        number = int.from_bytes(public, "little") % 2**255
        if public in LOW_ORDER or number >= FIELD_PRIME:
            raise _bad_key("the key is a point of low order or not in canonical form", name)
        return key

    def encode(self) -> str:
        """The inverse of `parse`."""
        return _key_text(self, self.public)

    @property
    def key_id(self) -> bytes:
        """The four bytes that stand before each signature."""
        data = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return sha256(data).digest()[:4]

    def verify(self, text: bytes, signature: Signature) -> None:
        """Return when this key made the signature over the text.

        Accepts what RFC 8032 requires, without the cofactor, and no point of low order.

        Raises:
            BridgeError: `note-signature`.
        """
        body, message = signature.body, text
        if self.kind is KeyKind.WITNESS:
            message = b"cosignature/v1\ntime %d\n%b" % (int.from_bytes(body[:8]), text)
            body = body[8:]
        try:
            if len(body) != 64 or body[:32] in LOW_ORDER:
                raise InvalidSignature  # noqa: TRY301  the same refusal, whoever found it
            Ed25519PublicKey.from_public_bytes(self.public).verify(body, message)
        except InvalidSignature:
            raise BridgeError(
                "note-signature",
                Fault.PEER,
                what="the signature does not fit the text",
                where=f"signature of {self.name}",
                do="keep the note as evidence and trust nothing in it",
            ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """An Ed25519 key that signs notes as a log. Text form as in golang.org/x/mod/sumdb/note."""

    name: str
    seed: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "SigningKey":
        """From `PRIVATE+KEY+name+hash+base64`. Errors never repeat the text."""
        if not text.startswith(PRIVATE):
            raise _bad_key(f"a signing key does not begin with {PRIVATE}", "signing key")
        name, key_id, kind, seed = _key_parts(text.removeprefix(PRIVATE), "signing key")
        key = cls(name=name, seed=seed)
        if kind is not KeyKind.LOG or key.verifier.key_id != key_id:
            raise _bad_key("the signing key's hash or kind does not fit", name)
        return key

    def encode(self) -> str:
        """The inverse of `parse`. Secret."""
        return PRIVATE + _key_text(self.verifier, self.seed)

    @property
    def verifier(self) -> VerifierKey:
        """The public half."""
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()
        return VerifierKey(name=self.name, kind=KeyKind.LOG, public=public)

    def sign(self, text: bytes) -> Signature:
        """The signature over a note text. Deterministic: the same text gives the same bytes."""
        body = Ed25519PrivateKey.from_private_bytes(self.seed).sign(text)
        return Signature(name=self.name, key_id=self.verifier.key_id, body=body)


def parse_note(data: bytes) -> SignedNote:
    """Split a note into text and signatures, strictly; verifies nothing.

    Raises:
        BridgeError: `note-form`, with the line that is wrong.
    """
    if len(data) > MAX_NOTE:
        raise _malformed(f"the note has {len(data)} bytes, at most {MAX_NOTE} are read", "note")
    if any(byte < 0x20 and byte != 0x0A for byte in set(data)):
        raise _malformed("the note has a control character", "note")
    text, gap, lines = data.rpartition(b"\n\n")
    if not gap or not lines.endswith(b"\n"):
        raise _malformed("the note has no signature lines behind an empty line", "note")
    signatures = lines[:-1].split(b"\n")
    if len(signatures) > MAX_SIGNATURES:
        raise _malformed(f"the note has over {MAX_SIGNATURES} signatures", "note")
    try:
        text.decode()
        parsed = tuple(_parse_signature(line.decode()) for line in signatures)
    except UnicodeDecodeError:
        raise _malformed("the note is not UTF-8", "note") from None
    return SignedNote(text=text + b"\n", signatures=parsed)


def open_note(data: bytes, verifiers: Sequence[VerifierKey]) -> OpenedNote:
    """Verify a note against the keys one knows.

    Every first signature by a known key must verify. A repeated line counts once.

    Raises:
        BridgeError: `note-form`; `note-signature` when a known key's signature is wrong;
            `note-unsigned` when no known key signed; `note-ambiguous` when two known keys answer to
            the same name and id.
    """
    note = parse_note(data)
    verified: dict[tuple[str, bytes], Signature] = {}
    unverified: dict[Signature, None] = {}
    for signature in note.signatures:
        named = (signature.name, signature.key_id)
        known = [key for key in verifiers if (key.name, key.key_id) == named]
        if not known:
            unverified[signature] = None
        elif named not in verified:
            _only(known).verify(note.text, signature)
            verified[named] = signature
    if not verified:
        raise BridgeError(
            "note-unsigned",
            Fault.PEER,
            what="no known key signed the note",
            where="note",
            do="check name and key of the log in the trust file",
        )
    return OpenedNote(
        text=note.text, verified=tuple(verified.values()), unverified=tuple(unverified)
    )


def cosignature_time(signature: Signature) -> int:
    """Seconds since 1970 in a witness's signature; believable only when it was verified."""
    return int.from_bytes(signature.body[:8])


def decode_base64(text: str) -> bytes | None:
    """The bytes of canonical RFC 4648 s4 base64, or None for every other text."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    return data if base64.b64encode(data).decode() == text else None


def _signature_line(signature: Signature) -> bytes:
    packed = base64.b64encode(signature.key_id + signature.body).decode()
    return f"{DASH}{signature.name} {packed}\n".encode()


def _parse_signature(line: str) -> Signature:
    name, _, packed = line.removeprefix(DASH).partition(" ")
    data = decode_base64(packed)
    if not line.startswith(DASH) or not _is_name(name) or data is None or len(data) < 5:
        raise _malformed("a signature line is not an em dash, a name and base64", "signatures")
    return Signature(name=name, key_id=data[:4], body=data[4:])


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(character.isspace() for character in name)


def _key_parts(text: str, where: str) -> tuple[str, bytes, KeyKind, bytes]:
    """Name, key id, kind and 32 bytes of a key's text."""
    found = KEY_TEXT.fullmatch(text)
    data = decode_base64(found["key"]) if found else None
    if found is None or data is None or not _is_name(found["name"]):
        raise _bad_key("the key is not written as name+hash+base64", where)
    if data[:1] not in {bytes([kind]) for kind in KeyKind} or len(data) != 33:
        raise _bad_key("the key is not of a known kind with 32 bytes", where)
    return found["name"], bytes.fromhex(found["id"]), KeyKind(data[0]), data[1:]


def _key_text(key: VerifierKey, data: bytes) -> str:
    packed = base64.b64encode(bytes([key.kind]) + data).decode()
    return f"{key.name}+{key.key_id.hex()}+{packed}"


def _only(known: Sequence[VerifierKey]) -> VerifierKey:
    if len(known) > 1:
        raise BridgeError(
            "note-ambiguous",
            Fault.OPERATOR,
            what="two known keys have the same name and id",
            where=f"verifier keys of {known[0].name}",
            do="list each key once in the trust file",
        )
    return known[0]


def _bad_key(what: str, where: str) -> BridgeError:
    do = "copy the whole key again from where it was published"
    return BridgeError("note-key", Fault.OPERATOR, what=what, where=where, do=do)


def _malformed(what: str, where: str) -> BridgeError:
    do = "take the note from an unaltered source"
    return BridgeError("note-form", Fault.PEER, what=what, where=where, do=do)
