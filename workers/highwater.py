"""The newest head that was published or seen on the chain, in a file of the data folder.

Written with each checkpoint, so a database that is restored from a backup is signed upon by nobody,
however young the backup is and whether or not the chain tells its newest head. What the chain said
is kept beside the contract that said it: a successor's log is not held up by what a thief wrote
into the contract before.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from bridge.chain.deploy import read_deployment
from bridge.chain.evm import EvmChain
from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest, TreeSize
from bridge.durable import replace_file
from bridge.ports.logbook import AnchoredHead
from bridge.settings import Settings
from workers.places import STATE_FILE

__all__ = ["MARK_FILE", "ChainAndFile", "keep_mark", "read_mark"]

MARK_FILE = "high-water.json"
PUBLISHED = "published"
"""Stands beside the names of contracts, which begin with their chain."""


class ChainAndFile:
    """The port `HighWater`: what the chain says, and a file of the data folder.

    So a chain that is down, not set up yet, or that keeps no newest head never stops the log, and a
    database that was restored from a backup is still caught.
    """

    def __init__(self, settings: Settings, chain: Callable[[], EvmChain]) -> None:
        """Touch neither."""
        self._settings, self._chain = settings, chain

    def newest(self) -> AnchoredHead | None:
        """The larger of both; a chain that was rolled back takes nothing back."""
        with suppress(BridgeError):
            chain = self._chain()
            head = chain.view().head
            if head.size:
                seen = AnchoredHead(size=head.size, root=head.root)
                keep_mark(self._settings, seen, seen_in=chain.log_name)
        return read_mark(self._settings)

    def keep(self, head: AnchoredHead) -> None:
        """Write it down, if it is the largest that was published."""
        keep_mark(self._settings, head)


def read_mark(settings: Settings) -> AnchoredHead | None:
    """The larger of what was published and what the node's present contract ever held.

    Raises:
        BridgeError: `high-water-unreadable`; nothing is signed until a person has looked.
    """
    contract = read_deployment(settings.data / STATE_FILE)
    marks = _marks(settings)
    found = [marks.get(PUBLISHED), marks.get(contract.log_name) if contract else None]
    return max((head for head in found if head), key=lambda head: head.size, default=None)


def keep_mark(settings: Settings, head: AnchoredHead, *, seen_in: str = PUBLISHED) -> None:
    """Replace the mark of this name, if the head is larger; those of other names stay.

    Args:
        settings: of the node.
        head: published, or seen.
        seen_in: chain, contract and log that hold it.
    """
    marks = _marks(settings)
    before = marks.get(seen_in)
    if before is not None and head.size <= before.size:
        return
    text = {
        name: {"size": mark.size, "root": mark.root.hex()}
        for name, mark in {**marks, seen_in: head}.items()
    }
    replace_file(settings.data / MARK_FILE, json.dumps(text).encode(), mode=0o644)


def _marks(settings: Settings) -> Mapping[str, AnchoredHead]:
    """By name; a file of before names were kept holds what was published."""
    file = settings.data / MARK_FILE
    if not file.exists():
        return {}
    try:
        text = json.loads(file.read_text("ascii"))
        named = {PUBLISHED: text} if "size" in text else text
        return {name: _head(mark) for name, mark in named.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BridgeError(
            "high-water-unreadable",
            Fault.OPERATOR,
            what="the file that says which head was newest cannot be read",
            where=str(file),
            do="compare the log with its anchors by `fhir-anchor audit`, then remove the file",
        ) from error


def _head(mark: Any) -> AnchoredHead:  # noqa: ANN401  whatever stood in the file
    return AnchoredHead(size=TreeSize(int(mark["size"])), root=Digest(bytes.fromhex(mark["root"])))
