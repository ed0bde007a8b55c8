"""Batches and files: FHS, BHS, BTS, FTS around messages, or messages one after the other.

HL7 v2.5.1 ch. 2.10.3. Splitting is by bytes, because each message names its own character set.
"""

from dataclasses import dataclass
from typing import Final

from bridge.core.record.bundle import Finding, Severity

__all__ = ["Batch", "split"]

_ENVELOPES: Final = frozenset({b"FHS", b"BHS", b"BTS", b"FTS"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The messages of a file, in order, as received."""

    messages: tuple[bytes, ...]
    findings: tuple[Finding, ...]
    """`batch-count` where BTS-1 or FTS-1 says another number than there is."""


def split(raw: bytes) -> Batch:
    """The messages in the bytes: one where there is no batch. Linear, and never raises."""
    messages: list[list[bytes]] = []
    findings: list[Finding] = []
    batches, in_batch = 0, 0
    for line in raw.replace(b"\r\n", b"\r").replace(b"\n", b"\r").split(b"\r"):
        text = line.lstrip(b"\xef\xbb\xbf\x0b\x1c \t")
        name = text[:3]
        if name == b"MSH":
            messages.append([text])
            in_batch += 1
        elif name not in _ENVELOPES:
            if messages:
                messages[-1].append(line)
        elif name == b"BTS":
            findings += _counted(text, in_batch, "BTS-1")
            batches, in_batch = batches + 1, 0
        elif name == b"FTS":
            findings += _counted(text, batches, "FTS-1")
    if not messages:
        return Batch(messages=(raw,) if raw.strip() else (), findings=tuple(findings))
    if len(messages) == 1 and not findings and raw.lstrip()[:3] == b"MSH":
        return Batch(messages=(raw,), findings=())
    found = tuple(b"\r".join(lines).rstrip(b"\r\x1c\x00 ") + b"\r" for lines in messages)
    return Batch(messages=found, findings=tuple(findings))


def _counted(line: bytes, found: int, where: str) -> list[Finding]:
    """The trailer's own count against what was there; empty says nothing."""
    parts = line.split(line[3:4]) if line[3:4] else []
    said = parts[1].strip() if len(parts) > 1 else b""
    if not said or (said.isdigit() and len(said) < 10 and int(said) == found):
        return []
    return [
        Finding(
            code="batch-count",
            severity=Severity.WARNING,
            where=where,
            text=f"the trailer's count differs from the {found} that were found: "
            "ask the sender whether the file is whole",
        )
    ]
