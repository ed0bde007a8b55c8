"""The MLLP process of a node: settings to listeners, commits to wake-ups, events to logs."""

import asyncio
import gc
import socket
from collections.abc import Sequence
from pathlib import Path

import structlog

from bridge.core.errors import BridgeError
from bridge.core.ids import record_id
from bridge.flows.receive import SHARE, Inbound, Offer, Received, prepare, receive
from bridge.settings import MllpListener, Settings
from bridge.telemetry import configure_logs
from workers.celery_app import configured
from workers.dialects import known_sender, profile_files
from workers.mllp.certificates import CertificateFiles, Certificates
from workers.mllp.crew import Crew
from workers.mllp.feed import FeedEvent, Limits, Listener
from workers.mllp.gathering import Reception, Work
from workers.mllp.server import MllpServer, bind, run
from workers.mllp.tally import TallyKeeper
from workers.waker import Waker
from workers.wiring import Services

__all__ = ["listeners", "serve"]


COLLECT_AFTER = (20_000, 20, 20)
"""Allocations between collections: a message makes some thousand values that counting frees, so
that the default of 700 looks at them several times for nothing, a tenth of the processor time."""


def serve(settings: Settings) -> None:
    """Listen until SIGTERM or SIGINT; what was read whole is answered before the end.

    With `mllp.processes` of several, each accepts from the same sockets and commits for itself.

    Raises:
        BridgeError: an address, a certificate or the database is not usable.
    """
    log = configure_logs("mllp")
    services = Services(settings)
    services.hl7v2  # noqa: B018 - compiled once: the processes that are forked share its memory
    gc.freeze()  # what is here now stays; a collection looks at messages alone
    gc.set_threshold(*COLLECT_AFTER)
    sockets = bind(listeners(settings, services, log))

    def one() -> None:
        _serve_one(services, sockets, log)

    def lost(pid: int) -> None:
        log.error("mllp-process-lost", pid=pid)

    if settings.mllp.processes == 1:
        one()
    else:
        Crew(one, size=settings.mllp.processes, lost=lost).run()


def _serve_one(
    services: Services, sockets: Sequence[socket.socket], log: structlog.stdlib.BoundLogger
) -> None:
    """One process of the door, with its own connections, feed names and commits."""
    settings = services.settings
    services.intake  # noqa: B018 - a database that is not there refuses to start, not the first sender

    def prepared(inbound: Inbound) -> Offer:
        at, random = services.clock.now(), services.entropy.take(SHARE)
        return prepare(inbound, dialect=services.hl7v2, at=at, random=random)

    def receive_group(inputs: Sequence[Work]) -> Sequence[Received]:
        results = receive(
            inputs,
            dialect=services.hl7v2,
            intake=services.intake,
            clock=services.clock,
            entropy=services.entropy,
        )
        _say_received(log, results)
        return results

    with Waker(configured(settings)) as waker:
        server = MllpServer(
            listeners(settings, services, log),
            reception=Reception(prepare=prepared, receive_group=receive_group),
            clock=services.clock,
            wake=waker.wake,
            on_event=lambda event: _say(log, event),
        )

        def ready() -> None:
            log.info("listening", port=settings.mllp.port)

        with TallyKeeper(services.database, services.clock, lambda: server.counters):
            asyncio.run(run(server, ready=ready, sockets=sockets))


def listeners(
    settings: Settings, services: Services, log: structlog.stdlib.BoundLogger
) -> list[Listener]:
    """What the settings say, each with a feed name of its own; `log` hears of new certificates.

    Raises:
        BridgeError: `mllp-tls`, `sender-unknown`.
    """
    overlays = profile_files(settings)
    return [_listener(one, services, overlays, log) for one in settings.mllp.listeners]


def _listener(
    given: MllpListener,
    services: Services,
    overlays: Sequence[Path],
    log: structlog.stdlib.BoundLogger,
) -> Listener:
    started = record_id(services.clock.now(), services.entropy.take(10))
    certificates = dict(_pair(one) for one in given.certificate_senders)
    for sender in {given.sender, *certificates.values()}:
        known_sender(sender, overlays, where="mllp.sender, mllp.certificate_senders")
    feed = f"mllp-{given.port}/{started}"
    return Listener(
        feed=feed,
        host=given.host,
        port=given.port,
        sender=given.sender,
        tls=_tls(given, feed, log),
        certificate_senders=certificates,
        allow=tuple(given.allow),
        mode=given.mode,
        outage=given.outage,
        application_ack_to=given.application_ack_to,
        limits=Limits(
            frame_bytes=given.max_frame_bytes,
            connections=given.max_connections,
            idle_s=given.idle_timeout_s,
            frame_s=given.frame_timeout_s,
            messages_per_s=given.messages_per_s or None,
        ),
    )


def _pair(text: str) -> tuple[str, str]:
    """A common name may hold an equals sign, a profile is a file's name and does not."""
    name, _, sender = text.rpartition("=")
    return name.strip(), sender.strip()


def _tls(given: MllpListener, feed: str, log: structlog.stdlib.BoundLogger) -> Certificates | None:
    """None for plain TCP."""
    if not given.certificate:
        return None

    def changed(broken: BridgeError | None) -> None:
        if broken is None:
            log.info("mllp-tls-renewed", feed=feed)
        else:
            log.error("mllp-tls-kept", feed=feed, code=broken.code, where=broken.where)

    files = CertificateFiles(
        certificate=given.certificate, private_key=given.private_key, client_ca=given.client_ca
    )
    return Certificates(files, changed)


def _say_received(log: structlog.stdlib.BoundLogger, results: Sequence[Received]) -> None:
    """One line a commit and status, with the ids of its records; a refusal has one of its own."""
    for status in ("stored", "duplicate"):
        records = [one.record for one in results if one.status == status]
        if records:
            log.info(status, records=records, count=len(records))
    for one in results:
        if one.reason is not None:
            log.warning("refused", record=one.record, code=one.reason.code, where=one.reason.where)


def _say(log: structlog.stdlib.BoundLogger, event: FeedEvent) -> None:
    log.info(event.code, feed=event.feed, peer=event.peer, offset=event.offset, count=event.count)
