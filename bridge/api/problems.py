"""The one table from a refusal to HTTP: status, and OperationOutcome or JSON words.

Source: https://hl7.org/fhir/R4/operationoutcome.html, https://hl7.org/fhir/R4/http.html#Status-Codes
"""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import assert_never

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute

from bridge.api.methods import allowed
from bridge.core.errors import BridgeError, Fault
from bridge.core.record.bundle import Finding, Severity

__all__ = [
    "FHIR_JSON",
    "findings_outcome",
    "install",
    "outcome",
    "refusal",
    "status_line",
    "status_of",
]

FHIR_JSON = "application/fhir+json"
STATUS = {
    "token-missing": 401,
    "token-unknown": 401,
    "access-refused": 403,
    "not-found": 404,
    "type-unknown": 404,
    "record-unknown": 404,
    "method": 405,
    "not-acceptable": 406,
    "body-slow": 408,
    "record-not-sequenced": 409,
    "retry-closed": 409,
    "retry-nothing": 409,
    "lane-stalled": 409,
    "deleted": 410,
    "version-conflict": 412,
    "condition-ambiguous": 412,
    "already-exists": 412,
    "body-too-large": 413,
    "bundle-size": 413,
    "media-type": 415,
    "body-coding": 415,
    "bundle-type": 422,
    "condition-unmet": 422,
    "reference-unresolved": 422,
    "patch-path": 422,
    "patch-test": 422,
    "lane-busy": 503,
}
"""Codes whose status is not that of their fault. 422 is input that is valid R4 and still asks
something that cannot be done; 400 is input that is no valid R4."""
ISSUE_CODES = {
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    408: "timeout",
    409: "conflict",
    410: "deleted",
    412: "conflict",
    413: "too-long",
    415: "not-supported",
    422: "processing",
    500: "exception",
    503: "transient",
}
"""https://hl7.org/fhir/R4/valueset-issue-type.html."""
ISSUE_OF = {
    "condition-ambiguous": "multiple-matches",
    "already-exists": "duplicate",
    "type-unknown": "not-supported",
    "search-unknown": "not-supported",
    "query-unknown": "not-supported",
}
ISSUE_OF_FINDING = {
    "code-unknown": "code-invalid",
    "choice-repeated": "structure",
    "element-missing": "required",
    "element-unknown": "structure",
    "not-a-list": "structure",
    "not-an-object": "structure",
    "reference-form": "value",
    "reference-type": "value",
    "reference-unresolved": "not-found",
    "resource-type-missing": "structure",
    "resource-type-unknown": "not-supported",
    "value-form": "value",
}
"""What is wrong with a resource; a key of FHIR such as `obs-6` is an invariant."""
INVARIANT = re.compile(r"[a-z]{3,4}-[0-9]{1,2}").fullmatch
EXPRESSION = re.compile(r"[A-Z][a-z]\w*(?:\[\d+\]|\.\w+|\.\$\w+)*").fullmatch
"""A place that is FHIRPath; a segment, a header or a byte is not."""
UNREAD = frozenset({"body-slow", "body-too-large", "length-twice"})
"""After these the rest of the connection is not read: it ends."""
RETRY_AFTER_S = 5
PHRASES = {status.value: status.phrase for status in HTTPStatus}


def status_of(error: BridgeError) -> int:
    """HTTP status of a refusal: by its code, else by whose move it is."""
    if error.code in STATUS:
        return STATUS[error.code]
    match error.fault:
        case Fault.SENDER:
            return 400
        case Fault.PEER:
            return 503
        case Fault.OPERATOR | Fault.US:
            return 500
        case _ as never:
            assert_never(never)


def outcome(error: BridgeError) -> dict[str, object]:
    """OperationOutcome with an issue for each problem that was found."""
    problems: tuple[Finding, ...] = getattr(error, "problems", ())
    if problems:
        return findings_outcome(problems)
    usual = ISSUE_CODES.get(status_of(error), "invalid")
    issue = _issue("error", ISSUE_OF.get(error.code, usual), error.code, str(error), error.where)
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def findings_outcome(findings: Sequence[Finding]) -> dict[str, object]:
    """OperationOutcome of what was found; that nothing was is an issue too, for FHIR wants one."""
    issues = [_issue(f.severity.value, _issue_type(f), f.code, f.text, f.where) for f in findings]
    fine = _issue("information", "informational", "valid", "nothing is wrong", "")
    return {"resourceType": "OperationOutcome", "issue": issues or [fine]}


def _issue_type(finding: Finding) -> str:
    if finding.severity is Severity.INFORMATION:
        return "informational"
    usual = "invariant" if INVARIANT(finding.code) else "invalid"
    return ISSUE_OF_FINDING.get(finding.code, usual)


def status_line(status: int) -> str:
    """As `Bundle.entry.response.status` has it, such as `404 Not Found`."""
    return f"{status} {PHRASES[status]}"


def _issue(severity: str, code: str, detail: str, text: str, where: str) -> dict[str, object]:
    system = "https://fhir-anchor.dev/codes"
    issue: dict[str, object] = {
        "severity": severity,
        "code": code,
        "details": {"coding": [{"system": system, "code": detail}], "text": text},
        "diagnostics": text,
    }
    return {**issue, "expression": [where]} if EXPRESSION(where) else issue


def refusal(request: Request, error: BridgeError, doors: Sequence[BaseRoute]) -> Response:
    """The answer: status, headers, and the words in the form of the door."""
    status = status_of(error)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}  # RFC 6750 s3
    headers |= {"Retry-After": str(RETRY_AFTER_S)} if error.fault is Fault.PEER else {}
    headers |= {"Allow": allowed(doors, request.scope)} if status == 405 else {}
    headers |= {"Connection": "close"} if error.code in UNREAD else {}
    headers |= {"Accept-Encoding": "gzip"} if error.code == "body-coding" else {}  # RFC 7694 s3
    if error.kept_as:
        headers |= {"X-Record-Id": error.kept_as, "X-Record-Status": "quarantined"}
    path = request.url.path
    if path == "/fhir" or path.startswith("/fhir/"):
        return JSONResponse(outcome(error), status, headers, media_type=FHIR_JSON)
    body = {
        "error": error.code,
        "what": error.what,
        "where": error.where,
        "do": error.do,
    }
    return JSONResponse(body, status, headers)


def install(app: FastAPI, doors: Sequence[BaseRoute]) -> None:
    """Every refusal of every route goes through this table; none shows a traceback."""

    async def refused(request: Request, error: Exception) -> Response:
        if isinstance(error, BridgeError):
            return refusal(request, error, doors)
        return refusal(request, _translated(error), doors)

    for kind in (BridgeError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, refused)


def _translated(error: Exception) -> BridgeError:
    if isinstance(error, HTTPException):
        code = {404: "not-found", 405: "method", 413: "body-too-large"}.get(
            error.status_code, "request"
        )
        return BridgeError(
            code,
            Fault.SENDER,
            what=str(error.detail),
            where="request",
            do="see /docs, and /fhir/metadata for FHIR",
        )
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        return BridgeError(
            "request",
            Fault.SENDER,
            what=f"a request part does not fit: {first['msg']}",
            where=".".join(str(part) for part in first["loc"]),
            do="see /docs for what this door takes",
        )
    return BridgeError(
        "unexpected",
        Fault.US,
        what="the node met a defect of its own and did nothing",
        where="server",
        do="retry once; if it stays, report the time of this answer to the operator",
    )
