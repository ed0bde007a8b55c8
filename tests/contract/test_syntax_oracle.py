"""hl7apy, which shares no line with us, reads the same fields out of every sample."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from itertools import zip_longest
from pathlib import Path
from typing import Any

from hl7apy import SUPPORTED_LIBRARIES
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.exceptions import HL7apyException
from hl7apy.parser import parse_message

from adapters.hl7v2.engine import fields_of
from adapters.hl7v2.syntax import Delimiters, header, read
from bridge.core.errors import BridgeError
from tests.contract.test_corpus import messages

EVERY = 1 if os.environ.get("FHIR_ANCHOR_TEST_NIGHTLY") == "1" else 3
"""hl7apy takes 25 ms a message: each commit looks at a third of the samples, the night at all."""


def test_same_segments_fields_and_components(shared: Path) -> None:
    """Where hl7apy knows the field; what it has no name for, it moves about or leaves out."""
    outcomes = Counter[str]()
    differing = []

    for number, raw in enumerate(messages(shared / "corpus")):
        if number % EVERY:
            continue
        outcome, wrong = compared(raw)
        outcomes[outcome] += 1
        differing += [f"{number}: {line}" for line in wrong]

    assert differing == []
    assert outcomes["compared"] > 0.9 * outcomes.total(), outcomes


def compared(raw: bytes) -> tuple[str, list[str]]:
    """Whether both read it, and the fields in which they differ."""
    try:
        message = read(raw, head=header(raw), charset="", senders=(), note=lambda _c, _t: None)
    except BridgeError:
        return "refused", []
    signs = message.delimiters
    lines = fields_of(list(message.lines), signs.field, 0)
    try:
        theirs = parse_message(
            _text(lines, signs), validation_level=VALIDATION_LEVEL.TOLERANT, find_groups=False
        )
    except HL7apyException:
        return "unknown to hl7apy", []
    segments = list(theirs.children)
    if [one.name for one in segments] != [line[0] for line in lines]:
        return "compared", ["segments"]
    found = [
        where
        for segment, line in zip(segments, lines, strict=True)
        for where in _differences(segment, line, signs)
    ]
    return "compared", found


def _text(lines: list[list[str]], signs: Delimiters) -> str:
    """The message as we read it, in a version that hl7apy has tables of."""
    head = [*lines[0], *[""] * 13][: max(13, len(lines[0]))]
    if head[12].split(signs.component)[0] not in SUPPORTED_LIBRARIES:
        head[12] = "2.5"
    lines = [[head[0], *head[2:]], *lines[1:]]
    return "\r".join(signs.field.join(line) for line in lines)


def _differences(segment: Any, line: Sequence[str], signs: Delimiters) -> Iterator[str]:
    """Positions whose components differ; MSH-1 and MSH-2 are the delimiters themselves."""
    named: dict[int, list[Any]] = {}
    for field in segment.children:
        if field.name and "_" in field.name:
            named.setdefault(int(field.name.rpartition("_")[2]), []).append(field)
    for number, fields in named.items():
        place = f"{line[0]}-{number}"
        ours = line[number].split(signs.repetition) if number < len(line) else []
        while ours and not ours[-1]:
            ours.pop()
        if ours and place not in _DELIMITERS and not any(map(_is_odd, fields)):
            yield from (place for _ in _unlike(ours, fields, signs))


_DELIMITERS = {"MSH-1", "MSH-2", "MSH-12"}
"""And the version, which may be another one here."""


def _unlike(ours: list[str], fields: list[Any], signs: Delimiters) -> Iterator[str]:
    """Repetitions that differ, or that one of the two does not have."""
    texts = [field.to_er7() for field in fields]
    for text, other in zip_longest(ours, texts, fillvalue=signs.field):
        if not _same(text, other, signs):
            yield text


def _is_odd(element: Any) -> bool:
    """Whether hl7apy has no name for some part of it."""
    return bool(element.is_unknown()) or any(
        _is_odd(child) for child in getattr(element, "children", ())
    )


def _same(ours: str, theirs: str, signs: Delimiters) -> bool:
    """Component by component; hl7apy writes 0010 as 10 and leaves trailing delimiters out."""
    first, second = (_parts(text, signs) for text in (ours, theirs))
    return len(first) == len(second) and all(map(_equal, first, second))


def _parts(text: str, signs: Delimiters) -> list[str]:
    parts = [part.rstrip(signs.subcomponent) for part in text.split(signs.component)]
    while parts and not parts[-1]:
        parts.pop()
    return parts


def _equal(ours: str, theirs: str) -> bool:
    if ours == theirs:
        return True
    try:
        return Decimal(ours) == Decimal(theirs)
    except InvalidOperation:
        return False
