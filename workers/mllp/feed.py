"""A feed as the MLLP shell knows it: where it listens, what it may cost, what it counted."""

import ipaddress
import ssl
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from adapters.hl7v2.mllp import FRAME_LIMIT

__all__ = ["LATENCY_BOUNDS_S", "FeedCounters", "FeedEvent", "Limits", "Listener", "Network"]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LATENCY_BOUNDS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Upper bounds of the latency buckets; the last bucket has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Security limits of one listener: what a stranger may cost."""

    frame_bytes: int = FRAME_LIMIT
    connections: int = 256
    """A hospital has tens of sending systems; each opens one to a handful of connections."""
    idle_s: float = 3600.0
    """Engines hold a connection open over a quiet night; they reconnect without loss after it."""
    frame_s: float = 60.0
    """From the VT to the end: 16 MiB in a minute is 2.2 Mbit/s."""
    lull_s: float = 0.2
    """After which an FS without CR ends a frame: far beyond a delayed segment of the same write."""
    unanswered: int = 64
    """Messages of one connection that may wait for their answer; beyond, its socket is not read."""
    unanswered_bytes: int = 16 * 1024 * 1024
    """The same in bytes; a message over it is still taken when nothing else waits."""
    messages_per_s: float | None = None
    """Of one sender over all its connections; None sets no limit. Over it, none is read."""
    linger_s: float = 1.0
    """How long a peer may take to close its side after ours is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """One address that is listened on."""

    feed: str
    """Name of the feed with the start of its process, such as `mllp-2575/0190...`."""
    host: str
    port: int
    """0 lets the system choose; `MllpServer.addresses` tells."""
    sender: str = ""
    """Profile that this listener pins; empty lets the certificate or the message say it."""
    tls: ssl.SSLContext | None = None
    """For mutual TLS its `verify_mode` is `CERT_REQUIRED`."""
    certificate_senders: Mapping[str, str] = field(default_factory=dict)
    """Common name of a client certificate to its profile. Not empty: a certificate whose name is
    absent is let go, since a CA signs more clients than may send here."""
    allow: tuple[Network, ...] = ()
    """Networks that may connect; empty lets every address in."""
    mode: Literal["by-message", "original"] = "by-message"
    """`original` answers AA, AE, AR whatever MSH-15 and MSH-16 say: many senders fill them in and
    wait for AA all the same."""
    outage: Literal["close", "answer"] = "close"
    """What says "again" where no CR is owed: the line that breaks, or AE."""
    application_ack_to: str = ""
    """HOST:PORT for application acknowledgements; empty sends them on the connection."""
    limits: Limits = field(default_factory=Limits)


@dataclass(slots=True, kw_only=True)
class FeedCounters:
    """Running totals of one listener, written by the loop's thread alone; telemetry reads them."""

    received: int = 0
    """Frames that were read whole."""
    received_bytes: int = 0
    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    """Quarantined, or over a bound."""
    unstored: int = 0
    """Answered "send again": the storage was down."""
    tolerated: dict[str, int] = field(default_factory=dict)
    connections: int = 0
    """Open now."""
    connections_total: int = 0
    connections_refused: int = 0
    waiting: int = 0
    """Messages that were read and are not answered."""
    last_s: float = 0.0
    """When the last message was answered, in seconds since 1970."""
    latency_s: float = 0.0
    """Sum, from the last byte of a message to the write of its answer."""
    latency_buckets: list[int] = field(default_factory=lambda: [0] * (len(LATENCY_BOUNDS_S) + 1))

    def count(self, status: Literal["stored", "duplicate", "quarantined"]) -> None:
        """One message that is durable, by what became of it."""
        match status:
            case "stored":
                self.accepted += 1
            case "duplicate":
                self.duplicates += 1
            case "quarantined":
                self.refused += 1

    def observe(self, latency_s: float) -> None:
        """Count one answered message."""
        self.latency_s += latency_s
        self.latency_buckets[bisect_left(LATENCY_BOUNDS_S, latency_s)] += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEvent:
    """Something for the log: codes, addresses and numbers, never content."""

    code: str
    """Such as `mllp-connected`, `mllp-frame-bound`, `mllp-idle`; those of `adapters.hl7v2.mllp`."""
    feed: str
    peer: str = ""
    """Address and port."""
    offset: int = 0
    """In the stream of the connection, where the event has one."""
    count: int = 0
    """Bytes or messages, as the code says."""
