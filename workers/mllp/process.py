"""The MLLP process of a node: settings to listeners, commits to wake-ups, events to logs."""

import asyncio
import ssl
from collections.abc import Sequence
from ipaddress import ip_network

import structlog

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import record_id
from bridge.flows.receive import Inbound, Received, receive
from bridge.settings import Mllp, Settings
from bridge.telemetry import configure_logs
from workers.celery_app import configured
from workers.mllp.feed import FeedEvent, Limits, Listener
from workers.mllp.server import MllpServer, run
from workers.waker import Waker
from workers.wiring import Services

__all__ = ["serve"]


def serve(settings: Settings) -> None:
    """Listen until SIGTERM or SIGINT; what was read whole is answered before the end.

    Raises:
        BridgeError: an address, a certificate or the database is not usable.
    """
    log = configure_logs("mllp")
    services = Services(settings)
    services.intake  # noqa: B018 - a database that is not there refuses to start, not the first sender

    def receive_group(inputs: Sequence[Inbound]) -> Sequence[Received]:
        return receive(
            inputs,
            dialect=services.hl7v2,
            intake=services.intake,
            clock=services.clock,
            entropy=services.entropy,
        )

    with Waker(configured(settings)) as waker:
        server = MllpServer(
            [_listener(settings.mllp, services)],
            receive_group=receive_group,
            clock=services.clock,
            wake=waker.wake,
            on_event=lambda event: _say(log, event),
        )
        asyncio.run(run(server, ready=lambda: log.info("listening", port=settings.mllp.port)))


def _listener(mllp: Mllp, services: Services) -> Listener:
    started = record_id(services.clock.now(), services.entropy.take(10))
    return Listener(
        feed=f"mllp-{mllp.port}/{started}",
        host=mllp.host,
        port=mllp.port,
        sender=mllp.sender,
        tls=_tls(mllp),
        allow=tuple(ip_network(network) for network in mllp.allow),
        limits=Limits(
            frame_bytes=mllp.max_frame_bytes,
            connections=mllp.max_connections,
            idle_s=mllp.idle_timeout_s,
            frame_s=mllp.frame_timeout_s,
        ),
    )


def _tls(mllp: Mllp) -> ssl.SSLContext | None:
    """TLS 1.2 or later; with `client_ca` every client shows a certificate of that CA."""
    if not mllp.certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(mllp.certificate, mllp.private_key or None)
        if mllp.client_ca:
            context.load_verify_locations(mllp.client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        raise BridgeError(
            "mllp-tls",
            Fault.OPERATOR,
            what="a certificate or key of the MLLP door cannot be read",
            where="mllp.certificate, mllp.private_key, mllp.client_ca",
            do="give readable PEM files; the key without passphrase",
        ) from error
    return context


def _say(log: structlog.stdlib.BoundLogger, event: FeedEvent) -> None:
    log.info(event.code, feed=event.feed, peer=event.peer, offset=event.offset, count=event.count)
