"""What a record's `header` claim covers: all that is known of a message beside its bytes.

A column beside the sealed bytes could be changed without a trace; so whatever the node will later
say of a record (who sent it, how it was read, what was answered) stands in the header.
Specification: docs/spec/leaf.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from bridge.core.errors import BridgeError
from bridge.core.ids import Digest, Instant, RecordId, instant_text, sha256
from bridge.core.record.bundle import JsonObject
from bridge.core.record.canon import canonical, parse

__all__ = ["RecordHeader", "idempotency_key_of", "refusal_key", "resend_key"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordHeader:
    """One record as its transport and its reader saw it."""

    record: RecordId
    feed: str
    number: int
    received: Instant
    message_type: str
    sender: str
    pinned: str
    charset: str
    dialect: str
    control_id: str
    apply: str
    answer: bytes
    """As it went back to the sender: its digest is sealed."""
    idempotency_key: str = ""

    def encode(self) -> bytes:
        """Canonical JSON; what is empty is left out."""
        parts: JsonObject = {
            "answer": sha256(self.answer).hex(),
            "apply": self.apply,
            "charset": self.charset,
            "control_id": self.control_id,
            "dialect": self.dialect,
            "feed": self.feed,
            "idempotency_key": self.idempotency_key,
            "number": self.number,
            "pinned": self.pinned,
            "received": instant_text(self.received),
            "record": self.record,
            "sender": self.sender,
            "type": self.message_type,
        }
        return canonical({name: value for name, value in parts.items() if value != ""})


def idempotency_key_of(header: bytes) -> str:
    """The one member that no column repeats; empty when there is none."""
    try:
        said = cast("JsonObject", parse(header)).get("idempotency_key")
    except (BridgeError, AttributeError):
        return ""
    return said if isinstance(said, str) else ""


def resend_key(*, sender: str, name: str, source: Digest) -> Digest | None:
    """Of sender, control id (or what stands for it) and source; None where there is no such name.

    What has no name may rightly be sent twice.
    """
    return _digest(sender, name, source) if name else None


def refusal_key(
    *,
    sender: str,
    control_id: str,
    reason: str,
    source: bytes,
    request: Sequence[tuple[str, str]],
) -> Digest:
    """Of all that makes a refused input the same input, refused for the same reason."""
    asked = (part for pair in request for part in pair)
    return _digest(sender, control_id, reason, source, *asked)


def _digest(*parts: str | bytes) -> Digest:
    """SHA-256 over length-prefixed parts."""
    raw = [part.encode("utf-8", "replace") if isinstance(part, str) else part for part in parts]
    return sha256(b"".join(len(part).to_bytes(8) + part for part in raw))
