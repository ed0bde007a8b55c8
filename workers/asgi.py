"""The API process of a node: settings to an application, served by uvicorn."""

import socket
from collections.abc import Callable
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from adapters.fhir.definitions import resource_shape
from adapters.fhir.dialect import problems_in
from adapters.hl7v2.ack import only_answer
from bridge.api.app import create_app
from bridge.api.feeds import Feeds
from bridge.api.node import Node
from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Instant, record_id
from bridge.flows.receive import Received
from bridge.keys.admin import admin_token
from bridge.keys.tokens import read_tokens
from bridge.settings import Http, Settings
from bridge.telemetry import Metrics, configure_logs
from workers.celery_app import configured
from workers.health import Watchman
from workers.http_patience import PatientProtocol
from workers.places import ADMIN_TOKEN
from workers.verifying import verifying
from workers.waker import Waker
from workers.wiring import Services

__all__ = ["application", "serve", "server_config"]

BACKLOG = 1024
"""Connections that wait to be accepted; more than a burst of clients that all come back."""


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; requests that were read are answered before the end.

    Raises:
        BridgeError: the address, the database, the tokens or a sender's overlay is not usable.
    """
    configure_logs("api")
    services = Services(settings, statement_s=settings.http.statement_timeout_s)
    with Waker(configured(settings)) as waker:
        app = application(services, wake=waker.wake)
        with _listening(settings.http) as address:
            uvicorn.Server(server_config(app, settings.http)).run(sockets=[address])


def _listening(http: Http) -> socket.socket:
    family = socket.AF_INET6 if ":" in http.host else socket.AF_INET
    try:
        return socket.create_server((http.host, http.port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise BridgeError(
            "http-listen",
            Fault.OPERATOR,
            what=f"the address cannot be listened on: {error.strerror or error}",
            where=f"http.host {http.host}, http.port {http.port}",
            do="free the port or choose another one",
        ) from error


def server_config(app: FastAPI, http: Http) -> uvicorn.Config:
    """The bounds of this node for uvicorn, which logs where all else logs."""
    return uvicorn.Config(
        app,
        http=PatientProtocol,
        ws="none",
        limit_concurrency=http.max_connections,
        log_config=None,  # its own would print tracebacks with their texts
        access_log=False,  # URLs of searches can hold identifiers
        server_header=False,
        timeout_graceful_shutdown=15,
    )


def application(services: Services, *, wake: Callable[[], None]) -> FastAPI:
    """The application over the parts of this process."""
    settings = services.settings
    metrics = Metrics()
    watchman = Watchman(services, metrics)
    started = record_id(services.clock.now(), services.entropy.take(10))
    admin = admin_token(settings.data / ADMIN_TOKEN)
    tokens_file = settings.access.tokens_file
    node = Node(
        clock=services.clock,
        entropy=services.entropy,
        intake=services.intake,
        versions=services.versions,
        reading=services.reading,
        book=services.book,
        anchors=services.anchors,
        evidence=services.evidence,
        hl7v2=services.hl7v2,
        worded=lambda raw, received: _worded(raw, received, services.clock.now()),
        fhir=services.fhir,
        work_items=services.work_items,
        is_type=lambda name: resource_shape(name) is not None,
        validate=problems_in,
        tokens=read_tokens(Path(tokens_file) if tokens_file else None, admin),
        metrics=metrics,
        feeds=Feeds(started),
        wake=wake,
        verify=verifying(settings),
        health=watchman.look,
        public_url=settings.http.public_url,
        measure=watchman.measure,
    )
    return create_app(node)


def _worded(raw: bytes, received: Received, at: Instant) -> bytes:
    return only_answer(raw, received.answer, at=at, record=received.record, reason=received.reason)
