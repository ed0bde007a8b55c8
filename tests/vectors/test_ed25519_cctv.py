"""Ed25519 edge cases of C2SP/CCTV 1e3d2860 (BSD-3-Clause): which signatures we accept, for ever."""

import base64
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from bridge.core.errors import BridgeError
from bridge.core.log.note import Signature, VerifierKey

HARMLESS = {"low_order_component_A", "low_order_component_R"}


def test_acceptance_set_is_pinned(shared: Path) -> None:
    """Accepted is exactly what `verify_strict` of ed25519-dalek accepts: 43 of 914.

    That is RFC 8032 without the cofactor, and no key or R of low order. OpenSSL alone would take
    208; a key of low order signs any text, so it must not pass for a log's key.
    """
    vectors = json.loads((shared / "vectors/ed25519-cctv/ed25519/ed25519vectors.json").read_text())

    accepted = [vector["number"] for vector in vectors if _accepts(vector)]

    strict = [one["number"] for one in vectors if set(one["flags"] or ()) <= HARMLESS]
    assert accepted == strict
    assert (len(accepted), len(vectors)) == (43, 914)


def _accepts(vector: dict[str, Any]) -> bool:
    key = b"\x01" + bytes.fromhex(vector["key"])
    key_id = sha256(b"log\n" + key).digest()[:4]
    try:
        VerifierKey.parse(f"log+{key_id.hex()}+{base64.b64encode(key).decode()}").verify(
            vector["msg"].encode(),
            Signature(name="log", key_id=key_id, body=bytes.fromhex(vector["sig"])),
        )
    except BridgeError:
        return False
    return True
