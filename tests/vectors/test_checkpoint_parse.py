"""Checkpoint bodies of transparency-dev/formats 0b850f1a (Apache-2.0) and strictness cases."""

import base64
import json
from pathlib import Path

from bridge.core.errors import BridgeError
from bridge.core.log.checkpoint import parse_checkpoint

LONG_ROOTS = {"valid", "valid different origin", "valid trailing data", "valid multiple trailing"}
"""Upstream takes any bytes for a root hash. RFC 6962 says 32, so we accept these bodies only with
such a root in the same place."""


def test_bodies_are_accepted_or_refused_as_published(shared: Path) -> None:
    """Where upstream is looser than C2SP or RFC 6962, the specification decides."""
    cases = json.loads((shared / "vectors/checkpoint-parse/cases.json").read_text())

    accepted = {case["name"] for case in cases if _round_trips(case["body"])}

    assert accepted == {
        case["name"]
        for case in cases
        if str(case["expect"]).startswith(("True", "accept")) and case["name"] not in LONG_ROOTS
    }
    assert accepted == {"AUTHORED size 0 ok", "AUTHORED size 2^64-1"}


def test_published_bodies_with_a_real_root_are_accepted(shared: Path) -> None:
    """Origin, size and extension lines of the good upstream bodies are read."""
    cases = json.loads((shared / "vectors/checkpoint-parse/cases.json").read_text())
    bodies = [case["body"].split("\n") for case in cases if case["name"] in LONG_ROOTS]
    root = base64.b64encode(bytes(32)).decode()

    assert len(bodies) == 4
    for lines in bodies:
        assert _round_trips("\n".join([*lines[:2], root, *lines[3:]]))


def _round_trips(body: str) -> bool:
    try:
        checkpoint = parse_checkpoint(body.encode())
    except BridgeError:
        return False
    return checkpoint.encode() == body.encode()
