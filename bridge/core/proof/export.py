"""A receipt's parts as files for other tools, and a FHIR Provenance that carries all of it."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest, Instant, sha256
from bridge.core.log.checkpoint import parse_checkpoint
from bridge.core.log.note import parse_note
from bridge.core.proof.anchors import Anchor, OtsAnchor, TokenAnchor
from bridge.core.proof.members import Value, dump
from bridge.core.proof.ots import parse_ots
from bridge.core.proof.receipt import FORMAT, Receipt, parse_receipt
from bridge.core.proof.rfc3161 import encode_response, verify_token

__all__ = ["Export", "Exported", "export"]

T = TypeVar("T", bound=Anchor)
_TIMESTAMP_SIGNATURE: Value = {
    "system": "urn:iso-astm:E1762-95:2013",
    "code": "1.2.840.10065.1.12.1.18",
    "display": "Timestamp Signature",
}


class Export(Enum):
    """What a receipt can be written as."""

    TLOG_PROOF = "tlog-proof"
    """https://c2sp.org/tlog-proof: index, path and signed checkpoint."""
    OTS = "ots"
    """A detached OpenTimestamps file of the checkpoint."""
    TSR = "tsr"
    """An RFC 3161 response over the checkpoint."""
    PROVENANCE = "provenance"
    """https://hl7.org/fhir/R4/provenance.html with the receipt as its signature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A file, and for a stamp the file that was stamped."""

    data: bytes
    stamped: bytes | None = None
    """The signed checkpoint: what `ots verify` and `openssl ts -verify` want beside it."""


def export(data: bytes, kind: Export, *, at: Instant) -> Exported:
    """One part of a receipt, byte for byte as it was given to us; the receipt is not verified.

    Args:
        data: the receipt.
        kind: what is wanted.
        at: `recorded` of a Provenance; the other kinds do not look at it.

    Raises:
        BridgeError: what `parse_receipt` says; `export-missing` when the receipt has no such part.
    """
    receipt = parse_receipt(data)
    notes = (receipt.proof.checkpoint, *(step.checkpoint for step in receipt.rebase))
    match kind:
        case Export.TLOG_PROOF:
            return Exported(data=receipt.proof.encode())
        case Export.OTS:
            anchor = _first(receipt, OtsAnchor, kind)
            message = parse_ots(anchor.proof).message
            return Exported(data=anchor.proof, stamped=_stamped(notes, message))
        case Export.TSR:
            token = _first(receipt, TokenAnchor, kind).token
            stamped = next((note for note in notes if _is_over(token, note)), None)
            return Exported(data=encode_response(token), stamped=stamped)
        case Export.PROVENANCE:
            return Exported(data=dump(_provenance(receipt, data, at)))


def _first(receipt: Receipt, kind: type[T], wanted: Export) -> T:
    found = next((anchor for anchor in receipt.anchors if isinstance(anchor, kind)), None)
    if found is None:
        raise BridgeError(
            "export-missing",
            Fault.SENDER,
            what=f"the receipt carries nothing that could be written as {wanted.value}",
            where="receipt.anchors",
            do="fetch it again once its checkpoint has been stamped",
        )
    return found


def _stamped(notes: Sequence[bytes], digest: bytes) -> bytes | None:
    return next((note for note in notes if sha256(note) == digest), None)


def _is_over(token: bytes, note: bytes) -> bool:
    """Whether the token is of this note, whoever made it."""
    try:
        verify_token(token, note, roots=())
    except BridgeError as error:
        return error.code == "token-untrusted"
    return True


def _provenance(receipt: Receipt, data: bytes, at: Instant) -> Value:
    """What was sealed as targets, the log as agent, the receipt as a time-stamp signature."""
    moment = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    log: Value = {"display": parse_checkpoint(parse_note(receipt.proof.checkpoint).text).origin}
    return {
        "resourceType": "Provenance",
        "target": _targets(receipt),
        "recorded": moment,
        "agent": [{"who": log}],
        "signature": [
            {
                "type": [_TIMESTAMP_SIGNATURE],
                "when": moment,
                "who": log,
                "sigFormat": f"application/json; profile={FORMAT}",
                "data": base64.b64encode(data).decode("ascii"),
            }
        ],
    }


def _targets(receipt: Receipt) -> list[Value]:
    """The resource version, or each sealed part by its digest (RFC 6920)."""
    if receipt.resource is not None:
        kind, name, version = receipt.resource.name.split("/")
        return [{"reference": f"{kind}/{name}/_history/{version}", "type": kind}]
    return [
        {
            "identifier": {"system": "urn:ietf:rfc:3986", "value": _digest_uri(claim.value)},
            "display": f"sealed {claim.name}",
        }
        for claim in receipt.disclosed
    ]


def _digest_uri(digest: Digest) -> str:
    return "ni:///sha-256;" + base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")
