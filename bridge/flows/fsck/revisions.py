"""Revisions: derived again from the record and what stood before, then root, header, leaf."""

from collections import Counter
from collections.abc import Iterator
from typing import cast

from bridge.core.errors import BridgeError
from bridge.core.ids import Digest, sha256
from bridge.core.log.merkle import leaf_hash
from bridge.core.log.merkle import root as merkle_root
from bridge.core.record.bundle import JsonObject
from bridge.core.record.canon import parse
from bridge.core.record.claims import claim
from bridge.core.record.merge import moved_in, references_touched
from bridge.core.record.revision import (
    RULES,
    State,
    revise,
    revision_header,
    revision_leaf,
    rules_of,
)
from bridge.flows.fsck.finding import PAGE, Difference, Progress
from bridge.ports.stored import Stored, StoredRevision, StoredVersion

__all__ = ["revisions"]


def revisions(stored: Stored, progress: Progress, other: Counter[str]) -> Iterator[Difference]:
    """Every revision is what its record makes of what stood before, and leads to its leaf.

    Args:
        stored: everything.
        progress: called after every page.
        other: counts, by the name of their rules, those that these rules make otherwise.
    """
    after, done = 0, 0
    while True:
        with stored.unit():
            page = stored.revisions(after, PAGE)
            found = [one for revision in page for one in _revision(revision, stored, other)]
        if not page:
            return
        yield from found
        after, done = page[-1].seq, done + len(page)
        progress("revisions", done)


def _revision(
    revision: StoredRevision, stored: Stored, other: Counter[str]
) -> Iterator[Difference]:
    """Versions derived again from the record, tree, header, leaf of one revision.

    What other rules made, and these make otherwise, is counted and not accused: the seal over it
    is checked below like any other.
    """
    where, rules = f"revision {revision.id} of record {revision.record}", rules_of(revision.header)
    underived = list(_versions(revision, stored, where))
    if rules == RULES or revision.apply is None:
        yield from underived
    elif underived:
        other[rules] += 1
    header = revision_header(
        record=revision.record, at=revision.at, versions=len(revision.versions), rules=rules
    )
    if not rules or revision.header != header:
        yield Difference(
            where=f"{where}, claim header", what="time, number of versions or rules were changed"
        )
    if revision.resources_root != _root(revision):
        yield Difference(
            where=f"{where}, claim resources", what="the versions do not lead to the root"
        )
    sealed = revision_leaf(
        header=revision.header, resources=revision.resources_root, salts=revision.salts
    )
    if revision.leaf != sealed:
        what = "has no leaf" if revision.leaf is None else "its claims do not lead to its leaf"
        yield Difference(where=f"{where}, leaf", what=what)


def _versions(revision: StoredRevision, stored: Stored, where: str) -> Iterator[Difference]:
    if revision.apply is None:
        yield Difference(where=f"record {revision.record}", what="no such way to apply a record")
        return
    try:
        bundle = cast("JsonObject", parse(revision.bundle))
        refs = [*references_touched(bundle, revision.apply)]
        if moved_in(bundle, revision.apply):  # what followed is known by what was made of it
            refs += [one.ref for one in revision.versions if one.ref not in refs]
        before = {ref: _state(one) for ref, one in stored.before(revision.seq, refs).items()}
        made = revise(bundle, revision.apply, before, at=revision.at)
    except BridgeError as error:
        yield Difference(where=where, what=f"the record cannot be applied again: {error.code}")
        return
    expected = {one.name: one.data for one in made}
    found = {_name(one): one.body for one in revision.versions}
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            yield Difference(where=f"{where}, version {name}", what="the version is missing")
        elif name not in expected:
            yield Difference(where=f"{where}, version {name}", what="no record made this version")
        elif expected[name] != found[name]:
            yield Difference(where=f"{where}, version {name}", what="the served bytes were changed")


def _state(version: StoredVersion) -> State:
    body = None if version.deleted else cast("JsonObject", parse(version.body))
    return State(version=version.number, body=body)


def _name(version: StoredVersion) -> str:
    return f"{version.ref}/{version.number}"


def _root(revision: StoredRevision) -> Digest:
    ordered = sorted(revision.versions, key=lambda one: _name(one).encode())
    return merkle_root(
        [leaf_hash(claim(_name(one), one.salt, sha256(one.body))) for one in ordered]
    )
