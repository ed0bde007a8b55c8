"""Anchoring attempts: one row a transaction, changed by compare-and-swap on its version."""

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import ARRAY, BigInteger, Row, cast, func, select, union, update
from sqlalchemy.dialects.postgresql import insert

from bridge.core.ids import Digest, Instant, TreeSize, instant
from bridge.ports.anchors import Attempt, State
from bridge.ports.chain import Fees, Inclusion, Payload, SignedAnchor, Spent
from bridge.store.database import Database
from bridge.store.schema import anchor_attempt as table

__all__ = ["PostgresAnchors", "attempts_after"]

# An evidence is 4 KB: one page of attempts stays below half a megabyte.
_PAGE: Final = 100
_NEAR: Final = 3
_STANDING: Final = (State.MINED.value, State.FINAL.value, State.EVIDENCED.value)


class PostgresAnchors:
    """The port `AnchorBook` over one PostgreSQL."""

    def __init__(self, database: Database) -> None:
        """Share the database's pool and units."""
        self._database = database

    def unit(self) -> AbstractContextManager[None]:
        """All writes inside become durable together when the block ends, or none do."""
        return self._database.unit()

    def plan(self, attempt: Attempt) -> Attempt | None:
        """Store a new attempt; None when its slot is taken."""
        statement = (
            insert(table)
            .values(**_columns(attempt), version=1)
            .on_conflict_do_nothing(index_elements=["chain", "account", "nonce", "round"])
            .returning(table.c.id)
        )
        stored = self._database.connection.execute(statement).scalar()
        return None if stored is None else replace(attempt, id=stored, version=1)

    def next_round(self, chain: str, account: str, nonce: int) -> int:
        """The lowest round above all that were ever planned at this nonce."""
        statement = select(func.max(table.c.round)).where(
            table.c.chain == chain, table.c.account == account, table.c.nonce == nonce
        )
        highest = self._database.connection.execute(statement).scalar()
        return 0 if highest is None else highest + 1

    def swap(self, before: Attempt, after: Attempt) -> Attempt | None:
        """Change a stored attempt unless another worker did."""
        version = before.version + 1
        statement = (
            update(table)
            .where(table.c.id == before.id, table.c.version == before.version)
            .values(**_columns(after), version=version)
        )
        changed = self._database.connection.execute(statement).rowcount
        return replace(after, id=before.id, version=version) if changed == 1 else None

    def unsettled(self, chain: str, account: str) -> tuple[Attempt, ...]:
        """Attempts that may still change, by nonce and round."""
        statement = (
            select(table)
            .where(table.c.chain == chain, table.c.account == account, ~table.c.settled)
            .order_by(table.c.nonce, table.c.round)
        )
        return tuple(map(_attempt, self._database.connection.execute(statement)))

    def evidenced(self, chain: str, contract: str, *, size_from: int) -> tuple[Attempt, ...]:
        """Evidenced attempts of at least this size, smallest first."""
        statement = (
            select(table)
            .where(
                table.c.chain == chain,
                table.c.contract == contract,
                table.c.state == State.EVIDENCED.value,
                table.c.size >= size_from,
            )
            .order_by(table.c.size, table.c.id)
            .limit(_PAGE)
        )
        return tuple(map(_attempt, self._database.connection.execute(statement)))

    def newest_evidenced(self, chain: str, account: str) -> tuple[Attempt, ...]:
        """Evidenced attempts, highest block first."""
        statement = (
            select(table)
            .where(
                table.c.chain == chain,
                table.c.account == account,
                table.c.state == State.EVIDENCED.value,
            )
            .order_by(table.c.block_number.desc(), table.c.id.desc())
            .limit(_PAGE)
        )
        return tuple(map(_attempt, self._database.connection.execute(statement)))

    def spent_wei(self, chain: str, account: str, *, since: Instant) -> int:
        """Per nonce what was paid, else the most that may be."""
        offered = table.c.gas * table.c.max_fee_wei
        foreign = (table.c.state == State.FAILED.value) & table.c.block_hash.is_(None)
        nonces = (
            select(func.coalesce(func.max(table.c.cost_wei), func.max(offered)).label("wei"))
            .where(
                table.c.chain == chain,
                table.c.account == account,
                table.c.planned >= since,
                ~foreign,
            )
            .group_by(table.c.nonce)
            .subquery()
        )
        statement = select(func.coalesce(func.sum(nonces.c.wei), 0))
        return int(self._database.connection.execute(statement).scalar_one())

    def standing(self, chain: str, contract: str) -> Attempt | None:
        """The largest that is mined, final or evidenced."""
        statement = (
            select(table)
            .where(
                table.c.state.in_(_STANDING),
                table.c.chain == chain,
                table.c.contract == contract,
            )
            .order_by(table.c.size.desc(), table.c.id.desc())
            .limit(1)
        )
        row = self._database.connection.execute(statement).one_or_none()
        return None if row is None else _attempt(row)

    def covering(self, sizes: Collection[int]) -> Mapping[int, tuple[Attempt, ...]]:
        """The nearest of each size by one query, their rows by another: many sizes share them."""
        connection = self._database.connection
        array = func.unnest(cast(list(sizes), ARRAY(BigInteger)))
        asked = array.table_valued("size").render_derived(name="asked")
        fits = (
            select(table.c.id)
            .where(table.c.state.in_(_STANDING), table.c.size >= asked.c.size)
            .order_by(table.c.size, table.c.id)
            .correlate(asked)
        )
        whole = fits.where(table.c.state == State.EVIDENCED.value)
        near = union(fits.limit(_NEAR), whole.limit(1)).lateral()
        pairs = connection.execute(select(asked.c.size, near.c.id)).all()
        rows = select(table).where(table.c.id.in_({row.id for row in pairs}))
        attempts = {row.id: _attempt(row) for row in connection.execute(rows)}
        found: dict[int, list[Attempt]] = {size: [] for size in sizes}
        for size, number in pairs:
            found[size].append(attempts[number])
        return {size: tuple(sorted(each, key=_place)) for size, each in found.items()}


def _place(attempt: Attempt) -> tuple[int, int]:
    return attempt.payload.size, attempt.id


def attempts_after(database: Database, after: int, limit: int) -> tuple[Attempt, ...]:
    """Every attempt with an id above `after`, in order. Needs a unit."""
    statement = select(table).where(table.c.id > after).order_by(table.c.id).limit(limit)
    return tuple(map(_attempt, database.connection.execute(statement)))


def _columns(attempt: Attempt) -> dict[str, Any]:
    """All but id and version. The inverse of `_attempt`."""
    signed, inclusion = attempt.signed, attempt.inclusion
    anchored = inclusion and inclusion.anchored
    return {
        "chain": attempt.chain,
        "contract": attempt.contract,
        "account": attempt.account,
        "nonce": attempt.nonce,
        "round": attempt.round,
        "prev_root": attempt.payload.prev_root,
        "size": attempt.payload.size,
        "root": attempt.payload.root,
        "note": attempt.checkpoint,
        "max_fee_wei": attempt.fees.max_fee_wei,
        "tip_wei": attempt.fees.tip_wei,
        "gas": attempt.gas,
        "state": attempt.state.value,
        "settled": attempt.settled,
        "planned": attempt.planned,
        "tx_hash": signed and signed.tx_hash,
        "raw": signed and signed.raw,
        "sent": attempt.sent,
        "block_number": inclusion and inclusion.block_number,
        "block_hash": inclusion and inclusion.block_hash,
        "block_time": inclusion and inclusion.time,
        "anchored_prev_root": anchored and anchored.prev_root,
        "anchored_size": anchored and anchored.size,
        "anchored_root": anchored and anchored.root,
        "gas_used": inclusion and inclusion.spent and inclusion.spent.gas,
        "cost_wei": inclusion and inclusion.spent and inclusion.spent.cost_wei,
        "evidence": attempt.evidence,
        "reason": attempt.reason,
    }


def _attempt(row: Row[Any]) -> Attempt:
    return Attempt(
        id=row.id,
        version=row.version,
        chain=row.chain,
        contract=row.contract,
        account=row.account,
        nonce=row.nonce,
        round=row.round,
        payload=_payload(row.prev_root, row.size, row.root),
        checkpoint=bytes(row.note),
        fees=Fees(max_fee_wei=int(row.max_fee_wei), tip_wei=int(row.tip_wei)),
        gas=row.gas,
        state=State(row.state),
        settled=row.settled,
        planned=instant(row.planned),
        signed=_signed(row),
        sent=None if row.sent is None else instant(row.sent),
        inclusion=_inclusion(row),
        evidence=None if row.evidence is None else bytes(row.evidence),
        reason=row.reason,
    )


def _signed(row: Row[Any]) -> SignedAnchor | None:
    if row.raw is None:
        return None
    return SignedAnchor(tx_hash=bytes(row.tx_hash), raw=bytes(row.raw))


def _inclusion(row: Row[Any]) -> Inclusion | None:
    if row.block_hash is None:
        return None
    anchored = None
    if row.anchored_root is not None:
        anchored = _payload(row.anchored_prev_root, row.anchored_size, row.anchored_root)
    return Inclusion(
        block_number=row.block_number,
        block_hash=bytes(row.block_hash),
        time=instant(row.block_time),
        anchored=anchored,
        spent=None if row.cost_wei is None else Spent(gas=row.gas_used, cost_wei=int(row.cost_wei)),
    )


def _payload(prev_root: bytes, size: int, root: bytes) -> Payload:
    return Payload(
        prev_root=Digest(bytes(prev_root)), size=TreeSize(size), root=Digest(bytes(root))
    )
