"""Receipts verified a second of CPU, offline: `python tests/bench/proof.py`. A plain script."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bridge.core.proof.receipt import encode_receipt, parse_receipt
from bridge.core.proof.trust import parse_trust
from bridge.core.proof.verify import verify
from tests.fakes import sealed
from tests.fakes.endpoint import honest

SECONDS = 2.0


def main() -> None:
    """Print size and rate for each kind of receipt."""
    world, trust = sealed.World(), parse_trust(sealed.trust_text())
    record = world.record_receipt()
    bare = record | {"anchors": [], "rebase": []}
    version = "Observation/o3/1"
    cases = {
        "record, signed": (bare, sealed.DOCUMENT),
        "record, anchored": (record, sealed.DOCUMENT),
        "resource version, anchored": (world.resource_receipt(version), world.versions[version]),
    }
    for name, (value, document) in cases.items():
        data = encode_receipt(parse_receipt(sealed.dumped(value)))
        readers = [honest(world)] if value["anchors"] else []
        begin, done = time.process_time(), 0
        while time.process_time() - begin < SECONDS:
            verify(data, document, trust=trust, chain=readers)
            done += 1
        each_ms = (time.process_time() - begin) / done * 1000
        sys.stdout.write(f"{name}: {len(data)} bytes, {each_ms:.2f} ms, {1000 / each_ms:.0f}/s\n")


if __name__ == "__main__":
    main()
