"""A record made again from its source bytes, with the mapping that it names, and compared.

What it shows: the bundle that was sealed is what these rules make of these bytes. What it does not
show: that the rules were right, or who sent the bytes. Nothing is written.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import RecordId, sha256
from bridge.core.proof.report import Check, Verdict
from bridge.core.record.canon import parse
from bridge.flows.fsck.records import record_differences
from bridge.ports.mappings import Again, Historian, MappingArchive, Original
from bridge.ports.stored import Stored, StoredRecord

__all__ = ["Rederived", "conversion", "rederive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rederived:
    """What each step found, and the sum for people."""

    verdict: Verdict
    checks: tuple[Check, ...]


def rederive(
    record: RecordId,
    *,
    stored: Stored,
    archive: MappingArchive,
    historians: Mapping[str, Historian],
) -> Rederived:
    """Convert the stored source bytes again and compare with the sealed bundle, byte for byte.

    1. sealed: source, bundle and mapping digest are those whose claims lead to the record's leaf.
    2. log: the leaf is in the log, or waits for it.
    3. mapping: a document of that digest is kept, and is what the digest says.
    4. conversion: it makes the same bundle of the source bytes now.

    Args:
        record: its id.
        stored: where records are.
        archive: where mappings are.
        historians: by the name of the dialect.

    Raises:
        BridgeError: `not-found`.
    """
    with stored.unit():
        found = stored.record(record)
    if found is None:
        raise BridgeError(
            "not-found",
            Fault.SENDER,
            what="there is no such record",
            where="RECORD",
            do="take an id from an X-Record-Id header or from GET /records",
        )
    checks = (
        _sealed(found),
        _logged(found),
        *conversion(found, archive=archive, historians=historians),
    )
    return Rederived(verdict=_verdict(checks), checks=checks)


def conversion(
    record: StoredRecord, *, archive: MappingArchive, historians: Mapping[str, Historian]
) -> Iterator[Check]:
    """Steps 3 and 4 alone."""
    with archive.unit():
        document = archive.document(record.mapping)
    name = f"sha256:{record.mapping.hex()}"
    if document is None:
        yield _check(3, "mapping", None, f"no document of {name} is kept")
        return
    if sha256(document) != record.mapping:
        yield _check(3, "mapping", None, f"the document kept for {name} was changed")
        return
    yield _check(3, "mapping", True, f"{name} is kept, {len(document)} bytes")
    historian = historians.get(record.dialect)
    if historian is None:
        yield _check(4, "conversion", None, f"no dialect {record.dialect} is here")
        return
    original = Original(
        source=record.source,
        pinned=record.pinned,
        charset=record.charset,
        bundle=record.bundle,
        mapping=record.mapping,
    )
    yield _compared(record, historian.again(document, original))


def _sealed(record: StoredRecord) -> Check:
    wrong = [f"{one.where.partition(', ')[2]}: {one.what}" for one in record_differences(record)]
    told = "; ".join(wrong) or "source, bundle, mapping and header lead to the record's leaf"
    return _check(1, "sealed", not wrong, told)


def _logged(record: StoredRecord) -> Check:
    if record.index is None:
        return _check(2, "log", None, "the leaf is not in the log yet")
    return _check(2, "log", True, f"leaf {record.index}; its receipt proves it to a stranger")


def _compared(record: StoredRecord, made: Again | BridgeError) -> Check:
    if isinstance(made, BridgeError):
        return _check(4, "conversion", None, f"the mapping cannot be followed here: {made}")
    if made.bundle == record.bundle:
        return _check(4, "conversion", True, f"the same {len(made.bundle)} bytes")
    where = _first_difference(record.bundle, made.bundle)
    if made.doubt:
        return _check(4, "conversion", None, f"another bundle, from {where} on; {made.doubt}")
    return _check(4, "conversion", False, f"the same rules make another bundle, from {where} on")


def _first_difference(stored: bytes, made: bytes) -> str:
    """The path of the first element that differs; never a value."""
    try:
        first: Any = parse(stored)
        second: Any = parse(made)
    except BridgeError:
        return "its first byte"
    return _differing("Bundle", first, second)


def _differing(path: str, first: Any, second: Any) -> str:  # noqa: ANN401 - any JSON
    if isinstance(first, dict) and isinstance(second, dict):
        for key in sorted(first.keys() | second.keys()):
            if key not in first or key not in second or first[key] != second[key]:
                return _differing(f"{path}.{key}", first.get(key), second.get(key))
    if isinstance(first, list) and isinstance(second, list):
        for index, (one, other) in enumerate(zip(first, second, strict=False)):
            if one != other:
                return _differing(f"{path}[{index}]", one, other)
        return f"{path}[{min(len(first), len(second))}]"
    return path


def _verdict(checks: tuple[Check, ...]) -> Verdict:
    """Changed if anything says no; unchanged only if the conversion says yes."""
    if any(check.ok is False for check in checks):
        return Verdict.CHANGED
    done = any(check.name == "conversion" and check.ok for check in checks)
    return Verdict.UNCHANGED if done else Verdict.CANNOT_SAY


def _check(number: int, name: str, ok: bool | None, detail: str) -> Check:  # noqa: FBT001 - a value of the check
    return Check(id=number, name=name, ok=ok, detail=detail)
