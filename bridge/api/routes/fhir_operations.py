"""FHIR operations: $validate, $verify, and the receipt of each version.

https://hl7.org/fhir/R4/operations.html
"""

import base64
import binascii
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response

from bridge.api import answers
from bridge.api.access import holding
from bridge.api.bodies import MAX_FHIR_BYTES
from bridge.api.node import Node, TheNode
from bridge.api.problems import FHIR_JSON, findings_outcome
from bridge.api.queries import json_wanted
from bridge.api.reads import ref_of, version_of
from bridge.api.routes.fhir_read import Kind
from bridge.api.routes.fhir_write import fhir_body
from bridge.core.errors import BridgeError, Fault
from bridge.core.policy.access import Caller, Role
from bridge.core.proof.receipt import MAX_SIZE
from bridge.core.proof.report import Report
from bridge.core.record.bundle import Finding, Severity
from bridge.flows.issue import VersionRef, issue

__all__ = ["router"]

router = APIRouter(prefix="/fhir", tags=["FHIR"], dependencies=[Depends(json_wanted)])
Prover = Annotated[Caller, Depends(holding(Role.READER, Role.COMPLIANCE))]
Anyone = Annotated[Caller, Depends(holding(Role.SENDER, Role.READER, Role.COMPLIANCE))]


@router.get("/{kind}/{name}/_history/{version}/$receipt", response_class=Response)
def receipt(kind: Kind, name: str, version: str, node: TheNode, _: Prover) -> Response:
    """The receipt of one version; its document is the body of that version."""
    ref = VersionRef(type=kind, id=ref_of(kind, name).id, version=version_of(version, kind))
    data = issue(ref, evidence=node.evidence, book=node.book)
    return Response(data, media_type="application/json")


@router.post("/$validate", response_class=Response)
async def validate(request: Request, node: TheNode, _: Anyone) -> Response:
    """Whether a resource is valid R4; nothing is kept."""
    return await _validated("", request, node)


@router.post("/{kind}/$validate", response_class=Response)
async def validate_type(kind: Kind, request: Request, node: TheNode, _: Anyone) -> Response:
    """Whether a resource of this type is valid R4; nothing is kept.

    https://hl7.org/fhir/R4/resource-operation-validate.html: 200 for every verdict.
    """
    return await _validated(kind, request, node)


@router.post("/$verify", response_class=Response)
async def verify(request: Request, node: TheNode, _: Anyone) -> Response:
    """A receipt with its document, both inside Parameters, to the verdict; nothing is kept."""
    parts = _parts(await fhir_body(request))
    sealed = _binary(parts.get("receipt", _Part()), MAX_SIZE)
    if sealed is None:
        raise BridgeError(
            "verify-receipt",
            Fault.SENDER,
            what="there is no receipt",
            where="Parameters.parameter",
            do="send parts named receipt (valueBase64Binary) and document (resource or "
            "valueBase64Binary)",
        )
    shown = parts.get("document", _Part())
    document = bytes(shown.resource) or _binary(shown, MAX_FHIR_BYTES)
    report = await run_in_threadpool(node.verify, sealed, document)
    return JSONResponse(_report(report), headers=answers.PRIVATE, media_type=FHIR_JSON)


async def _validated(kind: str, request: Request, node: Node) -> Response:
    raw = await fhir_body(request)
    wrapped = _parts(raw).get("resource", _Part())
    raw = bytes(wrapped.resource) or raw
    found = await run_in_threadpool(_findings, node, raw, kind)
    return JSONResponse(findings_outcome(found), headers=answers.PRIVATE, media_type=FHIR_JSON)


def _findings(node: Node, raw: bytes, kind: str) -> tuple[Finding, ...]:
    """What is wrong with the bytes as JSON is a finding too."""
    try:
        found = node.validate(raw)
    except BridgeError as error:
        return (_finding(error.code, error.where, error.what),)
    if not found and kind and msgspec.json.decode(raw, type=_Typed).resourceType != kind:
        return (_finding("type-differs", "resourceType", "the resource is not of the URL's type"),)
    return found


def _finding(code: str, where: str, text: str) -> Finding:
    return Finding(code=code, severity=Severity.ERROR, where=where, text=text)


class _Part(msgspec.Struct):
    name: str = ""
    resource: msgspec.Raw = msgspec.Raw(b"")
    valueBase64Binary: str = ""  # noqa: N815 - FHIR's own spelling


class _Parameters(msgspec.Struct):
    resourceType: str = ""  # noqa: N815 - FHIR's own spelling
    parameter: list[_Part] = []


def _parts(raw: bytes) -> dict[str, _Part]:
    """Parts of a Parameters resource by name; empty when it is none."""
    try:
        body = msgspec.json.decode(raw, type=_Parameters)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    if body.resourceType != "Parameters":
        return {}
    return {part.name: part for part in body.parameter}


class _Typed(msgspec.Struct):
    resourceType: str = ""  # noqa: N815 - FHIR's own spelling


def _binary(part: _Part, at_most: int) -> bytes | None:
    if not part.valueBase64Binary:
        return None
    try:
        data = base64.b64decode(part.valueBase64Binary, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if not data or len(data) > at_most:
        raise BridgeError(
            "verify-base64",
            Fault.SENDER,
            what=f"a part is no base64 of 1 to {at_most} bytes",
            where="Parameters.parameter.valueBase64Binary",
            do="encode the file as it is, without line breaks",
        )
    return data


def _report(report: Report) -> dict[str, object]:
    """The report as Parameters: verdict, level, existedBy, and a part a check."""
    parts: list[dict[str, object]] = [
        {"name": "verdict", "valueCode": report.verdict.value},
        {"name": "level", "valueInteger": int(report.level)},
    ]
    if report.existed_by:
        parts.append({"name": "existedBy", "valueInstant": report.existed_by})
    parts += [
        {
            "name": "check",
            "part": [
                {"name": "id", "valueInteger": check.id},
                {"name": "name", "valueString": check.name},
                *([] if check.ok is None else [{"name": "ok", "valueBoolean": check.ok}]),
                {"name": "detail", "valueString": check.detail or "-"},
            ],
        }
        for check in report.checks
    ]
    return {"resourceType": "Parameters", "parameter": parts}
