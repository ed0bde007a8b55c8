"""Acknowledgements: the one place that knows AA, AE, AR, CA, CE and CR.

Source: HL7 v2.5.1 ch. 2.9 (original and enhanced mode), tables 0008 and 0155, ch. 2.15.8 (MSA).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from adapters.hl7v2.err import (
    Condition,
    acceptance,
    condition,
    err,
    error_problem,
    escape,
    escape_bytes,
    finding_problem,
)
from adapters.hl7v2.header import Delimiters, Header, read_header
from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Instant, sha256
from bridge.core.record.bundle import Finding, Severity
from bridge.ports.dialect import Accepted, Refused, Verdict

__all__ = [
    "Due",
    "Mode",
    "acknowledge",
    "answer",
    "answer_together",
    "asks_enhanced",
    "due",
    "only_answer",
    "wants_answer",
]

Mode = Literal["original", "enhanced"]
"""`original`: AA, AE, AR, also the application acknowledgement of enhanced mode; `enhanced`: the
accept acknowledgement CA, CE, CR."""

MIRROR_LIMIT = 256
"""Bytes of a field that are mirrored: MSH-10 has 199 in v2.8, an HD 227. A field of 1 MB is cut, so
that a refusal cannot be made to outweigh what it refuses."""
WARNING_LIMIT = 100
"""ERR segments of severity W in one acknowledgement: more than a person reads."""
FALLBACK_VERSION = b"2.5.1"
"""Said where MSH-12 says nothing that is a version: a receiver picks its grammar by it."""
NO_TEXT = (2, 7)
"""From here on MSA-3 is withdrawn, and strict receivers refuse an acknowledgement that fills it
(HL7 v2.7 ch. 2.14.8.3): ERR-8 names the record there, as information."""
VERSION = re.compile(rb"\d\.\d{1,2}(\.\d{1,2})?")
CONTROL = bytes(byte for byte in range(32) if byte != 0x1B)
"""Never mirrored: a VT, FS or CR would break the frame. ESC stays, ISO 2022 charsets need it."""
REJECTED = {
    Condition.MESSAGE_TYPE,
    Condition.EVENT_CODE,
    Condition.PROCESSING_ID,
    Condition.VERSION_ID,
}
"""Table 0357 calls 200 to 203 grounds for AR: nothing is wrong with the message, it is not served
here."""
POLICY_WORDS = {"policy", "forbidden", "consent", "denied"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """MSH of an answer but for its time and its control id."""

    version: tuple[int, ...]
    before: bytes
    between: bytes
    after: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Which acknowledgements a message of enhanced mode is owed."""

    accept: bool
    application: bool


def acknowledge(
    raw: bytes,
    verdict: Verdict,
    *,
    at: Instant,
    mode: Mode = "original",
    warnings: bool = False,
) -> bytes:
    """The acknowledgement of one message that is durable, as a record or in quarantine.

    Args:
        raw: the bytes as received; whatever they are, there is an answer.
        verdict: what became of them.
        at: MSH-7 of the answer.
        mode: which acknowledgement; the same verdict gives AA or CA.
        warnings: name the findings of an accepted message as ERR of severity W.
    """
    header = read_header(raw)
    match verdict:
        case Accepted(record=record, bundle=bundle):
            findings = bundle.findings if warnings else ()
            return answer(header, at=at, mode=mode, record=record, findings=findings)
        case Refused(record=record, reason=reason):
            return answer(header, at=at, mode=mode, record=record, reason=reason)


def answer(
    header: Header,
    *,
    at: Instant,
    mode: Mode = "original",
    record: str = "",
    reason: BridgeError | None = None,
    findings: Sequence[Finding] = (),
) -> bytes:
    """The acknowledgement from its parts; `record` empty says that nothing was kept."""
    frame = _frame_of(header)
    version = frame.version
    text = f"record {record}" if record else ""
    problems = [finding_problem(finding) for finding in _told(findings)] if findings else []
    if reason is not None:
        problems = [error_problem(reason, kept=f"kept as {text}" if text else "not kept")]
        text = reason.what
    elif text and version >= NO_TEXT:
        problems.insert(0, acceptance(text))
    segments = [
        b"".join((frame.before, _stamp(at), frame.between, _answer_id(header, record, at, mode),
                  frame.after)),
        _msa(header, _code(reason, mode), text if version < NO_TEXT else ""),
    ]  # fmt: skip
    segments += [err(p, header.delimiters, before_2_5=version < (2, 5)) for p in problems]
    message = b"\r".join((*segments, b""))
    if header.encoding:
        return header.mark + message.decode("utf-8", "replace").encode(header.encoding)
    return message


def answer_together(envelope: bytes, answers: Sequence[bytes], *, at: Instant) -> bytes:
    """The acknowledgements of the messages of a batch, as a batch (ch. 2.10.3.3).

    Args:
        envelope: the FHS or BHS that the messages stood behind; empty where there was none: then
            they follow each other.
        answers: one a message, in order.
        at: BHS-7 of the answer.
    """
    if not envelope:
        return b"".join(answers)
    header = read_header(b"MSH" + envelope[3:])  # BHS and FHS name the same as MSH up to field 7
    swapped = [_mirror(header, number) for number in (5, 6, 3, 4)]
    name, none = _answer_id(header, "", at, "original"), b""
    opening = [b"BHS", header.delimiters.declared, *swapped, _stamp(at), none, none, none, name]
    opening.append(_mirror(header, 11))
    closing = header.delimiters.field.join((b"BTS", str(len(answers)).encode()))
    return b"".join((header.delimiters.field.join(opening), b"\r", *answers, closing, b"\r"))


def only_answer(
    raw: bytes, stored: bytes, *, at: Instant, record: str = "", reason: BridgeError | None = None
) -> bytes:
    """The acknowledgement for a door that has room for one, such as HL7 over HTTP.

    The application acknowledgement, which is `stored`, unless MSH-15 and MSH-16 ask for the accept
    one alone.
    """
    header = read_header(raw)
    owed = due(header, refused=reason is not None)
    if not (owed.accept and not _asked(header.component(16, 1), refused=reason is not None)):
        return stored
    return answer(header, at=at, mode="enhanced", record=record, reason=reason)


def asks_enhanced(header: Header) -> bool:
    """MSH-15 or MSH-16 is valued (ch. 2.9.3)."""
    return bool(header.field(15) or header.field(16))


def wants_answer(header: Header) -> bool:
    """False for an acknowledgement: answering one starts an endless exchange (ch. 2.9)."""
    return header.component(9, 1) not in (b"ACK", b"MCF")


def due(header: Header, *, refused: bool) -> Due:
    """What MSH-15 and MSH-16 ask for, table 0155; an unknown value is taken as AL.

    An accept acknowledgement of CE or CR ends the exchange, so the application one that would
    repeat it is owed only where the accept one is not.
    """
    accept = _asked(header.component(15, 1), refused=refused)
    application = _asked(header.component(16, 1), refused=refused)
    return Due(accept=accept, application=application and not (accept and refused))


def _asked(value: bytes, *, refused: bool) -> bool:
    match value.upper():
        case b"" | b"NE" | b'""':
            return False
        case b"ER":
            return refused
        case b"SU":
            return not refused
        case _:
            return True


def _code(reason: BridgeError | None, mode: Mode) -> bytes:
    """MSA-1. CR is "try again"; CE and AE "this message is wrong"; AR "not taken here".

    In original mode an outage of ours is AE: it is retryable by its words and by 207, and AR
    would tell a sender that this node will never take such a message.
    """
    if reason is None:
        return b"CA" if mode == "enhanced" else b"AA"
    if mode == "enhanced":
        return b"CR" if reason.fault in (Fault.PEER, Fault.US) else b"CE"
    return b"AR" if _is_policy(reason) else b"AE"


def _is_policy(reason: BridgeError) -> bool:
    return (
        reason.fault is Fault.OPERATOR
        or condition(reason) in REJECTED
        or bool(POLICY_WORDS & set(reason.code.split("-")))
    )


def _frame_of(header: Header) -> _Frame:
    """By what MSH repeats of it, which is the same for all messages of a feed."""
    parts = header.parts
    repeated = (parts[2:6], parts[8:9], parts[10:12], parts[14:16], parts[17:18])
    return _frame(header.delimiters, header.well_delimited, repeated)


@lru_cache(maxsize=256)  # of 64 kB at worst, as much as is read of a header
def _frame(
    signs: Delimiters,
    well_delimited: bool,  # noqa: FBT001 - a key of the cache
    repeated: Sequence[tuple[bytes, ...]],
) -> _Frame:
    """MSH: the sender's own words with sender and receiver swapped."""
    names, kind, versions, asked, charset = repeated
    none = (b"", b"")
    parts = (*none, *names, *none, *kind, b"", *versions, *none, *asked, b"", *charset)
    header = Header(delimiters=signs, parts=parts, well_delimited=well_delimited)
    version = _version(header)
    no_further = b"NE" if asks_enhanced(header) else b""
    swapped = (_mirror(header, number) for number in (5, 6, 3, 4))
    last = [
        _mirror(header, 11) or b"P",
        _mirror(header, 12) if _has_version(header) else FALLBACK_VERSION,
        b"",
        b"",
        no_further,
        no_further,
        b"",
        _mirror(header, 18),
    ]
    while not last[-1]:
        last.pop()
    return _Frame(
        version=version,
        before=signs.field.join((b"MSH", signs.declared, *swapped, b"")),
        between=signs.field.join((b"", b"", _message_type(header, version), b"")),
        after=signs.field.join((b"", *last)),
    )


@lru_cache(maxsize=16)  # inputs that arrive together are answered at one instant
def _stamp(at: Instant) -> bytes:
    return at.strftime("%Y%m%d%H%M%S+0000").encode()


def _msa(header: Header, code: bytes, text: str) -> bytes:
    """MSA; MSA-3 (80 characters) is what many senders' screens show.

    An acceptance names the record there: what the sender can later hold us to.
    """
    fields = [b"MSA", code, _mirror(header, 10)]
    if text:
        fields.append(escape(text, header.delimiters, limit=80))
    return header.delimiters.field.join(fields)


def _message_type(header: Header, version: tuple[int, ...]) -> bytes:
    """MSH-9: `ACK` alone up to v2.3, the structure id from v2.3.1 on (ch. 2.15.9.9)."""
    trigger = header.component(9, 2)
    if version < (2, 3, 1) or not (trigger.isalnum() and len(trigger) <= 3):
        return b"ACK"
    return header.delimiters.component.join((b"ACK", trigger, b"ACK"))


def _version(header: Header) -> tuple[int, ...]:
    return _numbers(header.component(12, 1) if _has_version(header) else FALLBACK_VERSION)


@lru_cache(maxsize=64)  # a process meets a handful; bounded against a sender that varies them
def _numbers(version: bytes) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split(b"."))


def _has_version(header: Header) -> bool:
    return VERSION.fullmatch(header.component(12, 1)) is not None


def _mirror(header: Header, number: int) -> bytes:
    """The field as it came, or escaped where the answer must use other delimiters."""
    found = header.field(number)[:MIRROR_LIMIT].translate(None, CONTROL)
    return found if header.well_delimited else escape_bytes(found, header.delimiters)


def _answer_id(header: Header, record: str, at: Instant, mode: Mode) -> bytes:
    """MSH-10 of the answer: 20 characters (the least limit of any version), the same each time.

    An accept acknowledgement and the application one that follows it are two messages.
    """
    seed = record.encode() or header.field(10) + at.isoformat().encode()
    kind = b"fhir-anchor/ack/1\0" if mode == "original" else b"fhir-anchor/accept/1\0"
    return sha256(kind + seed)[:10].hex().upper().encode()


def _told(findings: Sequence[Finding]) -> list[Finding]:
    return [one for one in findings if one.severity is not Severity.INFORMATION][:WARNING_LIMIT]
