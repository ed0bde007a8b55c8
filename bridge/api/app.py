"""The FastAPI application over a node: its routes, its refusals, and nothing else."""

from fastapi import FastAPI

from bridge.api import problems
from bridge.api.lengths import OneLength
from bridge.api.meters import Metered
from bridge.api.methods import PlainMethods
from bridge.api.node import Node
from bridge.api.routes import (
    fhir_bundle,
    fhir_everything,
    fhir_operations,
    fhir_patch,
    fhir_read,
    fhir_write,
    health,
    hl7v2,
    log,
    quarantine,
    records,
    verify,
    work_items,
)
from bridge.api.slashes import PlainPaths

__all__ = ["create_app"]

PARTS = (
    hl7v2,
    fhir_bundle,
    fhir_everything,
    fhir_operations,  # before reads and writes, whose paths would take `$validate` for a type
    fhir_read,
    fhir_write,
    fhir_patch,
    records,
    quarantine,
    work_items,
    log,
    verify,
    health,
)


def create_app(node: Node) -> FastAPI:
    """All doors of one API process; https://hl7.org/fhir/R4/http.html under `/fhir`."""
    app = FastAPI(
        title="fhir-anchor",
        description="Clinical messages in, canonical FHIR R4 out, every record provable.",
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.node = node
    doors = tuple(route for part in PARTS for route in part.router.routes)
    problems.install(app, doors)
    for part in PARTS:
        app.include_router(part.router)
    app.add_middleware(Metered, metrics=node.metrics)
    app.add_middleware(PlainMethods, routes=doors)
    app.add_middleware(PlainPaths)
    app.add_middleware(OneLength, routes=doors)
    return app
