"""One dialect for all tests of the converter, and short ways to ask a bundle."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from adapters.hl7v2.dialect import Hl7v2

HEADER = (
    "MSH|^~\\&|LABX|STMARY|EPIC|HUB|20240102080000+0100||{type}|C1|P|2.5.1||||||UNICODE UTF-8\r"
)
PATIENT = "PID|1||MRN1^^^STMARY^MR||Everyman^Adam||19620114|M\r"

Resources = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="session")
def dialect() -> Hl7v2:
    """The base rules, compiled once."""
    return Hl7v2()


@pytest.fixture
def message() -> Callable[..., bytes]:
    """A message of that type with these segments behind MSH and, unless told, a PID."""

    def build(kind: str, *segments: str, patient: str = PATIENT) -> bytes:
        body = "".join(f"{segment}\r" for segment in segments)
        return (HEADER.format(type=kind) + patient + body).encode()

    return build


@pytest.fixture
def convert(dialect: Hl7v2) -> Callable[[bytes], Resources]:
    """Resources of the bundle by type, in order."""

    def run(raw: bytes) -> Resources:
        bundle = json.loads(dialect.convert(raw, sender="").canonical)
        found: Resources = {}
        for entry in bundle["entry"]:
            found.setdefault(entry["resource"]["resourceType"], []).append(entry["resource"])
        return found

    return run


@pytest.fixture
def codes(dialect: Hl7v2) -> Callable[[bytes], list[tuple[str, str]]]:
    """Findings as (code, where)."""

    def run(raw: bytes) -> list[tuple[str, str]]:
        return [(note.code, note.where) for note in dialect.convert(raw, sender="").findings]

    return run
