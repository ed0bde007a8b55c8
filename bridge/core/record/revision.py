r"""What applying one record did: new resource versions as they are served, and their one leaf.

A revision's claims (docs/spec/leaf.md), in the order of `claims.REVISION_NAMES`:

    header     canonical {"at":"2026-11-22T14:00:00.000000Z","record":"0190...",
               "rules":"fhir-anchor/projection/1","versions":3}
    resources  the root, as it is, of an RFC 6962 tree whose leaf n is the claim named
               `Type/id/version` over the version's bytes, in order of name (bytewise); no bytes
               for a deletion; the root of the empty tree when the record changed nothing
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bridge.core.errors import BridgeError
from bridge.core.ids import Digest, Instant, RecordId, instant_text, sha256
from bridge.core.log.merkle import leaf_hash, root
from bridge.core.record.bundle import Apply, JsonObject
from bridge.core.record.canon import canonical, parse
from bridge.core.record.claims import SALT_SIZE, Kind, claim, commitment, leaf
from bridge.core.record.merge import Change, ResourceRef, apply_bundle

__all__ = [
    "RULES",
    "State",
    "Version",
    "resources_root",
    "revise",
    "revision_header",
    "revision_leaf",
    "rules_of",
    "version_name",
]

RULES: Final = "fhir-anchor/projection/1"
"""Names how a record meets what is stored. Whatever lets another byte come out of the same record
and the same state gets the next number, and the header of every revision says which one made it:
what older rules made is then never taken for something that was changed (docs/adr/0012)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A resource as it stands before a record is applied."""

    version: int
    """0 when it never existed."""
    body: JsonObject | None
    """None when it is deleted or never existed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One new version of one resource."""

    ref: ResourceRef
    number: int
    """`meta.versionId`, from 1."""
    body: JsonObject | None
    """With its version and time stamped in; None for a deletion. Never altered."""
    data: bytes
    """Canonical bytes of the body, as stored, served and proved; empty for a deletion."""

    @property
    def name(self) -> str:
        """Of its claim."""
        return version_name(self.ref, self.number)


def version_name(ref: ResourceRef, number: int) -> str:
    """`Type/id/version`."""
    return f"{ref.type}/{ref.id}/{number}"


def revise(
    bundle: JsonObject, apply: Apply, current: Mapping[ResourceRef, State], *, at: Instant
) -> tuple[Version, ...]:
    """The versions that a bundle makes of the present state, in order of name; the same for ever.

    Raises:
        BridgeError: as `merge.apply_bundle`.
    """
    bodies = {ref: state.body for ref, state in current.items()}
    changes = apply_bundle(bundle, apply, bodies)
    versions = [_version(change, current.get(change.ref), at) for change in changes]
    return tuple(sorted(versions, key=lambda version: version.name.encode()))


def revision_header(*, record: RecordId, at: Instant, versions: int, rules: str = RULES) -> bytes:
    """What the `header` claim covers."""
    return canonical(
        {"at": instant_text(at), "record": record, "rules": rules, "versions": versions}
    )


def rules_of(header: bytes) -> str:
    """The inverse: the rules that a revision's header names; empty when it names none."""
    try:
        said = parse(header)
    except BridgeError:
        return ""
    rules = said.get("rules") if isinstance(said, dict) else None
    return rules if isinstance(rules, str) else ""


def resources_root(versions: Sequence[Version], salts: Sequence[bytes]) -> Digest:
    """Root over the claims of the versions, given in order of name, each with its salt."""
    return root(
        [
            leaf_hash(claim(version.name, salt, sha256(version.data)))
            for version, salt in zip(versions, salts, strict=True)
        ]
    )


def revision_leaf(*, header: bytes, resources: Digest, salts: bytes) -> bytes:
    """The leaf over both claims; `salts` in the order of `REVISION_NAMES`."""
    return leaf(
        Kind.REVISION,
        commitment(
            {
                "header": claim("header", salts[:SALT_SIZE], sha256(header)),
                "resources": claim("resources", salts[SALT_SIZE:], resources),
            }
        ),
    )


def _version(change: Change, before: State | None, at: Instant) -> Version:
    number = 1 + (before.version if before else 0)
    if change.body is None:
        return Version(ref=change.ref, number=number, body=None, data=b"")
    body = _stamped(change.body, number, at)
    return Version(ref=change.ref, number=number, body=body, data=canonical(body))


def _stamped(body: JsonObject, number: int, at: Instant) -> JsonObject:
    """With `meta.versionId` and `meta.lastUpdated`, https://hl7.org/fhir/R4/resource.html#Meta."""
    meta = body.get("meta")
    kept = meta if isinstance(meta, dict) else {}
    stamp: JsonObject = {"versionId": str(number), "lastUpdated": instant_text(at)}
    return body | {"meta": kept | stamp}
