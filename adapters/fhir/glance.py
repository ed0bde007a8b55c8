"""A glance at FHIR JSON before it is parsed: its head, and how many entries it has.

msgspec steps over what it is not asked for: 64 MiB take a tenth of a second, where `canon.parse`,
which makes a value of every number, takes ten and more.
"""

from typing import Any, Final

import msgspec
from msgspec import Raw

from bridge.core.errors import BridgeError, Fault
from bridge.core.record.bundle import JsonObject

__all__ = ["MAX_ENTRIES", "check_entries", "head_of"]

MAX_ENTRIES: Final = 50_000
"""Largest published Synthea patient has about 30,000 entries; more is a file for bulk import."""
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _Top(msgspec.Struct):
    resourceType: Raw = Raw(b"null")  # noqa: N815 - FHIR's own spelling
    type: Raw = Raw(b"null")
    identifier: Raw = Raw(b"null")
    entry: Raw = Raw(b"null")


class _Entry(msgspec.Struct):
    resource: Raw = Raw(b"null")


class _Header(msgspec.Struct):
    resourceType: Any = None  # noqa: N815
    id: Any = None


def check_entries(raw: bytes) -> None:
    """Refuse a Bundle of too many entries before any of them is read.

    Raises:
        BridgeError: `bundle-size`. What is no JSON, or no Bundle, is left to the parser.
    """
    if len(_entries(_read(raw, _Top))) > MAX_ENTRIES:
        raise BridgeError(
            "bundle-size",
            Fault.SENDER,
            what=f"the Bundle has over {MAX_ENTRIES:,} entries",
            where="Bundle.entry",
            do="send it in parts",
        )


def head_of(raw: bytes) -> JsonObject:
    """Type, identifier, and of the first entry the type and id; empty where it is no JSON."""
    top = _read(raw, _Top)
    if top is None:
        return {}
    head: JsonObject = {
        name: value
        for name in ("resourceType", "type", "identifier")
        if (value := _read(bytes(getattr(top, name)), dict[str, Any] | str | None)) is not None
    }
    entries = _entries(top)
    first = _read(bytes(entries[0]), _Entry) if entries else None
    header = _read(bytes(first.resource), _Header) if first is not None else None
    if header is not None:
        head["entry"] = [{"resource": {"resourceType": header.resourceType, "id": header.id}}]
    return head


def _entries(top: _Top | None) -> list[Raw]:
    found: list[Raw] | None = None if top is None else _read(bytes(top.entry), list[Raw])
    return found or []


def _read(raw: bytes, kind: Any) -> Any:  # noqa: ANN401 - what is asked for, or None
    try:
        return msgspec.json.decode(raw, type=kind)
    except _UNREADABLE:
        return None
