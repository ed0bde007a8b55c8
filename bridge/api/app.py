"""The FastAPI application over a node: its routes, its refusals, and nothing else."""

from fastapi import FastAPI

from bridge.api import problems
from bridge.api.node import Node
from bridge.api.routes import fhir_read, fhir_write, health, hl7v2, log, records, verify

__all__ = ["create_app"]


def create_app(node: Node) -> FastAPI:
    """All doors of one API process; https://hl7.org/fhir/R4/http.html under `/fhir`."""
    app = FastAPI(
        title="fhir-anchor",
        description="Clinical messages in, canonical FHIR R4 out, every record provable.",
        redoc_url=None,
    )
    app.state.node = node
    problems.install(app)
    for part in (hl7v2, fhir_write, fhir_read, records, log, verify, health):
        app.include_router(part.router)
    return app
