"""What a record did, byte for byte, and its root by a second, naive tree."""

import hashlib
from collections.abc import Sequence

import pytest

from bridge.core.ids import RecordId, parse_instant, sha256
from bridge.core.record.bundle import Apply
from bridge.core.record.canon import parse
from bridge.core.record.claims import claim
from bridge.core.record.merge import ResourceRef
from bridge.core.record.revision import (
    RULES,
    State,
    Version,
    resources_root,
    revise,
    revision_header,
    rules_of,
)
from tests.fakes.bundles import bundle, patient

AT = parse_instant("2026-11-22T14:00:00.000000Z")
A = ResourceRef("Patient", "a")


def made(*resources: dict[str, object], **states: State) -> tuple[Version, ...]:
    """The versions of a message, met by the states of patients given by id."""
    current = {ResourceRef("Patient", name): state for name, state in states.items()}
    value = parse(bundle(*resources).encode())
    assert isinstance(value, dict)
    return revise(value, Apply.MERGE, current, at=AT)


def test_bytes_of_a_version_are_the_same_for_ever() -> None:
    """Version and time stand in the canonical body; the sender's own stamps are replaced."""
    sent = patient("a", meta={"versionId": "77", "lastUpdated": "1999-01-01T00:00:00Z"})

    (version,) = made(sent)

    assert version.data == (
        b'{"id":"a","meta":{"lastUpdated":"2026-11-22T14:00:00.000000Z","versionId":"1"},'
        b'"resourceType":"Patient"}'
    )


def test_numbers_count_on_from_the_state() -> None:
    """A deleted resource that comes again goes on with the next number."""
    gone = State(version=4, body=None)

    (version,) = made(patient("a"), a=gone)

    assert (version.number, version.name) == (5, "Patient/a/5")


def test_versions_stand_in_order_of_name() -> None:
    """Bytewise, whatever the order in the bundle."""
    versions = made(patient("b"), patient("a"), patient("B"))

    assert [one.name for one in versions] == ["Patient/B/1", "Patient/a/1", "Patient/b/1"]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 8])
def test_root_is_that_of_a_naive_tree(count: int) -> None:
    """RFC 6962 s2.1 over the salted claims."""
    versions = made(*(patient(f"p{n}") for n in range(count))) if count else ()
    salts = [bytes([n]) * 32 for n in range(count)]

    root = resources_root(versions, salts)

    leaves = [
        claim(one.name, salt, sha256(one.data)) for one, salt in zip(versions, salts, strict=True)
    ]
    assert root == _naive(leaves)


def _naive(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962 s2.1, as the page says it."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return hashlib.sha256(b"\1" + _naive(leaves[:split]) + _naive(leaves[split:])).digest()


def test_header_is_canonical() -> None:
    """Record, time, number of versions, and the rules that made them."""
    header = revision_header(record=RecordId("0190-a"), at=AT, versions=3)

    assert header == (
        b'{"at":"2026-11-22T14:00:00.000000Z","record":"0190-a",'
        b'"rules":"fhir-anchor/projection/1","versions":3}'
    )
    assert rules_of(header) == RULES


@pytest.mark.parametrize("header", [b"x", b"[1]", b'{"rules":7}', b'{"at":"now"}'])
def test_header_without_rules_names_none(header: bytes) -> None:
    """Whatever stands there."""
    assert rules_of(header) == ""
