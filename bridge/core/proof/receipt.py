"""The receipt `fhir-anchor/receipt/1`: all that proves one record or one resource version, as JSON.

Specification: docs/spec/receipt.md. `record`, `leaf`, `tlog_proof` and `resource` never change;
a receipt grows only by elements of `rebase` and `anchors`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NoReturn

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest, LeafIndex, TreeSize
from bridge.core.log.tlog_proof import MAX_PATH, TlogProof, parse_tlog_proof
from bridge.core.proof.anchors import Anchor, anchor_value, parse_anchor
from bridge.core.proof.members import Members, Value, dump, load
from bridge.core.record.claims import (
    ACCESS_NAMES,
    KEY_EVENT_NAMES,
    MARKER_NAMES,
    RECORD_NAMES,
    REVISION_NAMES,
    Claim,
    Kind,
)

__all__ = [
    "CANONICAL",
    "FORMAT",
    "HiddenClaim",
    "Rebase",
    "Receipt",
    "ResourcePart",
    "encode_receipt",
    "parse_receipt",
]

FORMAT = "fhir-anchor/receipt/1"
CANONICAL = "fhir-anchor/json-literal/1"
MAX_SIZE = 1 << 20
"""About 9 KB with everything that is known today; a chain's whole evidence is at most 300 KB of
digits for a receipt that a batch made large, and a receipt may gather several."""
MAX_CLAIMS = 16
"""A record has 4, a revision 2; the leaf format would allow 255."""
MAX_REBASE = 32
"""One each for every re-anchoring: thirty years at one a year."""
MAX_ANCHORS = 32
MAX_NOTE = 64 * 1024
"""The limit of signed notes: a checkpoint with several hundred witnesses."""
_NAMES = {
    Kind.RECORD: RECORD_NAMES,
    Kind.KEY_EVENT: KEY_EVENT_NAMES,
    Kind.FEED_MARKER: MARKER_NAMES,
    Kind.AUDIT: ACCESS_NAMES,
    Kind.REVISION: REVISION_NAMES,
}
_RESOURCE_NAME = re.compile(r"[A-Z][A-Za-z]{0,63}/[A-Za-z0-9.\-]{1,64}/[1-9][0-9]{0,8}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenClaim:
    """A claim that this receipt does not disclose; without its salt it says nothing."""

    name: str
    digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebase:
    """A later checkpoint of the same log, and that it holds all the receipt's own one held."""

    checkpoint: bytes
    """The signed note, verbatim."""
    path: tuple[Digest, ...]
    """RFC 6962 s2.1.2 consistency proof from the checkpoint in `tlog_proof`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourcePart:
    """One resource version under the `resources` root of its revision."""

    name: str
    """`Type/id/version`."""
    salt: bytes
    value: Digest
    """SHA-256 of the version's bytes as served."""
    index: LeafIndex
    """Among the versions of the revision in order of name (bytewise)."""
    size: TreeSize
    path: tuple[Digest, ...]
    """To the root that is the value of the claim `resources`."""

    def claim(self) -> Claim:
        """The claim that is the leaf of the `resources` tree."""
        return Claim(name=self.name, salt=self.salt, value=self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A parsed receipt; well formed, not yet verified."""

    kind: Kind
    proof: TlogProof
    disclosed: tuple[Claim, ...]
    hidden: tuple[HiddenClaim, ...]
    rebase: tuple[Rebase, ...] = ()
    anchors: tuple[Anchor, ...] = ()
    resource: ResourcePart | None = None
    canonical: str = CANONICAL
    unknown: tuple[tuple[str, str], ...] = ()
    """Members of later versions, name and JSON text: kept, never trusted."""

    def claims(self) -> Mapping[str, Digest]:
        """Every claim under the commitment: the disclosed ones recomputed, the others as given."""
        given = {claim.name: claim.digest for claim in self.hidden}
        return given | {claim.name: claim.digest() for claim in self.disclosed}

    def without(self, *names: str) -> "Receipt":
        """A receipt that hides these claims as well: for whoever may see less."""
        return replace(
            self,
            disclosed=tuple(claim for claim in self.disclosed if claim.name not in names),
            hidden=tuple(
                sorted(
                    (
                        *self.hidden,
                        *(
                            HiddenClaim(name=claim.name, digest=claim.digest())
                            for claim in self.disclosed
                            if claim.name in names
                        ),
                    ),
                    key=lambda claim: claim.name.encode(),
                )
            ),
        )


def encode_receipt(receipt: Receipt) -> bytes:
    """The bytes that `parse_receipt` reads back; one spelling a receipt."""
    members: dict[str, Value] = {
        name: load(text.encode(), max_size=MAX_SIZE, where=name) for name, text in receipt.unknown
    }
    members |= {
        "format": FORMAT,
        "record": {
            "canonical": receipt.canonical,
            "disclosed": [_claim_value(claim) for claim in receipt.disclosed],
            "hidden": [
                {"name": claim.name, "claim": claim.digest.hex()} for claim in receipt.hidden
            ],
        },
        "leaf": {"kind": int(receipt.kind), "index": receipt.proof.index},
        "tlog_proof": receipt.proof.encode().decode("utf-8"),
        "rebase": [
            {
                "checkpoint": step.checkpoint.decode("utf-8"),
                "path": [digest.hex() for digest in step.path],
            }
            for step in receipt.rebase
        ],
        "anchors": [anchor_value(anchor) for anchor in receipt.anchors],
    }
    if receipt.resource is not None:
        part = receipt.resource
        members["resource"] = {
            "name": part.name,
            "salt": part.salt.hex(),
            "value": part.value.hex(),
            "index": part.index,
            "size": part.size,
            "path": [digest.hex() for digest in part.path],
        }
    return dump(members)


def parse_receipt(data: bytes) -> Receipt:
    """Read a receipt under size limits.

    Raises:
        BridgeError: `receipt-json`, `receipt-form`, `receipt-version` or `tlog-proof-form`, with
            fault SENDER and the JSON path.
    """
    members = Members.of(load(data, max_size=MAX_SIZE, where="receipt"), "receipt")
    if members.text("format") != FORMAT:
        _refuse("receipt-version", f"only {FORMAT} can be read", "receipt.format")
    record, leaf = members.inner("record"), members.inner("leaf")
    record.only("canonical", "disclosed", "hidden")
    leaf.only("kind", "index")
    if record.text("canonical") != CANONICAL:
        _refuse("receipt-version", f"only {CANONICAL} can be read", "receipt.record.canonical")
    proof = parse_tlog_proof(members.text("tlog_proof", max_size=MAX_NOTE).encode("utf-8"))
    if proof.index != leaf.number("index"):
        _refuse("receipt-form", "two indices that differ", "receipt.leaf.index")
    known = ("format", "record", "leaf", "tlog_proof", "rebase", "anchors", "resource")
    receipt = Receipt(
        kind=_kind(leaf),
        proof=proof,
        disclosed=record.each("disclosed", _disclosed, at_most=MAX_CLAIMS),
        hidden=record.each("hidden", _hidden, at_most=MAX_CLAIMS),
        rebase=members.each("rebase", _rebase, at_most=MAX_REBASE),
        anchors=members.each("anchors", parse_anchor, at_most=MAX_ANCHORS),
        resource=_resource(members.inner("resource")) if "resource" in members.value else None,
        unknown=members.beyond(*known),
    )
    _check_names(receipt)
    return receipt


def _check_names(receipt: Receipt) -> None:
    """The same fixed names in every leaf of a kind, each once, in order."""
    shown = [claim.name for claim in receipt.disclosed]
    others = [claim.name for claim in receipt.hidden]
    names = sorted((*shown, *others), key=str.encode)
    in_order = shown == [name for name in names if name in shown] and others == [
        name for name in names if name in others
    ]
    if not in_order or len(set(names)) != len(names) or not names:
        _refuse("receipt-form", "claims twice or not in order of name", "receipt.record")
    expected = _NAMES.get(receipt.kind)
    if expected is not None and tuple(names) != expected:
        _refuse(
            "receipt-form",
            f"a leaf of kind {int(receipt.kind)} has the claims {', '.join(expected)}",
            "receipt.record",
        )
    if receipt.resource is not None and (
        receipt.kind is not Kind.REVISION or "resources" not in shown
    ):
        _refuse(
            "receipt-form",
            "a resource version needs a leaf of kind 6 that discloses `resources`",
            "receipt.resource",
        )


def _kind(leaf: Members) -> Kind:
    value = leaf.number("kind")
    if value not in Kind.__members__.values():
        _refuse("receipt-form", f"kind {value} is not one of 1 to 6", "receipt.leaf.kind")
    return Kind(value)


def _claim_value(claim: Claim) -> Value:
    return {"name": claim.name, "salt": claim.salt.hex(), "value": claim.value.hex()}


def _disclosed(value: Value, where: str) -> Claim:
    members = Members.of(value, where)
    members.only("name", "salt", "value")
    return Claim(
        name=members.text("name", max_size=60),
        salt=members.digest("salt"),
        value=members.digest("value"),
    )


def _hidden(value: Value, where: str) -> HiddenClaim:
    members = Members.of(value, where)
    members.only("name", "claim")
    return HiddenClaim(name=members.text("name", max_size=60), digest=members.digest("claim"))


def _rebase(value: Value, where: str) -> Rebase:
    members = Members.of(value, where)
    members.only("checkpoint", "path")
    return Rebase(
        checkpoint=members.text("checkpoint", max_size=MAX_NOTE).encode("utf-8"),
        path=members.digests("path", at_most=MAX_PATH + 1),
    )


def _resource(members: Members) -> ResourcePart:
    members.only("name", "salt", "value", "index", "size", "path")
    name = members.text("name", max_size=160)
    if not _RESOURCE_NAME.fullmatch(name):
        _refuse("receipt-form", "the name is not Type/id/version", "receipt.resource.name")
    return ResourcePart(
        name=name,
        salt=members.digest("salt"),
        value=members.digest("value"),
        index=LeafIndex(members.number("index")),
        size=TreeSize(members.number("size")),
        path=members.digests("path", at_most=MAX_PATH),
    )


def _refuse(code: str, what: str, where: str) -> NoReturn:
    raise BridgeError(
        code,
        Fault.SENDER,
        what=what,
        where=where,
        do="fetch the receipt again from the node that issued it, or use a newer verifier",
    )
