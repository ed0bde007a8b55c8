"""OpenTimestamps proofs: a digest, operations from it, and attestations of what they come to.

Own reader, because a receipt verifies with the standard library alone. Strict: one spelling a
number, nothing trailing, every size and the work bounded. Attestations that are not known are kept.
Source: https://github.com/opentimestamps/python-opentimestamps (format version 1).
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NoReturn, assert_never

from bridge.core.errors import BridgeError, Fault
from bridge.core.proof.keccak import keccak256

__all__ = [
    "MAX_SIZE",
    "Attestation",
    "BitcoinAttestation",
    "PendingAttestation",
    "Step",
    "Timestamp",
    "UnknownAttestation",
    "attestations",
    "encode_ots",
    "grafted",
    "merged",
    "parse_ots",
    "parse_timestamp",
]

MAX_SIZE: Final = 64 * 1024
"""The largest published example has 3.8 KB; two calendars and their upgrades stay under 4 KB."""
MAX_MESSAGE: Final = 4096
"""Of the reference library: an operation's argument, input and result."""
MAX_PAYLOAD: Final = 8192
MAX_URI: Final = 1000
"""Both of the reference library."""
MAX_DEPTH: Final = 256
"""Of the reference library: a calendar's path has under 60 operations, a Bitcoin block's 26."""
MAX_WORK: Final = 256 * 1024
"""Bytes that all operations of one file may read: a real one reads 10 KB, and Keccak in Python
takes a second for this many."""
MAX_HEIGHT: Final = (1 << 32) - 1

_MAGIC: Final = b"\x00OpenTimestamps\x00\x00Proof\x00\xbf\x89\xe2\xe8\x84\xe8\x92\x94"
_VERSION: Final = 1
_APPEND, _PREPEND = 0xF0, 0xF1
_SHA256: Final = 0x08
_FORK: Final = 0xFF
_ATTESTATION: Final = 0x00
_BITCOIN: Final = bytes.fromhex("0588960d73d71901")
_PENDING: Final = bytes.fromhex("83dfe30d2ef90c8e")
_URI: Final = re.compile(rb"[A-Za-z0-9.\-_/:]*")


def _ripemd160(message: bytes) -> bytes:
    """Builds of OpenSSL may leave it out; no calendar of today uses it."""
    try:
        return hashlib.new("ripemd160", message, usedforsecurity=False).digest()
    except ValueError as error:
        raise _refusal("RIPEMD-160 is not part of this Python", "operation 0x03") from error


_UNARY: Final[Mapping[int, Callable[[bytes], bytes]]] = {
    0x02: lambda message: hashlib.sha1(message, usedforsecurity=False).digest(),
    0x03: _ripemd160,
    _SHA256: lambda message: hashlib.sha256(message).digest(),
    0x67: keccak256,
    0xF2: lambda message: message[::-1],
    0xF3: lambda message: message.hex().encode("ascii"),
}
_DIGEST_SIZES: Final = {0x02: 20, 0x03: 20, _SHA256: 32, 0x67: 32}


@dataclass(frozen=True, slots=True, kw_only=True)
class BitcoinAttestation:
    """The message is the Merkle root in the header of the Bitcoin block at this height."""

    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingAttestation:
    """A calendar promised to have the message attested: a place to ask, no proof of anything."""

    uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownAttestation:
    """Kept as it is, counted for nothing; attestations by other chains are among them."""

    tag: bytes
    payload: bytes


Attestation = BitcoinAttestation | PendingAttestation | UnknownAttestation


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One operation, and what is known of its result."""

    tag: int
    argument: bytes
    """Of append and prepend; empty for the others."""
    then: "Timestamp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timestamp:
    """A message with what attests it, directly or behind operations. Never empty."""

    message: bytes
    attestations: tuple[Attestation, ...] = ()
    steps: tuple[Step, ...] = ()


def parse_ots(data: bytes) -> Timestamp:
    """Read a detached timestamp file (.ots) of a SHA-256 digest.

    Returns:
        The timestamp whose message is the digest of the file that was stamped.

    Raises:
        BridgeError: `ots-form` with fault SENDER and the byte offset.
    """
    timestamp, tag = _parse_file(data)
    if tag != _SHA256:
        raise _refusal("the file was stamped by another digest than SHA-256", f"byte {len(_MAGIC)}")
    return timestamp


def _parse_file(data: bytes) -> tuple[Timestamp, int]:
    source = _Source(data)
    if source.take(len(_MAGIC)) != _MAGIC:
        source.refuse("the file does not begin as an OpenTimestamps proof")
    if source.number() != _VERSION:
        source.refuse("only version 1 of the format can be read")
    tag = source.byte()
    if tag not in _DIGEST_SIZES:
        source.refuse(f"0x{tag:02x} is not a digest of a file")
    timestamp = _timestamp(source, source.take(_DIGEST_SIZES[tag]), MAX_DEPTH)
    source.end()
    return timestamp, tag


def parse_timestamp(data: bytes, message: bytes) -> Timestamp:
    """Read a timestamp without file header, as calendars answer, of a message that is known.

    Raises:
        BridgeError: `ots-form`.
    """
    source = _Source(data)
    timestamp = _timestamp(source, message, MAX_DEPTH)
    source.end()
    return timestamp


def encode_ots(timestamp: Timestamp) -> bytes:
    """The detached timestamp file; the inverse of `parse_ots`."""
    if len(timestamp.message) != 32:
        raise _refusal("a file's digest has 32 bytes", "timestamp")
    head = _MAGIC + _number(_VERSION) + bytes([_SHA256])
    return head + timestamp.message + b"".join(_encoded(timestamp))


def attestations(timestamp: Timestamp) -> Iterator[tuple[bytes, Attestation]]:
    """Every attestation with the message that it is of, in the order of the file."""
    for attestation in timestamp.attestations:
        yield timestamp.message, attestation
    for step in timestamp.steps:
        yield from attestations(step.then)


def merged(first: Timestamp, second: Timestamp) -> Timestamp:
    """All that either knows, the first's order kept; both are of one message.

    Raises:
        BridgeError: `ots-form` when they are of two messages.
    """
    if first.message != second.message:
        raise _refusal("two timestamps of different messages cannot be merged", "timestamp")
    later = {(step.tag, step.argument): step for step in second.steps}
    steps = []
    for step in first.steps:
        same = later.pop((step.tag, step.argument), None)
        then = step.then if same is None else merged(step.then, same.then)
        steps.append(Step(tag=step.tag, argument=step.argument, then=then))
    return Timestamp(
        message=first.message,
        attestations=tuple(dict.fromkeys((*first.attestations, *second.attestations))),
        steps=(*steps, *later.values()),
    )


def grafted(timestamp: Timestamp, found: Mapping[bytes, Timestamp]) -> Timestamp:
    """The timestamp with what was found out since about some of its messages."""
    steps = tuple(
        Step(tag=step.tag, argument=step.argument, then=grafted(step.then, found))
        for step in timestamp.steps
    )
    grown = Timestamp(message=timestamp.message, attestations=timestamp.attestations, steps=steps)
    later = found.get(timestamp.message)
    return grown if later is None else merged(grown, later)


class _Source:
    """The bytes that are still to be read; each reader refuses what is not there."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at, self._work = data, 0, 0
        if len(data) > MAX_SIZE:
            self.refuse(f"{len(data)} bytes exceed the limit of {MAX_SIZE}")

    def take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        if len(taken) != size:
            self.refuse("the proof is cut")
        self._at += size
        return taken

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        """LEB128, at most five bytes, the shortest spelling alone."""
        value = shift = 0
        while (byte := self.byte()) >= 0x80:
            value |= (byte & 0x7F) << shift
            shift += 7
            if shift > 28:
                self.refuse("a number is too large")
        if byte == 0 and shift:
            self.refuse("a number is not written in its shortest form")
        return value | byte << shift

    def sized(self, *, least: int, at_most: int) -> bytes:
        size = self.number()
        if not least <= size <= at_most:
            self.refuse(f"{size} bytes where {least} to {at_most} are allowed")
        return self.take(size)

    def spend(self, message: bytes) -> None:
        self._work += len(message)
        if self._work > MAX_WORK:
            self.refuse(f"its operations read more than {MAX_WORK} bytes")

    def end(self) -> None:
        if self._at != len(self._data):
            self.refuse("bytes follow the proof")

    def refuse(self, what: str) -> NoReturn:
        raise _refusal(what, f"byte {self._at}")


def _timestamp(source: _Source, message: bytes, depth: int) -> Timestamp:
    if depth == 0:
        source.refuse(f"more than {MAX_DEPTH} operations in a row")
    found: list[Attestation] = []
    steps: dict[tuple[int, bytes], Step] = {}
    more = True
    while more:
        tag = source.byte()
        more = tag == _FORK
        if more:
            tag = source.byte()
        if tag == _ATTESTATION:
            found.append(_attestation(source))
            continue
        step = _step(source, tag, message, depth)
        if (step.tag, step.argument) in steps:
            source.refuse("one operation stands twice beside itself")
        steps[step.tag, step.argument] = step
    return Timestamp(
        message=message, attestations=tuple(dict.fromkeys(found)), steps=tuple(steps.values())
    )


def _step(source: _Source, tag: int, message: bytes, depth: int) -> Step:
    source.spend(message)
    argument = b""
    if tag in (_APPEND, _PREPEND):
        argument = source.sized(least=1, at_most=MAX_MESSAGE)
        result = message + argument if tag == _APPEND else argument + message
    elif tag in _UNARY:
        result = _UNARY[tag](message)
    else:
        source.refuse(f"0x{tag:02x} is not an operation")
    if len(result) > MAX_MESSAGE:
        source.refuse(f"the result of an operation exceeds {MAX_MESSAGE} bytes")
    return Step(tag=tag, argument=argument, then=_timestamp(source, result, depth - 1))


def _attestation(source: _Source) -> Attestation:
    tag = source.take(8)
    payload = source.sized(least=0, at_most=MAX_PAYLOAD)
    if tag not in (_BITCOIN, _PENDING):
        return UnknownAttestation(tag=tag, payload=payload)
    inner = _Source(payload)
    if tag == _BITCOIN:
        height = inner.number()
        if height > MAX_HEIGHT:
            source.refuse("there is no block at such a height")
        inner.end()
        return BitcoinAttestation(height=height)
    uri = inner.sized(least=0, at_most=MAX_URI)
    inner.end()
    if not _URI.fullmatch(uri):
        source.refuse("the address of a calendar has characters that no such address has")
    return PendingAttestation(uri=uri.decode("ascii"))


def _encoded(timestamp: Timestamp) -> Iterator[bytes]:
    """Attestations, then operations; all but the last behind the mark of a fork."""
    parts = [_encoded_attestation(one) for one in timestamp.attestations]
    parts += [
        bytes([step.tag]) + (_sized(step.argument) if step.argument else b"")
        for step in timestamp.steps
    ]
    if not parts:
        raise _refusal("a timestamp that says nothing has no bytes", "timestamp")
    below = [None] * len(timestamp.attestations) + [step.then for step in timestamp.steps]
    for place, (part, then) in enumerate(zip(parts, below, strict=True)):
        yield part if place == len(parts) - 1 else bytes([_FORK]) + part
        if then is not None:
            yield from _encoded(then)


def _encoded_attestation(attestation: Attestation) -> bytes:
    match attestation:
        case BitcoinAttestation(height=height):
            tag, payload = _BITCOIN, _number(height)
        case PendingAttestation(uri=uri):
            tag, payload = _PENDING, _sized(uri.encode("ascii"))
        case UnknownAttestation():
            tag, payload = attestation.tag, attestation.payload
        case _:
            assert_never(attestation)
    return bytes([_ATTESTATION]) + tag + _sized(payload)


def _number(value: int) -> bytes:
    parts = bytearray()
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def _sized(data: bytes) -> bytes:
    return _number(len(data)) + data


def _refusal(what: str, where: str) -> BridgeError:
    return BridgeError(
        "ots-form",
        Fault.SENDER,
        what=what,
        where=f"OpenTimestamps proof, {where}",
        do="fetch the proof again from whoever issued it",
    )
