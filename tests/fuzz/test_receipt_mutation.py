"""Flip every byte of a good receipt: each mutant is caught, or its field is listed as harmless."""

import re
from typing import Any

import pytest

from bridge.core.errors import BridgeError
from bridge.core.proof.report import Level, Verdict
from bridge.core.proof.trust_file import parse_trust
from bridge.core.proof.verify import verify
from tests.fakes import sealed
from tests.fakes.endpoint import honest

WORLD = sealed.World()
TRUST = parse_trust(sealed.trust_text())
VERSION = "Observation/o3/1"
HARMLESS = re.compile(rb'"(?:tx":"0x[0-9a-f]{64}|finality":"[a-z0-9-]+)"|"size":[0-9]+')
"""`tx` helps people find the transaction; `finality` says by which rule the issuer waited. The
verifier finds the event by the receipt trie and waits by its own trust file. `resource.size` only
tells where the path turns: another size with the same turns proves the same claim, whose name and
bytes are what counts."""


@pytest.mark.parametrize("flip", [0x01, 0x20], ids=["lowest-bit", "letter-case"])
@pytest.mark.parametrize("kind", ["record", "resource", "calldata"])
def test_every_flipped_byte_is_caught(kind: str, flip: int) -> None:
    """No mutant keeps verdict, level and time, but where a field carries no proof."""
    receipt, document = _sample(kind)
    free = {place for found in HARMLESS.finditer(receipt) for place in range(*found.span())}
    reader = honest(WORLD)
    passed: set[int] = set()

    for place in range(len(receipt)):
        mutant = bytearray(receipt)
        mutant[place] ^= flip
        report = verify(bytes(mutant), document, trust=TRUST, chain=[reader])
        if (report.verdict, report.level) == (Verdict.UNCHANGED, Level.ANCHORED):
            passed.add(place)

    assert sorted(passed - free) == []


@pytest.mark.parametrize("kind", ["record", "resource"])
def test_every_cut_is_caught(kind: str) -> None:
    """A receipt that ends early is unreadable, wherever it ends."""
    receipt, document = _sample(kind)

    verdicts = {
        verify(receipt[:size], document, trust=TRUST).verdict for size in range(len(receipt))
    }

    assert verdicts == {Verdict.CANNOT_SAY}


def test_every_flipped_byte_of_the_trust_file_is_clean() -> None:
    """A damaged trust file is refused in one sentence or believes somebody else; never a crash."""
    text = sealed.trust_text()
    receipt, document = _sample("record")

    for place in range(len(text)):
        mutant = bytearray(text)
        mutant[place] ^= 0x01
        try:
            trust = parse_trust(bytes(mutant))
        except BridgeError:
            continue
        verify(receipt, document, trust=trust, chain=[])


def _sample(kind: str) -> tuple[bytes, bytes]:
    if kind == "resource":
        return sealed.dumped(WORLD.resource_receipt(VERSION)), WORLD.versions[VERSION]
    value: Any = WORLD.record_receipt()
    if kind == "calldata":
        root = sealed.tree_root(WORLD.leaves[: WORLD.anchored])
        value |= {"anchors": [sealed.posted(WORLD.anchored, root)]}
    return sealed.dumped(value), sealed.DOCUMENT
