"""What an old mapping made of a message, made again: the port `Historian` for HL7 v2."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from adapters.hl7v2.compiler.archive import Archived, parse_archive, this_code, versions
from adapters.hl7v2.dialect import Historic, Hl7v2
from bridge.core.errors import BridgeError
from bridge.core.ids import Digest
from bridge.ports.mappings import Again, Original

__all__ = ["Hl7v2History"]

KEPT: Final = 8
"""Compiled old mappings: fsck meets the few of one period together."""
SHOWN: Final = 12
NAMED: Final = 5
"""Functions that a doubt names, of those whose version moved."""


class Hl7v2History:
    """Over the dialect of today, which says what is in use."""

    def __init__(self, dialect: Hl7v2) -> None:
        """Nothing is compiled yet. A site's functions must be registered."""
        self._dialect = dialect
        self._compiled = lru_cache(KEPT)(_compiled)

    @property
    def mappings(self) -> Mapping[Digest, bytes]:
        """The document of each mapping that is in use now."""
        return self._dialect.mappings

    def again(self, document: bytes, original: Original) -> Again | BridgeError:
        """The bundle that this mapping makes of the source, or why it makes none."""
        try:
            then, doubt = self._compiled(document)
            made = then.convert(original.source, sender="", charset=original.charset)
        except BridgeError as error:
            return error
        return Again(bundle=made.canonical, doubt=doubt)


def _compiled(document: bytes) -> tuple[Historic, str]:
    return Historic(document), _doubt(parse_archive(document))


def _doubt(then: Archived) -> str:
    """That other code runs now, and which functions say so themselves."""
    if then.code == this_code():
        return ""
    moved = list(_moved(then.versions))
    more = f" and {len(moved) - NAMED} more" if len(moved) > NAMED else ""
    named = f" ({', '.join(moved[:NAMED])}{more})" if moved else ""
    return (
        f"made by rules version {then.code[:SHOWN]}, this node runs {this_code()[:SHOWN]}{named}: "
        "only the version that made it can say"
    )


def _moved(then: Mapping[str, int]) -> Iterator[str]:
    now = versions()
    for name in sorted(then.keys() | now.keys()):
        if then.get(name) != now.get(name):
            yield f"{name} {then.get(name, 'none')} to {now.get(name, 'none')}"
