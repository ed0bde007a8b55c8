"""The read side of the database: resource versions, searches, records, and who saw them."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, Self

from bridge.core.ids import Instant, LeafIndex, RecordId, TreeSize
from bridge.core.record.merge import ResourceRef
from bridge.core.search.query import SearchQuery

__all__ = [
    "Access",
    "Halt",
    "Page",
    "Reading",
    "RecordPage",
    "RecordRow",
    "Refusal",
    "RefusalPage",
    "Served",
    "Times",
    "Wanted",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One resource version as it is served."""

    ref: ResourceRef
    version: int
    at: Instant
    body: bytes
    """Canonical bytes; empty when this version is a deletion."""

    @property
    def deleted(self) -> bool:
        """Whether this version deletes the resource."""
        return not self.body


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some matches, in order, and how to go on."""

    matches: tuple[Served, ...]
    included: tuple[Served, ...] = ()
    """What the matches lead to or what leads to them, each once, without the matches."""
    total: int | None = None
    next: str = ""
    """Token of the next page, bound to caller and query; empty on the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Of what is asked; what is None asks nothing."""

    since: Instant | None = None
    """Changed then or later."""
    start: Instant | None = None
    """Care that had not ended before; what has no time of care is always meant."""
    end: Instant | None = None
    """Care that had begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRow:
    """A record without its content."""

    id: RecordId
    received: Instant
    feed: str
    sender: str
    dialect: str
    message_type: str
    control_id: str
    projected: Instant | None
    index: LeafIndex | None
    """Of its leaf in the log."""
    checkpoint_size: TreeSize | None
    """Of the first signed checkpoint that holds the leaf."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which records; what is empty or None asks nothing."""

    control_id: str = ""
    sender: str = ""
    since: Instant | None = None
    until: Instant | None = None
    feeds: str = ""
    """What the name of the feed begins with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPage:
    """Records, newest first."""

    records: tuple[RecordRow, ...]
    next: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A quarantined input without its bytes."""

    id: RecordId
    received: Instant
    feed: str
    sender: str
    pinned: str
    """Profile that the door chose."""
    charset: str
    dialect: str
    message_type: str
    control_id: str
    code: str
    where: str
    reason: str
    times: int
    """How often the same input was refused for the same reason."""
    state: str
    """`open`, `retried` or `dismissed`."""
    retried_as: RecordId | None
    request: tuple[tuple[str, str], ...] = ()
    """What the HTTP request of a FHIR write said beside its body."""
    dismissed_because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalPage:
    """Refusals, newest first."""

    refusals: tuple[Refusal, ...]
    next: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """Why a stored record is not applied: itself or an earlier record of one of its lanes."""

    record: RecordId
    """The record that could not be applied."""
    code: str
    reason: str
    since: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """That somebody was shown something: durable before the content leaves."""

    id: RecordId
    at: Instant
    event: bytes
    """Canonical AuditEvent."""
    salts: bytes
    """1 x 32 bytes in the order of `claims.ACCESS_NAMES`."""
    leaf: bytes
    patients: tuple[str, ...]
    """Ids of the patients concerned, so that each can be told who looked."""


class Reading(Protocol):
    """PostgreSQL. Trusted for availability, not for integrity: what it serves has receipts.

    Every method needs an open unit and reads what is committed. Content that it returns may leave
    only through `flows.disclose`.
    """

    def at(self, base: str) -> Self:
        """The same, for a client that calls the FHIR service by this URL.

        References below it lead to this server, as relative ones do; those below another URL lead
        to another one, whatever their type and id.
        """

    def unit(self) -> AbstractContextManager[None]:
        """All reads and the access row of one disclosure."""

    def version(self, ref: ResourceRef, number: int | None = None) -> Served | None:
        """One version, the newest when no number is given; a deletion is a version."""

    def history(
        self,
        ref: ResourceRef,
        *,
        count: int,
        before: int | None = None,
        since: Instant | None = None,
    ) -> Page:
        """Versions of one resource since a moment, newest first, below number `before`.

        Total is given, of all pages.
        """

    def search(self, query: SearchQuery, *, caller: str) -> Page:
        """Present resources that match.

        Raises:
            BridgeError: `page-token` for a token of another caller or query, `search-include-size`
                when a page leads to more resources than one answer can hold.
        """

    def everything(
        self,
        patients: Sequence[str],
        *,
        times: Times,
        types: Sequence[str],
        count: int,
        page: str,
        caller: str,
    ) -> Page:
        """The patients, their compartments, and what these refer to, in order of type and id.

        Args:
            patients: records of one person, the one asked for first.
            times: only what changed, or was done, then.
            types: only these; empty for all.
            count: resources on a page.
            page: token of the page before; empty for the first.
            caller: to whom the tokens belong.

        Raises:
            BridgeError: `page-token` for a token of another caller or query.
        """

    def included(self, query: SearchQuery, matched: Sequence[ResourceRef]) -> tuple[Served, ...]:
        """What the includes of the search lead to from these, or what leads to them, each once.

        Raises:
            BridgeError: `search-include-size`.
        """

    def linked(self, patients: Sequence[str]) -> tuple[Served, ...]:
        """Present patients among these that link to a patient, and those that link to these.

        In order of id, at most `links.MAX_RETIRED` more than were given. Where there are none this
        costs one look-up in the index.
        """

    def patients_of(self, refs: Sequence[ResourceRef]) -> tuple[str, ...]:
        """Ids of the patients whom these present resources concern, sorted."""

    def record(self, record: RecordId) -> RecordRow | None:
        """One record without its content."""

    def records(self, wanted: Wanted, *, count: int = 50, page: str = "") -> RecordPage:
        """Records that match all that is given, newest first; at most 1,000 a page."""

    def halt(self, record: RecordId) -> Halt | None:
        """What holds a waiting record back; None when nothing does."""

    def halts(self, count: int = 50) -> tuple[Halt, ...]:
        """Records that stopped their lanes, oldest first."""

    def source(self, record: RecordId) -> bytes | None:
        """The bytes of a record, or of a quarantined input, as they were received."""

    def bundle(self, record: RecordId) -> bytes | None:
        """The canonical bundle of a record."""

    def touched(self, record: RecordId) -> tuple[ResourceRef, ...]:
        """The resources that applying the record changed."""

    def refusal(self, record: RecordId) -> Refusal | None:
        """One quarantined input without its bytes."""

    def refusals(
        self, *, state: str = "open", feeds: str = "", count: int = 50, page: str = ""
    ) -> RefusalPage:
        """Quarantined inputs, newest first; an empty state is any, `feeds` as for `records`."""

    def keep_access(self, access: Access) -> None:
        """Store who saw what, and its pending leaf."""

    def access(self, name: str) -> Served | None:
        """One access event as AuditEvent."""

    def accesses(
        self, *, patients: Sequence[str] = (), count: int = 50, before: int | None = None
    ) -> Page:
        """Access events as AuditEvents, newest first, of any of these patients; of all for none."""
