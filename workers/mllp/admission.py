"""Who may stay connected, and under whose name: by address and certificate."""

import ssl
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import cast

from workers.mllp.feed import Listener

__all__ = ["Admitted", "TurnedAway", "admit", "common_name"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """The peer may stay; `sender` is its profile, empty lets its messages say it."""

    sender: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnedAway:
    """The peer is let go; `code` goes to the log."""

    code: str


def admit(listener: Listener, *, address: str, client: str) -> Admitted | TurnedAway:
    """Judge one new connection; `client` is the common name of its certificate, verified."""
    if listener.allow and not _is_within(address, listener):
        return TurnedAway(code="mllp-address-not-allowed")
    if not listener.certificate_senders:
        return Admitted(sender=listener.sender)
    if client not in listener.certificate_senders:
        return TurnedAway(code="mllp-certificate-unknown")
    return Admitted(sender=listener.certificate_senders[client])


def common_name(tls: ssl.SSLObject | None) -> str:
    """Of the client's certificate, which the TLS context has verified; empty without one."""
    certificate = tls.getpeercert() if tls is not None else None
    subject = cast(
        "tuple[tuple[tuple[str, str], ...], ...]", (certificate or {}).get("subject", ())
    )
    return next((value for rdn in subject for key, value in rdn if key == "commonName"), "")


def _is_within(address: str, listener: Listener) -> bool:
    """An IPv4 client of a dual-stack socket is judged by its IPv4 address."""
    found = ip_address(address.split("%", maxsplit=1)[0])
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in network for network in listener.allow)
