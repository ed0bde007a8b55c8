"""Recompute everything stored and compare: the first difference is named, or there is none.

Trusts nothing but the log's verifier key. The order is that of the data: records, what was made of
them, the log over both.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias, cast

from bridge.core.errors import BridgeError
from bridge.core.ids import Digest, TreeSize, instant_text, sha256
from bridge.core.log.checkpoint import VerifierKey, open_checkpoint
from bridge.core.log.merkle import EMPTY_ROOT, leaf_hash, leaf_hashes
from bridge.core.log.merkle import root as merkle_root
from bridge.core.log.tiles import edge_tiles, grow, path_of
from bridge.core.plain import plain
from bridge.core.policy.audit import access_leaf, event_facts
from bridge.core.record.bundle import JsonObject
from bridge.core.record.canon import canonical, parse
from bridge.core.record.claims import RECORD_NAMES, SALT_SIZE, Kind, claim, commitment, leaf
from bridge.core.record.merge import references_touched
from bridge.core.record.revision import (
    RULES,
    State,
    revise,
    revision_header,
    revision_leaf,
    rules_of,
)
from bridge.core.search.index import IndexRow, index_rows
from bridge.ports.logbook import LogBook
from bridge.ports.stored import Stored, StoredRecord, StoredRevision, StoredVersion

__all__ = ["Difference", "Progress", "Recomputed", "fsck"]

PAGE = 200
"""Records a read: a few megabytes of bundles."""
LEAVES = 25_600
"""Leaves a read: 100 tiles, 1.3 MB."""

Progress: TypeAlias = Callable[[str, int], None]
"""Told after each page what was checked (`records`, `revisions`, `accesses`, `resources`, `leaves`)
and how many so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something stored is not what it was. Never holds content."""

    where: str
    """Such as `record 0190..., claim source`."""
    what: str

    def __str__(self) -> str:
        """For a person, in the grammar of errors."""
        return f"{self.what} ({self.where}) - keep the database as it is, and compare a good copy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputed:
    """What recomputing everything came to."""

    difference: Difference | None
    """The first one; None when everything that could be recomputed is what it must be."""
    other_rules: Mapping[str, int]
    """How many revisions could not be derived again from their record, by the rules that made them.

    Their bytes, header and leaf were checked all the same: they are what was sealed when they were
    made. What stays open is whether those rules make them of the record.
    """


def fsck(
    *, stored: Stored, book: LogBook, verifiers: Sequence[VerifierKey], progress: Progress
) -> Recomputed:
    """The first difference between what is stored and what it must be, if there is one.

    Reads in pages, so it runs beside a working node. It takes no lock and changes nothing.

    Args:
        stored: records, revisions and resource versions.
        book: leaves, tiles, head.
        verifiers: the log's keys, for its checkpoints.
        progress: called after every page.
    """
    other: Counter[str] = Counter()
    steps = (
        _records(stored, progress),
        _revisions(stored, progress, other),
        _accesses(stored, progress),
        _strays(stored),
        _currents(stored, progress),
        _log(book, progress),
        _checkpoints(stored, book, verifiers),
    )
    return Recomputed(difference=next(chain.from_iterable(steps), None), other_rules=other)


def _records(stored: Stored, progress: Progress) -> Iterator[Difference]:
    after, done = 0, 0
    while True:
        with stored.unit():
            page = stored.records(after, PAGE)
        if not page:
            return
        for record in page:
            yield from _record(record)
        after, done = page[-1].seq, done + len(page)
        progress("records", done)


def _record(record: StoredRecord) -> Iterator[Difference]:
    """Digests, canonical form, header, leaf of one record."""
    where = f"record {record.id}"
    if sha256(record.source) != record.source_digest:
        yield Difference(where=f"{where}, claim source", what="the bytes as received were changed")
    if sha256(record.bundle) != record.bundle_digest:
        yield Difference(where=f"{where}, claim bundle", what="the bundle was changed")
    if not _is_canonical(record.bundle):
        yield Difference(where=f"{where}, claim bundle", what="the bundle is not canonical")
    if record.header != _header(record):
        yield Difference(
            where=f"{where}, claim header",
            what="feed, number, time or type differ from what was sealed",
        )
    if record.leaf != _record_leaf(record):
        what = "has no leaf" if record.leaf is None else "its claims do not lead to its leaf"
        yield Difference(where=f"{where}, leaf", what=what)


def _is_canonical(bundle: bytes) -> bool:
    try:
        return canonical(parse(bundle)) == bundle
    except BridgeError:
        return False


def _header(record: StoredRecord) -> bytes:
    """As `flows.receive` wrote it: empty members are left out."""
    parts: JsonObject = {
        "feed": record.feed,
        "number": record.number,
        "received": instant_text(record.received),
        "record": record.id,
        "type": record.message_type,
    }
    return canonical({name: value for name, value in parts.items() if value != ""})


def _record_leaf(record: StoredRecord) -> bytes:
    values = (
        sha256(record.bundle),
        sha256(record.header),
        record.mapping,
        sha256(record.source),
    )
    digests = {
        name: claim(name, record.salts[n * SALT_SIZE : (n + 1) * SALT_SIZE], value)
        for n, (name, value) in enumerate(zip(RECORD_NAMES, values, strict=True))
    }
    return leaf(Kind.RECORD, commitment(digests))


def _revisions(stored: Stored, progress: Progress, other: Counter[str]) -> Iterator[Difference]:
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
        refs = references_touched(bundle, revision.apply)
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


def _accesses(stored: Stored, progress: Progress) -> Iterator[Difference]:
    """Each access leads to its leaf, and can be found by whom its event names."""
    after, done = 0, 0
    while True:
        with stored.unit():
            page = stored.accesses(after, PAGE)
        if not page:
            return
        for one in page:
            where = f"access {one.id}"
            if one.leaf != access_leaf(one.event, one.salts):
                what = "has no leaf" if one.leaf is None else "it does not lead to its leaf"
                yield Difference(where=f"{where}, leaf", what=what)
            elif event_facts(one.event) != (one.id, instant_text(one.at), one.patients):
                what = "its id, time or patients are not those of its event"
                yield Difference(where=where, what=what)
        after, done = page[-1].seq, done + len(page)
        progress("accesses", done)


def _currents(stored: Stored, progress: Progress) -> Iterator[Difference]:
    """Each resource is found by what its newest version says, and by nothing else."""
    after, done = None, 0
    while True:
        with stored.unit():
            page = stored.currents(after, PAGE)
        if not page:
            return
        for one in page:
            made = index_rows(cast("JsonObject", parse(one.body))) if one.body else ()
            if Counter(map(_searched, made)) != Counter(map(_searched, one.rows)):
                yield Difference(
                    where=f"search index of {one.ref}",
                    what="its rows are not those that this program makes of the newest version",
                )
        after, done = page[-1].ref, done + len(page)
        progress("resources", done)


def _searched(row: IndexRow) -> tuple[object, ...]:
    """A row by value, with texts as a database can hold them."""
    parts = (getattr(row, name) for name in type(row).__slots__)
    return (type(row), *(plain(part) if isinstance(part, str) else part for part in parts))


def _strays(stored: Stored) -> Iterator[Difference]:
    with stored.unit():
        stray = stored.stray()
    if stray is not None:
        yield Difference(where=stray, what="nothing accounts for this row: another was removed")


def _log(book: LogBook, progress: Progress) -> Iterator[Difference]:
    """The tree over all leaves, built again: every tile and the head must be it."""
    head = book.head()
    size, root = TreeSize(0), EMPTY_ROOT
    while head is not None and size < head.size:
        end = min(size + LEAVES, head.size)
        try:
            leaves = book.leaves(size, end)
        except BridgeError as error:
            yield Difference(where=f"leaves {size} to {end - 1}", what=error.what)
            return
        grown = grow(size, book.tiles(edge_tiles(size)), leaf_hashes(leaves))
        kept = book.tiles(tuple(grown.tiles))
        full = {tile: data for tile, data in grown.tiles.items() if tile.width == 256}
        edge = {tile: grown.tiles[tile] for tile in edge_tiles(grown.size) if end == head.size}
        for tile, data in (full | edge).items():
            if kept.get(tile) != data:
                yield Difference(where=path_of(tile), what="the tile is not what its leaves give")
        size, root = grown.size, grown.root
        progress("leaves", size)
    if head is not None and head.root != root:
        yield Difference(where=f"head of size {head.size}", what="the root is not that of the log")


def _checkpoints(
    stored: Stored, book: LogBook, verifiers: Sequence[VerifierKey]
) -> Iterator[Difference]:
    """Each published checkpoint is signed and its root is the one that the log had."""
    head, after = book.head(), 0
    while head is not None:
        with stored.unit():
            page = stored.checkpoints(after, PAGE)
        if not page:
            return
        for one in page:
            where = f"checkpoint of size {one.size}"
            if one.root != book.root_at(one.size):
                yield Difference(where=where, what="the log had another root at this size")
            try:
                signed = open_checkpoint(one.note, verifiers, head.origin)
            except BridgeError as error:
                yield Difference(where=where, what=error.what)
            else:
                if (signed.size, signed.root) != (one.size, one.root):
                    yield Difference(where=where, what="the signed text says another head")
        after = page[-1].size
