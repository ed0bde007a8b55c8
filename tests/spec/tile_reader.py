"""A reader of tlog-tiles, written from https://c2sp.org/tlog-tiles alone. Uses no code of ours.

What it is for: whoever reads our log with a program of their own finds in it what the text says.
"""

import base64
import hashlib
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

__all__ = ["encoded", "read_log"]

Fetch = Callable[[str], bytes]
"""The content under `<prefix>/<path>`; raises when there is none."""


def encoded(number: int) -> str:
    """Zero-padded threes of digits, all but the last behind an x: x001/x234/067 for 1234067."""
    digits = f"{number:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    parts = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    return "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])


def read_log(fetch: Fetch, key: str) -> tuple[int, list[bytes]]:
    """Size and entries of a log, after every one of its tiles was fetched and compared.

    Raises:
        AssertionError: where the log is not what its checkpoint says.
    """
    size, root = _checkpoint(fetch("checkpoint"), key)
    entries: list[bytes] = []
    for number, width in _tiles(size):
        entries += _bundle(fetch(_path("entries", number, width)), width)
    below = [_sha(b"\x00" + entry) for entry in entries]
    level = 0
    while below:
        for number, width in _tiles(len(below)):
            tile = fetch(_path(str(level), number, width))
            hashes = [tile[at : at + 32] for at in range(0, len(tile), 32)]
            assert hashes == below[256 * number : 256 * number + width], (level, number)
        whole = len(below) // 256
        below = [_tree(below[256 * n : 256 * (n + 1)]) for n in range(whole)]
        level += 1
    leaves = [_sha(b"\x00" + entry) for entry in entries]
    assert (_tree(leaves) if leaves else _sha(b"")) == root
    return size, entries


def _checkpoint(note: bytes, key: str) -> tuple[int, bytes]:
    """tlog-checkpoint in a signed note, by the key `name+hash+base64`."""
    text, _, signatures = note.partition(b"\n\n")
    name, key_hash, packed = key.split("+", 2)
    origin, size, root = text.decode().split("\n")[:3]
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(packed)[1:])
    lines = [line.split(" ") for line in signatures.decode().splitlines()]
    (ours,) = [base64.b64decode(blob) for _, who, blob in lines if who == name]
    assert (origin, ours[:4].hex()) == (name, key_hash)
    public.verify(ours[4:], text + b"\n")
    return int(size), base64.b64decode(root)


def _tiles(count: int) -> list[tuple[int, int]]:
    """Number and width of the tiles over so many hashes or entries; the last may be partial."""
    full = [(number, 256) for number in range(count // 256)]
    return full + ([(count // 256, count % 256)] if count % 256 else [])


def _path(kind: str, number: int, width: int) -> str:
    partial = "" if width == 256 else f".p/{width}"
    return f"tile/{kind}/{encoded(number)}{partial}"


def _bundle(data: bytes, width: int) -> list[bytes]:
    """Entries behind their length, a big-endian uint16."""
    entries, at = [], 0
    while at < len(data):
        size = data[at] << 8 | data[at + 1]
        entries.append(data[at + 2 : at + 2 + size])
        at += 2 + size
    assert (at, len(entries)) == (len(data), width)
    return entries


def _tree(hashes: list[bytes]) -> bytes:
    """RFC 6962 s2.1 over leaf hashes, by its recursion."""
    if len(hashes) == 1:
        return hashes[0]
    half = 1
    while half * 2 < len(hashes):
        half *= 2
    return _sha(b"\x01" + _tree(hashes[:half]) + _tree(hashes[half:]))


def _sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
