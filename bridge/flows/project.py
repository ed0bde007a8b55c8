"""Records to what clinics see: resource versions, their index, and a leaf for what is served."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from typing import cast

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import record_id
from bridge.core.record.bundle import JsonObject
from bridge.core.record.canon import parse
from bridge.core.record.claims import REVISION_NAMES, SALT_SIZE
from bridge.core.record.merge import ResourceRef, moved_in, references_touched
from bridge.core.record.moves import MOVABLE
from bridge.core.record.revision import (
    State,
    Version,
    resources_root,
    revise,
    revision_header,
    revision_leaf,
)
from bridge.core.search.index import IndexRow, index_rows
from bridge.ports.sources import Clock, Entropy
from bridge.ports.versions import NewRevision, NewVersion, Versions, Waiting

__all__ = ["Applied", "Projected", "apply_waiting", "project"]

ID_SIZE = 10
FIXED_SIZE = ID_SIZE + len(REVISION_NAMES) * SALT_SIZE
"""Random bytes of one revision before those of its versions, one salt each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Projected:
    """What one call did; `records` and `stalled` both zero means that nothing was waiting."""

    records: int
    versions: int
    stalled: int


NOTHING = Projected(records=0, versions=0, stalled=0)


def project(*, versions: Versions, clock: Clock, entropy: Entropy, limit: int = 200) -> Projected:
    """Apply waiting records in one transaction; run it again until it returns zeros.

    Records of one lane apply in order, any number of workers may run side by side. A record that
    cannot be applied stalls its own lanes until a person resumes them; the others go on. Nothing is
    applied twice: a record leaves its lanes in the transaction that keeps its revision.

    Args:
        versions: where records wait and resources live.
        clock: gives the time of the revisions.
        entropy: gives their salts.
        limit: records a transaction; 200 keep it under a second on two cores.
    """
    try:
        with versions.unit():
            return _counted(apply_waiting(versions.claim(limit), versions, clock, entropy))
    except BridgeError as error:
        if error.code != "store-refused":
            raise
    return _one_by_one(versions, clock, entropy, limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What became of a batch of waiting records, once the unit ends."""

    revisions: tuple[NewRevision, ...]
    refused: tuple[tuple[Waiting, BridgeError], ...]
    """Records whose lanes are stalled now, each with its reason."""


def apply_waiting(
    waiting: Sequence[Waiting], versions: Versions, clock: Clock, entropy: Entropy
) -> Applied:
    """Apply records in order within the open unit, whose lanes the unit holds.

    Each sees what the ones before it made. A record that cannot be applied stalls its lanes, and
    what stands behind it in this batch stays in the queue.
    """
    batch = _Batch(waiting, versions, clock)
    for step in batch.steps:
        try:
            batch.apply(step)
        except BridgeError as reason:
            batch.refuse(step, reason)
    revisions = _revisions(batch, entropy)
    if revisions:
        versions.keep(revisions)
    return Applied(revisions=revisions, refused=tuple(batch.refused))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """One waiting record, read."""

    waiting: Waiting
    bundle: JsonObject
    refs: tuple[ResourceRef, ...]
    unreadable: BridgeError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """One new version with its search rows."""

    version: Version
    index: tuple[IndexRow, ...]
    replaces: bool


class _Batch:
    """The state of the resources between the records of one batch."""

    def __init__(self, waiting: Sequence[Waiting], versions: Versions, clock: Clock) -> None:
        """Read the records, lock what they touch, and only then ask for the time."""
        self.versions = versions
        self.steps = [_read(one) for one in waiting]
        refs = [ref for step in self.steps for ref in step.refs]
        self.current = dict(versions.current(refs)) if refs else {}
        self.stored = {ref for ref, state in self.current.items() if state.version}
        self.at = clock.now()
        self.done: list[tuple[Waiting, tuple[_Made, ...]]] = []
        self.refused: list[tuple[Waiting, BridgeError]] = []
        self.blocked: set[str] = set()

    def apply(self, step: _Step) -> None:
        """Make the record's versions, or leave it waiting behind a refused one."""
        if not self.blocked.isdisjoint(step.waiting.lanes):
            self.blocked.update(step.waiting.lanes)
            return
        if step.unreadable is not None:
            raise step.unreadable
        made = self._made(step)
        for one in made:
            self.current[one.version.ref] = State(version=one.version.number, body=one.version.body)
        self.done.append((step.waiting, made))

    def refuse(self, step: _Step, reason: BridgeError) -> None:
        """Stall the record's lanes, here and in the database."""
        self.blocked.update(step.waiting.lanes)
        self.refused.append((step.waiting, reason))
        self.versions.stall(step.waiting, reason, self.at)

    def newest(self, version: Version) -> bool:
        """Whether no later record of the batch overtook this version."""
        return self.current[version.ref].version == version.number

    def _made(self, step: _Step) -> tuple[_Made, ...]:
        with _shape_checked():
            touched = {ref: self.current[ref] for ref in step.refs}
            moved = moved_in(step.bundle, step.waiting.apply)
            if moved:
                self._fetch_filed(moved)
                touched = self.current
            made = revise(step.bundle, step.waiting.apply, touched, at=self.at)
            return tuple(
                _Made(
                    version=version,
                    index=() if version.body is None else index_rows(version.body),
                    replaces=version.ref in self.stored,
                )
                for version in made
            )

    def _fetch_filed(self, moved: Sequence[ResourceRef]) -> None:
        """Lock what is filed under what moves, and under what moves with it.

        The lanes of both patients are held, and what earlier records of this batch made is here.
        """
        places = list(moved)
        while places:
            found = [ref for ref in self.versions.filed_under(places) if ref not in self.current]
            fresh = self.versions.current(found) if found else {}
            self.current |= fresh
            self.stored |= {ref for ref, state in fresh.items() if state.version}
            places = [ref for ref in found if ref.type in MOVABLE]


def _read(waiting: Waiting) -> _Step:
    try:
        with _shape_checked():
            bundle = cast("JsonObject", parse(waiting.bundle))
            refs = references_touched(bundle, waiting.apply)
    except BridgeError as reason:
        return _Step(waiting=waiting, bundle={}, refs=(), unreadable=reason)
    return _Step(waiting=waiting, bundle=bundle, refs=refs)


@contextmanager
def _shape_checked() -> Iterator[None]:
    """A bundle that is not shaped as FHIR stalls its lane; it must not stop the worker."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise BridgeError(
            "record-shape",
            Fault.US,
            what=f"a stored bundle is not shaped as FHIR R4, {type(error).__name__}",
            where="bundle",
            do="mend the mapping that made it, and retry the record",
        ) from error


def _revisions(batch: _Batch, entropy: Entropy) -> tuple[NewRevision, ...]:
    """One a record, each with salts of its own."""
    sizes = [FIXED_SIZE + SALT_SIZE * len(made) for _, made in batch.done]
    random = BytesIO(entropy.take(sum(sizes)))
    return tuple(
        _revision(batch, waiting, made, random.read(size))
        for (waiting, made), size in zip(batch.done, sizes, strict=True)
    )


def _revision(
    batch: _Batch, waiting: Waiting, made: tuple[_Made, ...], random: bytes
) -> NewRevision:
    salts = random[ID_SIZE:FIXED_SIZE]
    apart = [random[i : i + SALT_SIZE] for i in range(FIXED_SIZE, len(random), SALT_SIZE)]
    header = revision_header(record=waiting.record, at=batch.at, versions=len(made))
    root = resources_root([one.version for one in made], apart)
    return NewRevision(
        id=record_id(batch.at, random[:ID_SIZE]),
        waiting=waiting,
        at=batch.at,
        header=header,
        salts=salts,
        resources_root=root,
        leaf=revision_leaf(header=header, resources=root, salts=salts),
        versions=tuple(
            NewVersion(
                version=one.version,
                salt=salt,
                index=one.index if batch.newest(one.version) else None,
                replaces=one.replaces,
            )
            for one, salt in zip(made, apart, strict=True)
        ),
    )


def _one_by_one(versions: Versions, clock: Clock, entropy: Entropy, limit: int) -> Projected:
    """After PostgreSQL refused a batch: find the record it cannot hold, and stall it alone."""
    total = NOTHING
    for _ in range(limit):
        one = _one(versions, clock, entropy)
        if one == NOTHING:
            break
        total = Projected(
            records=total.records + one.records,
            versions=total.versions + one.versions,
            stalled=total.stalled + one.stalled,
        )
    return total


def _one(versions: Versions, clock: Clock, entropy: Entropy) -> Projected:
    waiting: tuple[Waiting, ...] = ()
    try:
        with versions.unit():
            waiting = versions.claim(1)
            return _counted(apply_waiting(waiting, versions, clock, entropy))
    except BridgeError as reason:
        if reason.code != "store-refused" or not waiting:
            raise
        with versions.unit():
            versions.stall(waiting[0], reason, clock.now())
    return replace(NOTHING, stalled=1)


def _counted(applied: Applied) -> Projected:
    return Projected(
        records=len(applied.revisions),
        versions=sum(len(one.versions) for one in applied.revisions),
        stalled=len(applied.refused),
    )
