"""Signed-note vectors: golang.org/x/mod sumdb/note fe2ec04f (BSD-3-Clause), C2SP signed-note.md
(CC BY 4.0) and C2SP issue 99; a cosignature of sigsum-go 192b5532 (BSD-2-Clause).
"""  # noqa: D205  the source does not fit one line

import base64
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from bridge.core.errors import BridgeError
from bridge.core.log.note import (
    KeyKind,
    Signature,
    VerifierKey,
    cosignature_time,
    open_note,
    parse_note,
)


def test_notes_open_as_published(shared: Path) -> None:
    """Accepted or refused, verified and unverified names: all as published."""
    cases = json.loads((shared / "vectors/signed-note/cases.json").read_text())

    found = {case["name"]: _opened(case) for case in cases}

    assert found == {
        case["name"]: (case["verified"], case["unverified"]) if case["accept"] else None
        for case in cases
    }
    assert len(cases) == 19


def _opened(case: dict[str, Any]) -> tuple[list[str], list[str]] | None:
    keys = [VerifierKey.parse(text) for text in case["vkeys"]]
    data = base64.b64decode(case["note_b64"])
    try:
        note = open_note(data, keys)
    except BridgeError:
        return None
    assert parse_note(data).encode() == data
    return [one.name for one in note.verified], [one.name for one in note.unverified]


def test_verifier_keys_read_and_write_as_published(shared: Path) -> None:
    """Good keys round-trip."""
    good = json.loads((shared / "vectors/signed-note/vkeys.json").read_text())["good"]

    assert [VerifierKey.parse(text).encode() for text in good] == good


def test_every_damaged_verifier_key_is_refused(shared: Path) -> None:
    """Every proper substring of a key and every byte raised by one, as golang/mod generates them.

    Its two keys with an adjusted hash are made here: a longer key, and a kind that nobody knows.
    """
    vectors = json.loads((shared / "vectors/signed-note/vkeys.json").read_text())
    good = vectors["good"][0]
    length = len(good)
    bad = {good[begin:end] for begin in range(length) for end in range(begin + 1, length + 1)}
    bad |= {good[:at] + chr(ord(good[at]) + 1) + good[at + 1 :] for at in range(length)}
    bad |= {_hashed("PeterNeumann", b"\x01" + bytes(33)), _hashed("PeterNeumann", b"\x02" * 33)}
    bad |= set(vectors["bad_sample"])

    accepted = [text for text in bad - {good} if _parses(text)]

    assert accepted == []
    assert len(bad) > 2_000


def _hashed(name: str, key: bytes) -> str:
    key_id = sha256(name.encode() + b"\n" + key).hexdigest()[:8]
    return f"{name}+{key_id}+{base64.b64encode(key).decode()}"


def _parses(text: str) -> bool:
    try:
        VerifierKey.parse(text)
    except BridgeError:
        return False
    return True


@pytest.fixture
def cosigned(shared: Path) -> tuple[VerifierKey, bytes, Signature]:
    """A witness key, the checkpoint text it saw, and its cosignature."""
    vectors = json.loads((shared / "vectors/tlog-proof/sigsum_proofs.json").read_text())["cosigned"]
    fields = dict(line.split("=", 1) for line in vectors["proof"].splitlines() if "=" in line)
    log = sha256(base64.b64decode(vectors["log_key_ssh"])[-32:]).hexdigest()
    root = base64.b64encode(bytes.fromhex(fields["root_hash"])).decode()
    _, time, signature = fields["cosignature"].split(" ")
    witness = VerifierKey(
        name="witness.example",
        kind=KeyKind.WITNESS,
        public=base64.b64decode(vectors["witness_key_ssh"])[-32:],
    )
    body = int(time).to_bytes(8) + bytes.fromhex(signature)
    text = f"sigsum.org/v1/tree/{log}\n{fields['size']}\n{root}\n".encode()
    return witness, text, Signature(name=witness.name, key_id=witness.key_id, body=body)


def test_real_cosignature_verifies(cosigned: tuple[VerifierKey, bytes, Signature]) -> None:
    """A witness's signature covers its time and the checkpoint (c2sp.org/tlog-cosignature)."""
    witness, text, signature = cosigned

    witness.verify(text, signature)

    assert cosignature_time(signature) == 1_683_202_758


def test_cosignature_at_another_time_is_refused(
    cosigned: tuple[VerifierKey, bytes, Signature],
) -> None:
    """Back-dating a cosignature breaks it."""
    witness, text, signature = cosigned
    earlier = (cosignature_time(signature) - 1).to_bytes(8) + signature.body[8:]

    with pytest.raises(BridgeError, match="does not fit the text"):
        witness.verify(text, Signature(name="w", key_id=witness.key_id, body=earlier))
