"""A clinical dialect: bytes to canonical bundle, and back to an answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from bridge.core.errors import BridgeError
from bridge.core.ids import Instant, RecordId
from bridge.core.record.bundle import CanonicalBundle

__all__ = ["Accepted", "Dialect", "Envelope", "Refused", "RestDialect", "Verdict"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What can be said of an input without converting it; parts that cannot be read are empty."""

    sender: str
    """Name of the sender's profile, else `MSH-3/MSH-4` as sent, else the authenticated client."""
    message_type: str
    control_id: str
    sequence: int | None = None
    """The sender's own running number, MSH-13; None where there is none."""
    refuses_reuse: bool = False
    """The sender's profile wants a control id that comes again with other bytes refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The record is durable, or was already."""

    record: RecordId
    bundle: CanonicalBundle


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The input is kept in quarantine under this id with the reason."""

    record: RecordId
    reason: BridgeError


Verdict = Accepted | Refused


class Dialect(Protocol):
    """Pure: same bytes, sender and rules in, same bundle out, in any process."""

    name: str
    """`hl7v2` or `fhir`: stored with each record so that it can be derived again."""

    def envelope(self, raw: bytes, *, sender: str) -> Envelope:
        """Best effort, for quarantine and duplicates; never raises."""

    def convert(self, raw: bytes, *, sender: str, charset: str = "") -> CanonicalBundle:
        """The canonical bundle of one message.

        Args:
            raw: the bytes as received.
            sender: name of a profile that the listener or token pins; empty lets the
                message say it.
            charset: from the transport (Content-Type), empty when it says none.

        Raises:
            BridgeError: with fault SENDER; nothing else ever leaves this function.
        """

    def answer(self, raw: bytes, verdict: Verdict, *, at: Instant) -> bytes:
        """The acknowledgement in the dialect's own form; empty where the door words it itself."""


class RestDialect(Dialect, Protocol):
    """A dialect whose inputs may come with a request line of their own."""

    def convert_request(
        self, raw: bytes, *, sender: str, request: Mapping[str, str]
    ) -> CanonicalBundle:
        """The canonical bundle of one resource that an HTTP request writes.

        Args:
            raw: the body as received, one resource of any type.
            sender: name space of the ids of what is created.
            request: `Bundle.entry.request` as the HTTP request says it: `method` POST or PUT,
                `url`, `ifMatch`, `ifNoneMatch`, `ifNoneExist`. A body of a POST loses its id.

        Raises:
            BridgeError: as `convert`.
        """
