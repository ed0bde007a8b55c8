r"""Claims, commitment, leaf: what of a record goes into the log, and how one part is shown alone.

    claim  = SHA-256(0x02 || u8 len(name) || name || salt[32] || SHA-256(value))
    commit = SHA-256("fhir-anchor/commit/1\0" || u8 n || claim_1 .. claim_n)      sorted by name
    leaf   = "fhir-anchor/leaf/1\0" || u8 kind || commit
Specification: docs/spec/leaf.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest, sha256

__all__ = [
    "ACCESS_NAMES",
    "KEY_EVENT_NAMES",
    "LEAF_SIZE",
    "MARKER_NAMES",
    "RECORD_NAMES",
    "REVISION_NAMES",
    "SALT_SIZE",
    "Claim",
    "Kind",
    "claim",
    "commitment",
    "leaf",
]

SALT_SIZE = 32
LEAF_PREFIX = b"fhir-anchor/leaf/1\0"
LEAF_SIZE = len(LEAF_PREFIX) + 1 + 32
COMMIT_PREFIX = b"fhir-anchor/commit/1\0"
RECORD_NAMES = ("bundle", "header", "map", "source")
REVISION_NAMES = ("header", "resources")
ACCESS_NAMES = ("event",)
KEY_EVENT_NAMES = ("event",)
MARKER_NAMES = ("control", "counts")


class Kind(IntEnum):
    """What a leaf stands for."""

    RECORD = 1
    ERASURE = 2
    KEY_EVENT = 3
    FEED_MARKER = 4
    AUDIT = 5
    REVISION = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One part of a record with the salt that hides it: disclosed to whoever may see that part."""

    name: str
    salt: bytes
    value: Digest
    """SHA-256 of the part's bytes."""

    def digest(self) -> Digest:
        """The claim as it stands under the commitment."""
        return claim(self.name, self.salt, self.value)


def claim(name: str, salt: bytes, value: Digest) -> Digest:
    """SHA-256(0x02 || u8 len(name) || name || salt || value); `value` is already a digest."""
    label = name.encode()
    if len(salt) != SALT_SIZE or not 0 < len(label) < 256 or len(value) != 32:
        raise BridgeError(
            "claim-form",
            Fault.SENDER,
            what=f"a claim needs a name of 1 to 255 bytes, a salt of 32 and a digest of 32; "
            f"found {len(label)}, {len(salt)} and {len(value)}",
            where=f"claim {name[:40]!r}",
            do="take the claim from an unaltered receipt",
        )
    return sha256(b"\x02" + bytes([len(label)]) + label + salt + value)


def commitment(claims: Mapping[str, Digest]) -> Digest:
    """One digest over all claims of a record, in order of name (bytewise)."""
    if not 0 < len(claims) < 256:
        raise BridgeError(
            "commit-form",
            Fault.SENDER,
            what=f"a commitment covers 1 to 255 claims, found {len(claims)}",
            where="claims",
            do="take the claims from an unaltered receipt",
        )
    ordered = [claims[name] for name in sorted(claims, key=str.encode)]
    return sha256(COMMIT_PREFIX + bytes([len(ordered)]) + b"".join(ordered))


def leaf(kind: Kind, commit: Digest) -> bytes:
    """The 52 bytes that are hashed into the tree (RFC 6962 s2.1 adds its own 0x00)."""
    return LEAF_PREFIX + bytes([kind]) + commit
