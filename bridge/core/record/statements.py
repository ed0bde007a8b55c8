"""Which of two statements of one element says less, and which says nothing at all."""

from datetime import datetime
from typing import Final

from bridge.core.record.bundle import Json, JsonObject
from bridge.core.record.canon import canonical

__all__ = ["ends_before", "says_less", "says_nothing"]

_CODES: Final = frozenset({"status", "gender"})
"""Required codes whose `unknown` means that the sender did not know. Elsewhere it is a word."""
_ABSENT: Final = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_NULLS: Final = "http://terminology.hl7.org/CodeSystem/v3-NullFlavor"
_EXACT: Final = ("comparator", "low", "high", "numerator", "denominator")
"""A quantity or range without one of these says something else, not less."""
_WORDS: Final = frozenset({"family", "given", "prefix", "suffix", "line", "city", "district",
                           "state", "display", "text"})  # fmt: skip
"""Words that senders write in capitals or with other spaces."""
_MAX_LOOKS: Final = 10_000
"""Comparisons of two lists, some hundredths of a second: a hundred names beside a hundred. A report
of 80,000 results against its correction would take hours."""
_DATE: Final = 10
"""Characters of the longest date without time, YYYY-MM-DD."""


def says_nothing(name: str, value: Json) -> bool:
    """Whether the value only stands for one that nobody knows, as a required element needs.

    Codes `unknown`, https://hl7.org/fhir/R4/extension-data-absent-reason.html, and UNK of
    https://terminology.hl7.org/CodeSystem-v3-NullFlavor.html; the value of a result never.
    """
    if isinstance(value, str):
        return name in _CODES and value == "unknown"
    if not isinstance(value, dict) or name.startswith("value"):
        return False
    if value.keys() == {"extension"}:
        first = value["extension"]
        return isinstance(first, list) and _is_absent(first)
    if value.get("system") == _NULLS:
        return value.get("code") == "UNK"
    return value == {"text": "unknown"}


def _is_absent(extensions: list[Json]) -> bool:
    return all(isinstance(one, dict) and one.get("url") == _ABSENT for one in extensions)


def says_less(newer: Json, stored: Json, name: str = "") -> bool:
    """Whether everything that `newer` says is said by `stored` too, which may say more.

    True for equal values. Parts of a date, of a name, of a concept with several codings.
    """
    if newer == stored:
        return True
    if isinstance(newer, dict) and isinstance(stored, dict):
        return _object_says_less(newer, stored)
    if isinstance(newer, list) and isinstance(stored, list):
        return _list_says_less(newer, stored, name)
    if isinstance(newer, str) and isinstance(stored, str):
        return _text_says_less(newer, stored, name)
    return False


def ends_before(start: Json, end: Json) -> bool:
    """Whether a period of these two would certainly end before it starts (R4 per-1)."""
    if not isinstance(start, str) or not isinstance(end, str):
        return False
    if len(start) > _DATE < len(end) and start[19:] != end[19:]:
        return _moment(end) < _moment(start)
    size = min(len(start), len(end)) if len(start) > _DATE < len(end) else _DATE
    shared = min(len(start[:size]), len(end[:size]))
    return end[:shared] < start[:shared]


def _moment(text: str) -> datetime:
    """Of a dateTime with an offset; a leap second is the second before it."""
    return datetime.fromisoformat(text[:17] + text[17:19].replace("60", "59") + text[19:])


def _object_says_less(newer: JsonObject, stored: JsonObject) -> bool:
    if any(part in stored and part not in newer for part in _EXACT):
        return False
    return bool(newer) and all(
        part in stored and says_less(value, stored[part], part) for part, value in newer.items()
    )


def _list_says_less(newer: list[Json], stored: list[Json], name: str) -> bool:
    """Texts are in order (given names, lines); of objects each is in some stored one.

    Of long lists those that stand in both are set aside; where many are left, the lists differ.
    """
    if len(newer) > len(stored):
        return False
    if all(isinstance(item, dict) for item in newer):
        if len(newer) * len(stored) > _MAX_LOOKS:
            known = {canonical(held) for held in stored}
            newer = [item for item in newer if canonical(item) not in known]
        if len(newer) * len(stored) > _MAX_LOOKS:
            return False
        return all(any(says_less(item, held, name) for held in stored) for item in newer)
    return all(says_less(item, stored[at], name) for at, item in enumerate(newer))


def _text_says_less(newer: str, stored: str, name: str) -> bool:
    if name in _WORDS:
        plain, held = _plain(newer), _plain(stored)
        initial = name == "given" and len(plain.rstrip(".")) == 1
        return plain == held or (initial and held.startswith(plain.rstrip(".")))
    if name == "value":
        return _marks(newer) == _marks(stored)
    return _is_date(newer) and stored.startswith((f"{newer}-", f"{newer}T"))


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _marks(text: str) -> str:
    """Of a telephone number: without the spaces and signs that group its digits."""
    return text if "@" in text else "".join(c for c in text if c not in " -()./")


def _is_date(text: str) -> bool:
    """YYYY, YYYY-MM or YYYY-MM-DD, https://hl7.org/fhir/R4/datatypes.html#dateTime."""
    shape = "".join("9" if c.isdecimal() else c for c in text[: _DATE + 1])
    return shape in {"9999", "9999-99", "9999-99-99"}
