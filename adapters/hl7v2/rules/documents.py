"""Rules of documents and medication: content of a DocumentReference, its parent, doses."""

import base64
from typing import Final

from adapters.hl7v2.build import Build, append
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.grammar import Group
from adapters.hl7v2.rules.registry import rule
from bridge.core.record.bundle import JsonObject

__all__: list[str] = []

_APPENDS: Final = frozenset({"T05", "T06"})


@rule("document-content", reads=("OBX-2", "OBX-3", "OBX-5"), writes="content")
def document_content(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """OBX below TXA is the document: ED and RP as they are, text as text/plain.

    Source: v2-to-FHIR map OBX[DocumentReference].
    """
    b.ctx.at = "OBX-5"
    if not f[5] or f[5] == '""':
        return
    kind = b.comp(f[2], 1)
    attachment: JsonObject | None
    if kind in {"ED", "RP"}:
        attachment = DATATYPES[f"{kind}.Attachment"].function(b.first(f[5]), b.ctx)
    else:
        function = DATATYPES["TX.string"].function
        lines = [function(line, b.ctx) or "" for line in f[5].split(b.ctx.repetition)]
        data = "\n".join(lines).strip("\n").encode()
        attachment = {
            "contentType": "text/plain; charset=utf-8",
            "data": base64.b64encode(data).decode("ascii"),
        } if data else None  # fmt: skip
    if attachment:
        title = DATATYPES["CWE.string"].function(f[3], b.ctx) if f[3] else None
        if title:
            attachment.setdefault("title", title)
        append(r, "content", {"attachment": attachment})


@rule("document-parent", reads=("TXA-13",), writes="relatesTo")
def document_parent(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """TXA-13: an addendum appends to the parent document, everything else replaces it."""
    if not f[13] or f[13] == '""':
        return
    b.ctx.at = "TXA-13"
    identifier = DATATYPES["EI.Identifier"].function(b.first(f[13]), b.ctx)
    if identifier:
        code = "appends" if b.trigger in _APPENDS else "replaces"
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
    if not f[6] or f[6] in {"999", '""'}:
        return None
    quantity: JsonObject | None = DATATYPES["NM.Quantity"].function(f[6], b.ctx)
    if quantity and f[7]:
        unit = DATATYPES["CWE.Quantity"].function(b.first(f[7]), b.ctx)
        quantity.update(unit or {})
    return quantity
