"""ERR segments: where, which condition of table 0357, and words that a person can act on.

Source: HL7 v2.5.1 ch. 2.15.5 (ERR), ch. 2A.28 (ERL), table 0357; before v2.5 ERR-1 alone holds the
place and the code (v2.4 ch. 2.16.5), and receivers ignore fields that they do not expect (ch. 2.9).
"""

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from adapters.hl7v2.header import Delimiters
from bridge.core.errors import BridgeError, Fault
from bridge.core.record.bundle import Finding

__all__ = [
    "Condition",
    "Place",
    "Problem",
    "acceptance",
    "condition",
    "err",
    "error_problem",
    "escape",
    "escape_bytes",
    "finding_problem",
    "place",
]

USER_MESSAGE_LIMIT = 250
"""ERR-8 is TX of 250 characters (v2.5.1)."""
DIAGNOSTIC_LIMIT = 2048
"""ERR-7 is TX of 2,048 characters."""


class Condition(Enum):
    """Table 0357, message error condition codes."""

    ACCEPTED = (b"0", b"Message accepted")
    SEGMENT_SEQUENCE = (b"100", b"Segment sequence error")
    REQUIRED_FIELD = (b"101", b"Required field missing")
    DATA_TYPE = (b"102", b"Data type error")
    TABLE_VALUE = (b"103", b"Table value not found")
    MESSAGE_TYPE = (b"200", b"Unsupported message type")
    EVENT_CODE = (b"201", b"Unsupported event code")
    PROCESSING_ID = (b"202", b"Unsupported processing id")
    VERSION_ID = (b"203", b"Unsupported version id")
    UNKNOWN_KEY = (b"204", b"Unknown key identifier")
    DUPLICATE_KEY = (b"205", b"Duplicate key identifier")
    RECORD_LOCKED = (b"206", b"Application record locked")
    INTERNAL = (b"207", b"Application internal error")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """ERL: segment, its sequence, field, repetition, component, subcomponent; from 1, 0 unknown."""

    segment: str
    sequence: int = 1
    field: int = 0
    repetition: int = 0
    component: int = 0
    subcomponent: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What one ERR segment says."""

    severity: bytes
    """Table 0516: E error, W warning, I information."""
    condition: Condition
    place: Place | None
    code: str
    """Ours, for a program: the stable code of the error or finding."""
    diagnostic: str
    message: str


FIELD_CONDITIONS = {
    "MSH-9": Condition.MESSAGE_TYPE,
    "MSH-9.1": Condition.MESSAGE_TYPE,
    "MSH-9.2": Condition.EVENT_CODE,
    "MSH-11": Condition.PROCESSING_ID,
    "MSH-11.1": Condition.PROCESSING_ID,
    "MSH-12": Condition.VERSION_ID,
    "MSH-12.1": Condition.VERSION_ID,
}
"""A field of MSH that was read and is not served here says which of 200 to 203 it is."""
WORD_CONDITIONS = (
    ({"header"}, Condition.SEGMENT_SEQUENCE),  # no MSH: a segment is missing, not a field
    ({"missing", "required", "absent", "empty"}, Condition.REQUIRED_FIELD),
    ({"locked"}, Condition.RECORD_LOCKED),
    ({"duplicate", "reused"}, Condition.DUPLICATE_KEY),
    ({"version"}, Condition.VERSION_ID),
    ({"processing"}, Condition.PROCESSING_ID),
    ({"trigger", "event"}, Condition.EVENT_CODE),
    ({"table", "vocabulary"}, Condition.TABLE_VALUE),
    ({"segment", "segments", "structure", "order", "grammar", "group"}, Condition.SEGMENT_SEQUENCE),
)
"""Words of an error's code, in order of precedence: codes are kebab case and name what is wrong."""

PLACE = re.compile(
    r"(?<![A-Za-z0-9_])(?P<segment>[A-Z][A-Z0-9]{2})(?:\[(?P<sequence>\d{1,6})\])?"
    r"(?:-(?P<field>\d{1,3})(?:\[(?P<repetition>\d{1,6})\])?"
    r"(?:\.(?P<component>\d{1,3})(?:\.(?P<subcomponent>\d{1,3}))?)?)?(?![A-Za-z0-9_])"
)


def place(where: str) -> Place | None:
    """The HL7 place in an error's `where`, such as `OBX[3]-5[2].1`; None when it names none."""
    match = PLACE.search(where)
    if match is None:
        return None
    numbers = {
        name: int(found)
        for name, found in match.groupdict().items()
        if name != "segment" and found is not None
    }
    return Place(segment=match["segment"], **numbers)


def condition(error: BridgeError) -> Condition:
    """The row of table 0357 that says best what is wrong."""
    if error.fault is not Fault.SENDER:
        return Condition.INTERNAL
    words = set(error.code.split("-"))
    for named, found in WORD_CONDITIONS:
        if words & named:
            return found
    match = PLACE.search(error.where)
    if match is None or match["field"] is None:
        return Condition.SEGMENT_SEQUENCE
    if words & {"unsupported", "unknown", "type"}:
        return FIELD_CONDITIONS.get(match[0], Condition.DATA_TYPE)
    return Condition.DATA_TYPE


def error_problem(error: BridgeError, *, kept: str) -> Problem:
    """What one error says; `kept` is what became of the message."""
    return Problem(
        severity=b"E",
        condition=condition(error),
        place=place(error.where),
        code=error.code,
        diagnostic=f"{error} [{error.code}] {kept}",
        message=f"{error.what} - {error.do}",
    )


def acceptance(message: str) -> Problem:
    """What an acknowledgement that has no MSA-3 says of a message that was accepted."""
    return Problem(
        severity=b"I",
        condition=Condition.ACCEPTED,
        place=None,
        code="accepted",
        diagnostic="",
        message=message,
    )


def finding_problem(finding: Finding) -> Problem:
    """What one finding says: a warning about a message that was accepted."""
    return Problem(
        severity=b"W",
        condition=Condition.ACCEPTED,
        place=place(finding.where),
        code=finding.code,
        diagnostic=f"{finding.text} ({finding.where}) [{finding.code}]",
        message=finding.text,
    )


def err(problem: Problem, delimiters: Delimiters, *, before_2_5: bool) -> bytes:
    """The segment without its end. Before v2.5 it fills ERR-1 too, which later versions dropped."""
    code, name = problem.condition.value
    coded = delimiters.component.join((code, name, b"HL70357"))
    own = delimiters.component.join((escape(problem.code, delimiters, limit=50), b"", b"L"))
    return delimiters.field.join(
        (
            b"ERR",
            _location_and_code(problem, delimiters) if before_2_5 else b"",
            _erl(problem.place, delimiters),
            coded,
            problem.severity,
            own,
            b"",
            escape(problem.diagnostic, delimiters, limit=DIAGNOSTIC_LIMIT),
            escape(problem.message, delimiters, limit=USER_MESSAGE_LIMIT),
        )
    )


def escape(text: str, delimiters: Delimiters, *, limit: int) -> bytes:
    """ASCII words of at most `limit` characters with the delimiters escaped (ch. 2.7.1).

    Control characters become spaces. Without an escape character, delimiters become spaces too.
    """
    return escape_bytes(text[:limit].encode("ascii", "replace"), delimiters)


def escape_bytes(data: bytes, delimiters: Delimiters) -> bytes:
    """The same for bytes that are already in the message's charset."""
    pieces, special = _escapes(delimiters)
    if len(data.translate(None, special)) == len(data):
        return data
    return b"".join(pieces.get(byte, bytes((max(byte, 32),))) for byte in data)


@lru_cache(maxsize=64)  # a process meets a handful; bounded against a sender that varies them
def _escapes(delimiters: Delimiters) -> tuple[dict[int, bytes], bytes]:
    """What stands for each delimiter, and the bytes that may not stand as they are."""
    sign = delimiters.escape
    names = {
        sign: b"E",
        delimiters.field: b"F",
        delimiters.component: b"S",
        delimiters.repetition: b"R",
        delimiters.subcomponent: b"T",
    }
    names.pop(b"", None)
    pieces = {mark[0]: sign + name + sign if sign else b" " for mark, name in names.items()}
    return pieces, bytes({*range(32), *pieces})


def _erl(at: Place | None, delimiters: Delimiters) -> bytes:
    """ERR-2: segment^sequence^field^repetition^component^subcomponent, as far as it is known."""
    if at is None:
        return b""
    repetition = at.repetition or (1 if at.component else 0)
    numbers = (at.sequence, at.field, repetition, at.component, at.subcomponent)
    shown = [b"%d" % number if number else b"" for number in numbers]
    while not shown[-1]:
        shown.pop()
    return delimiters.component.join((at.segment.encode(), *shown))


def _location_and_code(problem: Problem, delimiters: Delimiters) -> bytes:
    """ERR-1 before v2.5: segment^sequence^field^code&text&system (v2.4 ch. 2.16.5.1)."""
    code, name = problem.condition.value
    coded = code
    if delimiters.subcomponent:
        coded = delimiters.subcomponent.join((code, name, b"HL70357"))
    at = problem.place
    if at is None:
        return delimiters.component.join((b"", b"", b"", coded))
    field = b"%d" % at.field if at.field else b""
    return delimiters.component.join((at.segment.encode(), b"%d" % at.sequence, field, coded))
