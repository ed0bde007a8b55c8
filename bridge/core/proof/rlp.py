"""Recursive Length Prefix, strict: one spelling a value, nothing trailing, bounded.

Source: https://ethereum.org/en/developers/docs/data-structures-and-encoding/rlp/ and
https://ethereum.github.io/yellowpaper/ appendix B.
"""

from typing import NoReturn, TypeAlias

from bridge.core.errors import BridgeError, Fault

__all__ = ["Item", "decode", "encode", "number"]

Item: TypeAlias = "bytes | tuple[Item, ...]"

MAX_SIZE = 128 * 1024
"""A header is under 1 KiB and a trie node under 600 bytes; a receipt with one anchor under 1 KiB.
128 KiB leaves room for an anchor sent in a large batched transaction."""
MAX_DEPTH = 8
"""A receipt nests four deep; a trie node with nodes embedded in it three."""


def encode(item: Item) -> bytes:
    """The only RLP spelling of a byte string or of a tuple of items."""
    if isinstance(item, bytes):
        if len(item) == 1 and item[0] < 0x80:
            return item
        return _prefix(0x80, len(item)) + item
    payload = b"".join(encode(part) for part in item)
    return _prefix(0xC0, len(payload)) + payload


def _prefix(base: int, size: int) -> bytes:
    if size < 56:
        return bytes([base + size])
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([base + 55 + len(length)]) + length


def decode(data: bytes, *, where: str) -> Item:
    """The item that the bytes spell.

    Args:
        data: one whole item, at most 128 KiB.
        where: name of the thing for error texts, such as `block header`.

    Raises:
        BridgeError: `rlp-form` for another spelling than the canonical one, a cut or trailing
            bytes, too large or too deep an item.
    """
    if len(data) > MAX_SIZE:
        _refuse(f"{len(data)} bytes exceed the limit of {MAX_SIZE}", where, 0)
    item, end = _item(data, 0, len(data), MAX_DEPTH, where)
    if end != len(data):
        _refuse(f"{len(data) - end} bytes follow the item", where, end)
    return item


def number(item: Item, *, where: str, max_size: int = 8) -> int:
    """A scalar: big endian without leading zeros, at most `max_size` bytes; b"" is 0."""
    if not isinstance(item, bytes) or len(item) > max_size or item[:1] == b"\0":
        _refuse(f"a number of at most {max_size} bytes without leading zeros is expected", where, 0)
    return int.from_bytes(item)


def _item(data: bytes, at: int, limit: int, depth: int, where: str) -> tuple[Item, int]:
    """One item that starts at `at` and must end by `limit`, and where it ends."""
    if at >= limit:
        _refuse("an item is missing", where, at)
    first = data[at]
    if first < 0x80:
        return data[at : at + 1], at + 1
    start, size = _extent(data, at, limit, where)
    end = start + size
    if first < 0xC0:
        if size == 1 and data[start] < 0x80:
            _refuse("a single byte below 0x80 carries a length prefix", where, at)
        return data[start:end], end
    if depth == 0:
        _refuse(f"lists nest deeper than {MAX_DEPTH}", where, at)
    items: list[Item] = []
    while start < end:
        part, start = _item(data, start, end, depth - 1, where)
        items.append(part)
    return tuple(items), end


def _extent(data: bytes, at: int, limit: int, where: str) -> tuple[int, int]:
    """Where the payload of a prefixed item starts and how many bytes it has."""
    short = data[at] - (0xC0 if data[at] >= 0xC0 else 0x80)
    if short < 56:
        start, size = at + 1, short
    else:
        start = at + 1 + short - 55
        length = data[at + 1 : start]
        size = int.from_bytes(length)
        if start > limit or length[:1] == b"\0" or size < 56:
            _refuse("a length is cut or not written in its shortest form", where, at)
    if size > limit - start:
        _refuse(f"an item of {size} bytes does not fit", where, at)
    return start, size


def _refuse(what: str, where: str, at: int) -> NoReturn:
    raise BridgeError(
        "rlp-form",
        Fault.SENDER,
        what=what,
        where=f"{where}, byte {at}",
        do="take the chain evidence from an unaltered receipt",
    )
