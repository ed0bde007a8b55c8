"""The networks of `config/chains.toml`: how each one ends, what it costs, which build it runs."""

import tomllib
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import msgspec

from bridge.core.errors import BridgeError, Fault

__all__ = ["ChainRow", "Depth", "Finality", "Finalized", "Instant", "load_chains"]

_GWEI: Final = 10**9


@dataclass(frozen=True, slots=True)
class Instant:
    """A block is final when it is there: one validator, or BFT consensus."""

    text: str = "instant"


@dataclass(frozen=True, slots=True)
class Finalized:
    """Final is what the node's `finalized` tag says."""

    text: str = "finalized"


@dataclass(frozen=True, slots=True)
class Depth:
    """Final is what has this many blocks on top."""

    blocks: int

    @property
    def text(self) -> str:
        """As a receipt says it."""
        return f"depth-{self.blocks}"


Finality = Instant | Finalized | Depth


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainRow:
    """One network."""

    name: str
    chain_id: int
    finality: Finality
    legacy_fees: bool
    """True where transactions carry one gas price (before EIP-1559)."""
    block_time_s: float
    fee_cap_wei: int
    """Most that one gas may cost; at it the sender waits."""
    stuck_after_s: int
    evm_profile: str
    about: str


class _Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    chain_id: Annotated[int, msgspec.Meta(gt=0)]
    finality: Annotated[str, msgspec.Meta(pattern=r"^(instant|finalized|depth-[1-9][0-9]{0,3})$")]
    fee_model: Literal["eip1559", "legacy"]
    block_time_s: Annotated[float, msgspec.Meta(gt=0)]
    fee_cap_gwei: Annotated[float, msgspec.Meta(gt=0)]
    stuck_after_s: Annotated[int, msgspec.Meta(gt=0)]
    evm_profile: str
    about: str


def load_chains(text: str) -> dict[str, ChainRow]:
    """All rows by name.

    Raises:
        BridgeError: `chains-form` with fault OPERATOR, naming the row's field.
    """
    try:
        rows = msgspec.convert(tomllib.loads(text), dict[str, _Row])
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise BridgeError(
            "chains-form",
            Fault.OPERATOR,
            what=f"the table of chains cannot be read: {error}",
            where="chains.toml",
            do="write each row like those that the product ships",
        ) from error
    return {name: _row(name, row) for name, row in rows.items()}


def _row(name: str, row: _Row) -> ChainRow:
    finality: Finality
    match row.finality.partition("-"):
        case ("instant", _, _):
            finality = Instant()
        case ("finalized", _, _):
            finality = Finalized()
        case (_, _, blocks):
            finality = Depth(int(blocks))
    return ChainRow(
        name=name,
        chain_id=row.chain_id,
        finality=finality,
        legacy_fees=row.fee_model == "legacy",
        block_time_s=row.block_time_s,
        fee_cap_wei=round(row.fee_cap_gwei * _GWEI),
        stuck_after_s=row.stuck_after_s,
        evm_profile=row.evm_profile,
        about=row.about,
    )
