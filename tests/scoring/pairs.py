"""The corpus of messages with expected FHIR, and each message's converted bundle."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adapters.hl7v2.dialect import Hl7v2

__all__ = ["FIRST_SCOPE", "Pair", "convert", "pairs_of"]

FIRST_SCOPE: Final = frozenset(
    [f"ADT_A{number:02}" for number in (1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 18, 28, 31, 34, 40, 47)]
    + ["ORU_R01", "ORM_O01", "VXU_V04", "ACK"]
    + [f"MDM_T{number:02}" for number in (1, 2, 4, 5, 6, 8, 9, 10, 11)]
    + [f"SIU_S{number}" for number in (12, 13, 14, 15, 16, 17, 26)]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One message and what someone else made of it."""

    kind: str
    """Type of the row, such as `ADT_A01`."""
    name: str
    message: bytes
    expected: bytes

    @property
    def first_scope(self) -> bool:
        """Whether the type is of the first scope."""
        return self.kind in FIRST_SCOPE


def pairs_of(shared: Path) -> Iterator[Pair]:
    """Every pair of the corpus that has a bundle in JSON for a whole message."""
    corpus = shared / "corpus"
    with (corpus / "PAIRS.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        folder = corpus / row["repo"]
        expected = (folder / row["expected"]).read_bytes()
        if row["granularity"] == "message" and not expected.startswith(b"<"):
            yield Pair(
                kind=row["type"],
                name=Path(row["input"]).name,
                message=(folder / row["input"]).read_bytes(),
                expected=expected,
            )


def convert(pair: Pair, dialect: Hl7v2) -> bytes:
    """Our canonical bundle of the pair's message."""
    return dialect.convert(pair.message, sender="").canonical
