"""Mappings that records name, and codes that wait for somebody to map them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

from bridge.core.errors import BridgeError
from bridge.core.ids import Digest, Instant, RecordId

__all__ = [
    "Again",
    "Historian",
    "MappingArchive",
    "Original",
    "WorkItem",
    "WorkItemState",
    "WorkItems",
]

WorkItemState = Literal["open", "mapped", "dismissed"]


class MappingArchive(Protocol):
    """PostgreSQL. Trusted to have what was kept, not to have it unchanged.

    A document whose SHA-256 is not its digest is no document.
    """

    def unit(self) -> AbstractContextManager[None]:
        """One transaction."""

    def document(self, mapping: Digest) -> bytes | None:
        """What is kept under this digest. Needs an open unit."""

    def documents(self) -> Iterator[tuple[Digest, bytes]]:
        """Everything that is kept, by digest. Needs an open unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """What a record was made of."""

    source: bytes
    pinned: str
    charset: str
    bundle: bytes
    """As stored; of a FHIR write it says what HTTP asked beside the body."""
    mapping: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """What the source bytes give now."""

    bundle: bytes
    doubt: str
    """Why another bundle would accuse nobody: the code has changed since, something was looked up.
    Empty where the same code ran on the same rules, so that a difference is a change."""


class Historian(Protocol):
    """A dialect's memory: converts as a kept mapping says. Pure."""

    @property
    def mappings(self) -> Mapping[Digest, bytes]:
        """The document of each mapping that is in use now."""

    def again(self, document: bytes, original: Original) -> Again | BridgeError:
        """The bundle that this mapping makes of the source now, or why it cannot be made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItem:
    """One code of one sender that no table has. No content of a message."""

    id: int
    sender: str
    field: str
    system: str
    code: str
    times: int
    """Messages that held it."""
    first: RecordId
    last: RecordId
    since: Instant
    seen: Instant
    state: WorkItemState
    reason: str
    """Why it was closed."""


class WorkItems(Protocol):
    """PostgreSQL. Not sealed: a list of work, no evidence."""

    def unit(self) -> AbstractContextManager[None]:
        """One transaction."""

    def fold(self) -> None:
        """Count the codes that intake noted; those below do it first. Needs an open unit."""

    def items(
        self, *, sender: str = "", state: WorkItemState | Literal[""] = "open", count: int = 50
    ) -> Sequence[WorkItem]:
        """The most frequent first; an empty sender or state is any. Needs an open unit."""

    def close(self, item: int, state: WorkItemState, reason: str) -> WorkItem | None:
        """Close or reopen; None when there is no such item. Needs an open unit.

        One that is `mapped` opens again by itself when its code comes again; one that is
        `dismissed` is only counted.
        """
