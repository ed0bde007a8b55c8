"""c2sp.org/tlog-proof@v1: inclusion of one leaf as text that verifies offline."""

import base64
import re
from dataclasses import dataclass

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest, LeafIndex
from bridge.core.log.merkle import HASH_SIZE
from bridge.core.log.note import MAX_NOTE, decode_base64

__all__ = ["TlogProof", "parse_tlog_proof"]

HEADER = "c2sp.org/tlog-proof@v1"
MAX_PATH = 64
"""Hashes of a path: a tree of 64-bit size is not deeper."""
MAX_EXTRA = 1 << 16
"""Bytes of the extra line; the reference implementation stops at the same length."""
INDEX = re.compile(r"index (0|[1-9][0-9]{0,19})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class TlogProof:
    """Index, audit path and signed checkpoint; whether they fit is for `verify_inclusion`."""

    index: LeafIndex
    path: tuple[Digest, ...]
    checkpoint: bytes
    """The signed note, verbatim."""
    extra: bytes = b""
    """For the application, authenticated by nothing; empty means that there is no such line."""

    def encode(self) -> bytes:
        """The inverse of `parse_tlog_proof`."""
        lines = [HEADER]
        if self.extra:
            lines.append(f"extra {base64.b64encode(self.extra).decode()}")
        lines.append(f"index {self.index}")
        lines.extend(base64.b64encode(digest).decode() for digest in self.path)
        return "\n".join(lines).encode() + b"\n\n" + self.checkpoint


def parse_tlog_proof(data: bytes) -> TlogProof:
    """Read a proof strictly; the checkpoint inside is not looked at.

    Raises:
        BridgeError: `tlog-proof-form`.
    """
    if len(data) > MAX_NOTE + MAX_EXTRA + MAX_PATH * 45:
        raise _malformed("the proof is larger than any proof can be")
    head, gap, checkpoint = data.partition(b"\n\n")
    try:
        header, *lines = head.decode().split("\n")
    except UnicodeDecodeError:
        raise _malformed("the proof is not UTF-8") from None
    if header != HEADER or not gap or not checkpoint:
        raise _malformed(f"the proof is not {HEADER} with a checkpoint behind an empty line")
    extra = _extra(lines.pop(0)) if lines and lines[0].startswith("extra ") else b""
    index = INDEX.fullmatch(lines[0]) if lines else None
    if index is None:
        raise _malformed("the index line is missing or its number is not plain decimal")
    return TlogProof(
        index=LeafIndex(int(index[1])),
        path=_path(lines[1:]),
        checkpoint=checkpoint,
        extra=extra,
    )


def _extra(line: str) -> bytes:
    data = decode_base64(line.removeprefix("extra ")) if len(line) <= MAX_EXTRA else None
    if not data:
        raise _malformed("the extra line is empty, too long or not canonical base64")
    return data


def _path(lines: list[str]) -> tuple[Digest, ...]:
    hashes = [decode_base64(line) for line in lines[: MAX_PATH + 1] if len(line) == 44]
    found = tuple(Digest(data) for data in hashes if data is not None and len(data) == HASH_SIZE)
    if len(found) != len(lines) or len(lines) > MAX_PATH:
        raise _malformed(f"the path is not up to {MAX_PATH} lines of 32 bytes in base64")
    return found


def _malformed(what: str) -> BridgeError:
    return BridgeError(
        "tlog-proof-form",
        Fault.SENDER,
        what=what,
        where="tlog-proof",
        do="take the proof from an unaltered receipt",
    )
