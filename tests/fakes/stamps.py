"""A stamp book in memory, and a system that stamps, is down, or breaks its promises."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import sha256
from bridge.ports.stamps import Stamp, Token

__all__ = ["FakeStamper", "MemoryStamps"]


class MemoryStamps:
    """The port `StampBook`."""

    def __init__(self) -> None:
        """Start empty."""
        self.rows: dict[tuple[str, int], Stamp] = {}
        self.open = False

    @contextmanager
    def unit(self) -> Iterator[None]:
        """Nothing fails half way here."""
        self.open = True
        yield
        self.open = False

    def newest(self, kind: str) -> Stamp | None:
        """Of the largest checkpoint."""
        return max(self._of(kind), key=lambda one: one.size, default=None)

    def pending(self, kind: str) -> tuple[Stamp, ...]:
        """Largest first."""
        waiting = [one for one in self._of(kind) if not one.token.complete]
        return tuple(sorted(waiting, key=lambda one: -one.size)[:100])

    def keep(self, stamp: Stamp) -> bool:
        """Unless there is one."""
        key = (stamp.kind, int(stamp.size))
        return self.rows.setdefault(key, stamp) is stamp

    def renew(self, stamp: Stamp, token: Token) -> bool:
        """Unless it changed."""
        key = (stamp.kind, int(stamp.size))
        if self.rows.get(key) != stamp or stamp.token.complete:
            return False
        self.rows[key] = replace(stamp, token=token)
        return True

    def _of(self, kind: str) -> list[Stamp]:
        return [one for one in self.rows.values() if one.kind == kind]


@dataclass(kw_only=True)
class FakeStamper:
    """The port `Stamper`: promises, and keeps its promises when `mined` is set."""

    kind: str = "ots"
    down: bool = False
    mined: bool = False
    fault: Fault = Fault.PEER
    asked: list[str] = field(default_factory=list)
    book: MemoryStamps | None = None

    def stamp(self, note: bytes) -> Token:
        """A promise."""
        self._ask("stamp")
        return Token(data=b"promise of " + sha256(note), complete=False)

    def upgrade(self, token: Token) -> Token | None:
        """A proof once it is mined."""
        self._ask("upgrade")
        return Token(data=token.data + b" kept", complete=True) if self.mined else None

    def _ask(self, what: str) -> None:
        assert self.book is None or not self.book.open, "a unit is held across a network call"
        self.asked.append(what)
        if self.down:
            raise BridgeError(
                "stamp-unavailable", self.fault, what="it is down", where="host", do="wait"
            )
