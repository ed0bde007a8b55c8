"""c2sp.org/tlog-checkpoint: the head of a log as three lines that the log signs as a note."""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest, TreeSize
from bridge.core.log.merkle import EMPTY_ROOT, HASH_SIZE
from bridge.core.log.note import (
    OpenedNote,
    Signature,
    SignedNote,
    SigningKey,
    VerifierKey,
    decode_base64,
    open_note,
    parse_note,
)

__all__ = [
    "Checkpoint",
    "OpenedNote",
    "Signature",
    "SignedNote",
    "SigningKey",
    "VerifierKey",
    "open_checkpoint",
    "open_note",
    "parse_checkpoint",
    "parse_note",
]

MAX_SIZE = 2**64 - 1
"""The size is a uint64 on the chain and in RFC 6962."""
NUMBER = re.compile(r"0|[1-9][0-9]{0,19}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A tree head. It cannot be made wrong: the constructor checks what the text must satisfy.

    Raises:
        BridgeError: `checkpoint-form`.
    """

    origin: str
    """Identity of the log, also the name of its key."""
    size: TreeSize
    root: Digest
    extensions: tuple[str, ...] = ()
    """Further lines, kept and not understood."""

    def __post_init__(self) -> None:
        """Refuse what would not read back as the same checkpoint."""
        lines = (self.origin, *self.extensions)
        if not all(lines) or any(character < " " for line in lines for character in line):
            raise _malformed("a line is empty or has a control character")
        if not 0 <= self.size <= MAX_SIZE:
            raise _malformed("the tree size is not between 0 and 2^64-1")
        if len(self.root) != HASH_SIZE:
            raise _malformed(f"the root hash has {len(self.root)} bytes, expected 32")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise _malformed("the tree is empty but the root is not that of the empty tree")

    def encode(self) -> bytes:
        """The note text: origin, size, root, extensions, a line each."""
        packed = base64.b64encode(self.root).decode()
        lines = (self.origin, str(self.size), packed, *self.extensions)
        return "".join(f"{line}\n" for line in lines).encode()


def parse_checkpoint(body: bytes) -> Checkpoint:
    """The inverse of `Checkpoint.encode`; every other spelling is refused.

    Raises:
        BridgeError: `checkpoint-form`.
    """
    try:
        lines = body.decode().split("\n")
    except UnicodeDecodeError:
        raise _malformed("the text is not UTF-8") from None
    if len(lines) < 4 or lines.pop():
        raise _malformed("the text is not three lines or more, each with its newline")
    origin, size, packed, *extensions = lines
    root = decode_base64(packed)
    if NUMBER.fullmatch(size) is None:
        raise _malformed("the tree size is not a plain decimal number")
    if root is None:
        raise _malformed("the root hash is not canonical base64")
    return Checkpoint(
        origin=origin, size=TreeSize(int(size)), root=Digest(root), extensions=tuple(extensions)
    )


def open_checkpoint(note: bytes, verifiers: Sequence[VerifierKey], origin: str) -> Checkpoint:
    """The checkpoint in a signed note of the log `origin`, its signature verified.

    Raises:
        BridgeError: as `open_note` and `parse_checkpoint`; `checkpoint-origin` for another log's.
    """
    checkpoint = parse_checkpoint(open_note(note, verifiers).text)
    if checkpoint.origin != origin:
        raise BridgeError(
            "checkpoint-origin",
            Fault.PEER,
            what=f"the checkpoint is of log {checkpoint.origin!r}, expected {origin!r}",
            where="checkpoint, line 1",
            do="take the checkpoint of the right log, or correct the trust file",
        )
    return checkpoint


def _malformed(what: str) -> BridgeError:
    return BridgeError(
        "checkpoint-form",
        Fault.PEER,
        what=what,
        where="checkpoint",
        do="take the checkpoint from an unaltered source",
    )
