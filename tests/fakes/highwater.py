"""The port `HighWater` in memory: what a chain says, and what was kept."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bridge.ports.logbook import AnchoredHead

__all__ = ["MemoryHighWater"]


@dataclass(kw_only=True)
class MemoryHighWater:
    """Both are remembered; `asked` may also raise."""

    asked: Callable[[], AnchoredHead | None] = lambda: None
    kept: list[AnchoredHead] = field(default_factory=list)

    def newest(self) -> AnchoredHead | None:
        """The larger of both."""
        told = self.asked()
        known = [*self.kept, *([told] if told else [])]
        return max(known, key=lambda head: head.size, default=None)

    def keep(self, head: AnchoredHead) -> None:
        """In the order of publication."""
        self.kept.append(head)
