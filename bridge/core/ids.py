"""The small types that every floor shares: digests, positions in the log, record ids, instants."""

import hashlib
from datetime import UTC, datetime
from functools import lru_cache
from typing import NewType

from bridge.core.errors import BridgeError, Fault

__all__ = [
    "Digest",
    "Instant",
    "LeafIndex",
    "RecordId",
    "TreeSize",
    "instant",
    "instant_text",
    "parse_instant",
    "record_id",
    "sha256",
]

Digest = NewType("Digest", bytes)
"""32 bytes of SHA-256."""
LeafIndex = NewType("LeafIndex", int)
"""Position of a leaf in the log, from 0."""
TreeSize = NewType("TreeSize", int)
"""Number of leaves under a head."""
RecordId = NewType("RecordId", str)
"""A UUID of version 7 (RFC 9562 s5.7): sorts by time of receipt, names nothing clinical."""
Instant = NewType("Instant", datetime)
"""An aware datetime in UTC, whole microseconds."""


def sha256(data: bytes) -> Digest:
    """SHA-256 of the bytes, FIPS 180-4."""
    return Digest(hashlib.sha256(data).digest())


def instant(moment: datetime) -> Instant:
    """The same moment in UTC; a naive datetime is a bug of ours and is refused."""
    if moment.tzinfo is None:
        raise BridgeError(
            "naive-datetime",
            Fault.US,
            what="a datetime without zone was offered as an instant",
            where="bridge.core.ids.instant",
            do="ask the Clock port, or attach the zone where the value was parsed",
        )
    return Instant(moment.astimezone(UTC))


@lru_cache(maxsize=16)  # what arrives together is received at one instant
def instant_text(moment: Instant) -> str:
    """RFC 3339 in UTC with microseconds, such as `2026-11-22T14:00:00.000000Z`; sorts as text."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_instant(text: str) -> Instant:
    """The inverse of `instant_text`; refuses every other spelling."""
    try:
        moment = instant(datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC))
    except ValueError:
        moment = None
    if moment is None or instant_text(moment) != text:
        raise BridgeError(
            "instant-form",
            Fault.SENDER,
            what="an instant is not written as YYYY-MM-DDThh:mm:ss.ffffffZ",
            where="instant",
            do="write it in UTC with six decimals",
        )
    return moment


def record_id(received: Instant, random: bytes) -> RecordId:
    """A UUID of version 7 from the time of receipt and 10 fresh random bytes (RFC 9562 s5.7)."""
    if len(random) != 10:
        raise BridgeError(
            "record-id-entropy",
            Fault.US,
            what=f"a record id needs 10 random bytes, found {len(random)}",
            where="bridge.core.ids.record_id",
            do="take exactly 10 bytes from the Entropy port",
        )
    millis = int(received.timestamp() * 1000)
    value = (millis << 80) | int.from_bytes(random)
    value = value & ~(0xF << 76) | (7 << 76)
    value = value & ~(0x3 << 62) | (0x2 << 62)
    text = f"{value:032x}"
    return RecordId(f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}")
