"""Receipts verified a second of CPU, offline: `python tests/bench/proof.py`. A plain script."""

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bridge.core.ids import Digest
from bridge.core.proof import keccak
from bridge.core.proof.endpoints import HeadReader
from bridge.core.proof.receipt import encode_receipt, parse_receipt
from bridge.core.proof.trust_file import parse_trust
from bridge.core.proof.verify import verify
from tests.fakes import sealed
from tests.fakes.endpoint import honest

SECONDS = 2.0


BLOCKS = 100
"""More than a verifier remembers, so that each receipt costs what a first one costs."""


def main() -> None:
    """Print size and rate for each kind of receipt."""
    world = sealed.World()
    record = world.record_receipt()
    bare = record | {"anchors": [], "rebase": []}
    version = "Observation/o3/1"
    _report("record, signed", world, [bare], sealed.DOCUMENT)
    _report("record, anchored with others", world, [record], sealed.DOCUMENT)
    _report("record, anchored alone", world, _apart(world, record), sealed.DOCUMENT)
    resource = world.resource_receipt(version)
    _report("resource version, anchored", world, [resource], world.versions[version])
    keccak.keccak256_each = keccak.in_python
    name = "record, anchored alone, Keccak in Python"
    _report(name, world, _apart(world, record), sealed.DOCUMENT)


def _apart(world: sealed.World, record: dict[str, Any]) -> list[dict[str, Any]]:
    """The same record, each time anchored in another block."""
    root = sealed.tree_root(world.leaves[: world.anchored])
    blocks = [sealed.block(world.anchored, root, number=n) for n in range(1, BLOCKS + 1)]
    return [record | {"anchors": [block]} for block in blocks]


def _report(name: str, world: sealed.World, values: list[dict[str, Any]], document: bytes) -> None:
    """Verify for a while, one after another, and print what each took."""
    trust = parse_trust(sealed.trust_text())
    jobs = [
        (encode_receipt(parse_receipt(sealed.dumped(value))), _readers(world, value))
        for value in values
    ]
    begin, done = time.process_time(), 0
    while time.process_time() - begin < SECONDS:
        data, readers = jobs[done % len(jobs)]
        verify(data, document, trust=trust, chain=readers)
        done += 1
    each_ms = (time.process_time() - begin) / done * 1000
    size = len(jobs[0][0])
    sys.stdout.write(f"{name}: {size} bytes, {each_ms:.2f} ms, {1000 / each_ms:.0f}/s\n")


def _readers(world: sealed.World, value: dict[str, Any]) -> list[HeadReader]:
    """An honest endpoint of a chain that has this block."""
    blocks = [Digest(bytes.fromhex(one["block_hash"][2:])) for one in value["anchors"]]
    return [replace(honest(world), block=block) for block in blocks]


if __name__ == "__main__":
    main()
