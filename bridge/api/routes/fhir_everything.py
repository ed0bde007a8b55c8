"""Patient/$everything: the patient, the compartment, and what these refer to, page by page.

https://hl7.org/fhir/R4/patient-operation-everything.html. By GET, or by POST with Parameters.
"""

from collections.abc import Sequence
from urllib.parse import parse_qsl

import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from bridge.api import answers
from bridge.api.queries import MAX_PAGE, asked_in, count_of, json_wanted, moment_of
from bridge.api.reads import Asking, known_type, ref_of
from bridge.api.routes.fhir_read import Asked
from bridge.api.routes.fhir_write import fhir_body
from bridge.api.searchset import searchset
from bridge.core.errors import BridgeError, Fault
from bridge.core.search.parameters import PAGE
from bridge.flows.disclose import Everything, disclose_everything
from bridge.ports.reading import Times

__all__ = ["router"]

router = APIRouter(prefix="/fhir", tags=["FHIR"], dependencies=[Depends(json_wanted)])
Pairs = Sequence[tuple[str, str]]


@router.get("/Patient/{name}/$everything", response_class=Response)
def everything(asking: Asked, name: str, request: Request) -> Response:
    """With its parameters in the URL."""
    return _everything(asking, name, parse_qsl(request.url.query, keep_blank_values=True))


@router.post("/Patient/{name}/$everything", response_class=Response)
async def everything_by_post(asking: Asked, name: str, request: Request) -> Response:
    """With its parameters in a Parameters resource, in the URL, or with none."""
    pairs = parse_qsl(request.url.query, keep_blank_values=True)
    if "content-type" in request.headers:
        pairs += _stated(await fhir_body(request))
    return await run_in_threadpool(_everything, asking, name, pairs)


def _everything(asking: Asking, name: str, pairs: Pairs) -> Response:
    asked = asked_in(pairs, "start", "end", "_since", "_type", "_count", PAGE)
    types = tuple(part for part in asked.get("_type", "").split(",") if part)
    for kind in types:
        known_type(asking.node, kind)
    found = disclose_everything(
        Everything(
            patient=ref_of("Patient", name).id,
            times=Times(
                since=moment_of(asked, "_since"),
                start=moment_of(asked, "start"),
                end=moment_of(asked, "end", last=True),
            ),
            types=types,
            count=count_of(asked, "_count", MAX_PAGE),
            page=asked.get(PAGE, ""),
        ),
        caller=asking.caller,
        **asking.disclosing,
    )
    said = [(key, value) for key, value in asked.items() if key != PAGE]
    url = f"{asking.base}/Patient/{name}/$everything"
    return answers.fhir(searchset(found, url, said, asking.base))


class _Parameter(msgspec.Struct):
    name: str
    valueCode: str = ""  # noqa: N815 - FHIR's own spelling, here and below
    valueDate: str = ""  # noqa: N815
    valueInstant: str = ""  # noqa: N815
    valueInteger: int | None = None  # noqa: N815
    valueString: str = ""  # noqa: N815


class _Parameters(msgspec.Struct):
    resourceType: str = ""  # noqa: N815
    parameter: list[_Parameter] = []


def _stated(raw: bytes) -> list[tuple[str, str]]:
    """The parameters as pairs; `_type` may stand several times, which a comma says in a URL."""
    try:
        body = msgspec.json.decode(raw or b'{"resourceType":"Parameters"}', type=_Parameters)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        body = _Parameters()
    if body.resourceType != "Parameters":
        raise BridgeError(
            "parameters-form",
            Fault.SENDER,
            what="the body is no Parameters resource with start, end, _since, _type or _count",
            where="Parameters",
            do="send Parameters, or GET with the parameters in the URL",
        )
    pairs: dict[str, str] = {}
    for one in body.parameter:
        number = "" if one.valueInteger is None else str(one.valueInteger)
        value = one.valueCode or one.valueDate or one.valueInstant or one.valueString or number
        both = one.name == "_type" and one.name in pairs
        pairs[one.name] = f"{pairs[one.name]},{value}" if both else value
    return list(pairs.items())
