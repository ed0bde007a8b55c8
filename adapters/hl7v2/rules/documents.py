"""Rules of documents and medication: content of a DocumentReference, its parent, doses."""

import base64
import hashlib
from typing import Final, cast

from adapters.hl7v2.build import Build
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.elements import append
from adapters.hl7v2.group import Group
from adapters.hl7v2.rules.registry import rule
from bridge.core.record.bundle import JsonObject, Severity
from bridge.core.record.identity import resource_id

__all__ = ["MAX_DOCUMENT", "filed"]

MAX_DOCUMENT: Final = 8 * 1024 * 1024
"""Bytes of a document in a bundle. A larger one is a scan or a film: the bundle has its hash and
size, and the message as received, which is kept and sealed, has the document itself."""
_WITHDRAWN: Final = frozenset({"D", "W"})
"""OBX-11, table 0085: deleted, sent for another patient."""
_REPLACES: Final = frozenset({"T09", "T10"})
"""Replacement notices; in all others TXA-13 is the document that this one belongs to."""


@rule(
    "document-content",
    reads=("OBX-2", "OBX-3", "OBX-5", "OBX-11", "TXA-6"),
    writes="content",
    version=4,
)
def document_content(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """OBX below TXA is the document: ED and RP as they are, text as text/plain.

    One that is deleted or wrong (table 0085 D, W) is no content; where it is the first, the
    document itself was sent in error. Source: v2-to-FHIR map OBX[DocumentReference]. TXA-6, when
    the document came to be, is no `date` where it is no instant, and the day of its content.
    """
    b.ctx.at = "OBX-5"
    if b.comp(f[11], 1) in _WITHDRAWN:
        if next(fields for fields in b.lines if fields[0] == "OBX") is f:
            r["status"] = "entered-in-error"
        return
    if not f[5] or f[5] == '""':
        return
    kind = b.comp(f[2], 1)
    repetition = b.ctx.repetition
    texts = f[5].split(repetition) if repetition in f[5] else [f[5]]
    made: list[JsonObject | None]
    if kind in {"ED", "RP"}:
        function = DATATYPES[f"{kind}.Attachment"].function
        made = [filed(function(one, b.ctx), r, b) for one in texts if one]
    else:
        made = [_narrative(texts, b)]
    title = DATATYPES["CWE.string"].function(f[3], b.ctx) if f[3] else None
    known: JsonObject = {} if "date" in r else _made(b)
    if title:
        known["title"] = title
    for attachment in made:
        if attachment:
            append(r, "content", {"attachment": {**known, **attachment}})


def _made(b: Build) -> JsonObject:
    """The day of TXA-6."""
    origin = next((one[6] for one in b.lines if one[0] == "TXA"), "")
    day = DATATYPES["TS.uninstant"].function(origin, b.ctx) if origin else None
    return {"creation": day} if day else {}


def filed(attachment: JsonObject | None, owner: JsonObject, b: Build) -> JsonObject | None:
    """The attachment with its bytes moved to a Binary of their own, which is read as `owner` is.

    https://hl7.org/fhir/R4/binary.html#security. Of a document that is too large only hash and
    size stay, and a finding `document-outside` says so.
    """
    if attachment is None or "data" not in attachment:
        return attachment
    if b.trace is not None:
        b.documents.append({**attachment})
    data = attachment.pop("data")
    if cast("int", attachment["size"]) > MAX_DOCUMENT:
        b.ctx.note(
            "document-outside",
            "a document is too large for the bundle, which has its hash: see `convert --documents`",
            Severity.INFORMATION,
        )
        return attachment
    kind, name = cast("str", owner["resourceType"]), cast("str", owner["id"])
    found = resource_id(b.namespace, "Binary", f"{kind}/{name}", cast("str", attachment["hash"]))
    b.keep({
        "resourceType": "Binary",
        "id": found,
        "contentType": attachment["contentType"],
        "securityContext": {"reference": f"{kind}/{name}"},
        "data": data,
    })  # fmt: skip
    return {**attachment, "url": f"Binary/{found}"}


def _narrative(lines: list[str], b: Build) -> JsonObject | None:
    """Lines of TX or FT as one document of plain text."""
    function = DATATYPES["TX.string"].function
    data = "\n".join(function(line, b.ctx) or "" for line in lines).strip("\n").encode()
    if not data:
        return None
    return {
        "contentType": "text/plain; charset=utf-8",
        "data": base64.b64encode(data).decode("ascii"),
        "size": len(data),
        "hash": base64.b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode(),
    }


@rule("document-orders", reads=("TXA-14", "TXA-15"), writes="context")
def document_orders(_f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """The orders before TXA, which are groups of their own, are what the document is about."""
    orders = [name for name in b.resources if name.startswith("ServiceRequest/")]
    if orders:
        context = cast("JsonObject", r.setdefault("context", {}))
        for name in orders:
            append(context, "related", {"reference": name})


@rule("document-parent", reads=("TXA-13",), writes="relatesTo", version=2)
def document_parent(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """TXA-13: a replacement replaces its parent document, everything else belongs to it."""
    if not f[13] or f[13] == '""':
        return
    b.ctx.at = "TXA-13"
    identifier = DATATYPES["EI.Identifier"].function(b.first(f[13]), b.ctx)
    if identifier:
        code = "replaces" if b.trigger in _REPLACES else "appends"
        target: JsonObject = {"type": "DocumentReference", "identifier": identifier}
        append(r, "relatesTo", {"code": code, "target": target})


@rule("dose", reads=("RXA-6", "RXA-7"), writes="doseQuantity")
def dose(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """RXA-6 with the unit of RXA-7; 999 is HL7's word for unknown (CDC guide, RXA-6)."""
    quantity = _dose(f, b)
    if quantity:
        r["doseQuantity"] = quantity


@rule("given-dose", reads=("RXA-6", "RXA-7"), writes="dosage.dose")
def given_dose(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """The same for a MedicationAdministration."""
    quantity = _dose(f, b)
    if quantity:
        r["dosage"] = {"dose": quantity}


def _dose(f: list[str], b: Build) -> JsonObject | None:
    b.ctx.at = "RXA-6"
    whole, _, rest = f[6].partition(".")
    if whole in {"", "999", '""'} and not rest.strip("0"):
        return None
    quantity: JsonObject | None = DATATYPES["NM.Quantity"].function(f[6], b.ctx)
    if quantity and f[7]:
        unit = DATATYPES["CWE.Quantity"].function(b.first(f[7]), b.ctx)
        quantity.update(unit or {})
    return quantity
