"""A second verifier, written from docs/spec alone, short and slow. Uses no code of the product.

Judges by verdict, level and numbers of failing checks; asks the one endpoint of the vectors.
"""

import base64
import hashlib
import json
import re
from datetime import UTC, datetime
from typing import Any

import rlp
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from eth_hash.auto import keccak

__all__ = ["canonical", "claim", "leaf", "tree_root", "verify"]

NAMES = {1: ["bundle", "header", "map", "source"], 6: ["header", "resources"]}
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


class Digits(str):
    """A number as it was written."""

    __slots__ = ()


def canonical(data: bytes) -> bytes:
    """canonical.md, or ValueError."""

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(found)
        if len(made) != len(found) or not made or "" in made:
            raise ValueError("members")
        return made

    def digits(text: str) -> Digits:
        if not NUMBER.fullmatch(text) or len(text) > 64:
            raise ValueError("number")
        return Digits(text)

    if data.startswith(b"\xef\xbb\xbf"):
        raise ValueError("byte order mark")
    value = json.loads(
        data.decode(),
        object_pairs_hook=pairs,
        parse_int=digits,
        parse_float=digits,
        parse_constant=digits,
    )
    return _written(value, 64).encode()


def _written(value: Any, depth: int) -> str:
    if isinstance(value, Digits):
        return str(value)
    if value in ("", [], {}) and not isinstance(value, bool):
        raise ValueError("empty")
    if isinstance(value, dict | list) and not depth:
        raise ValueError("depth")
    if isinstance(value, list):
        return "[" + ",".join(_written(one, depth - 1) for one in value) + "]"
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        members = (f"{_written(name, 0)}:{_written(value[name], depth - 1)}" for name in names)
        return "{" + ",".join(members) + "}"
    return json.dumps(value, ensure_ascii=False)


def sha(data: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(data).digest()


def claim(name: str, salt: bytes, value: bytes) -> bytes:
    """leaf.md, form of a claim."""
    return sha(b"\x02" + bytes([len(name)]) + name.encode() + salt + value)


def leaf(kind: int, claims: dict[str, bytes]) -> bytes:
    """leaf.md, form of a leaf."""
    ordered = b"".join(claims[name] for name in sorted(claims))
    commit = sha(b"fhir-anchor/commit/1\0" + bytes([len(claims)]) + ordered)
    return b"fhir-anchor/leaf/1\0" + bytes([kind]) + commit


def tree_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 s2.1."""
    if len(leaves) < 2:
        return sha(b"\0" + leaves[0]) if leaves else sha(b"")
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return sha(b"\1" + tree_root(leaves[:half]) + tree_root(leaves[half:]))


def _climb(digest: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """The root that a path leads to; None when it has not the exact length."""
    if size == 1:
        return digest if not path and index == 0 else None
    if not path or not 0 <= index < size:
        return None
    half = 1
    while half * 2 < size:
        half *= 2
    if index < half:
        below = _climb(digest, index, half, path[:-1])
        return below and sha(b"\1" + below + path[-1])
    below = _climb(digest, index - half, size - half, path[:-1])
    return below and sha(b"\1" + path[-1] + below)


def _consistent(
    first: int, second: int, path: list[bytes], old: bytes, *, whole: bool = True
) -> tuple[bytes, bytes] | None:
    """Both roots that a consistency path leads to, RFC 6962 s2.1.2 read backwards."""
    if first == second:
        if whole:
            return None if path else (old, old)
        return (path[0], path[0]) if len(path) == 1 else None
    if not path:
        return None
    half = 1
    while half * 2 < second:
        half *= 2
    if first <= half:
        below = _consistent(first, half, path[:-1], old, whole=whole)
        return below and (below[0], sha(b"\1" + below[1] + path[-1]))
    below = _consistent(first - half, second - half, path[:-1], old, whole=False)
    return below and (sha(b"\1" + path[-1] + below[0]), sha(b"\1" + path[-1] + below[1]))


def _head(note: str, rows: list[Any]) -> tuple[str, int, bytes, bool]:
    """Origin, size, root of a signed checkpoint and whether a key of the log signed it."""
    text, _, signatures = note.partition("\n\n")
    text += "\n"
    origin, size, root = text.split("\n")[:3]
    signed = False
    for row in rows:
        name, key_id, packed = row["key"].split("+", 2)
        if name != origin or int(size) > row.get("until", int(size)):
            continue
        for line in signatures.splitlines():
            _, who, blob = line.split(" ")
            raw = base64.b64decode(blob)
            if who == name and raw[:4].hex() == key_id:
                public = Ed25519PublicKey.from_public_bytes(base64.b64decode(packed)[1:])
                try:
                    public.verify(raw[4:], text.encode())
                except InvalidSignature:
                    return origin, int(size), base64.b64decode(root), False
                signed = True
    return origin, int(size), base64.b64decode(root), signed


def verify(  # noqa: C901, PLR0912  one page, to be read beside the specification
    receipt: Any, document: bytes, trust: Any, endpoint: Any
) -> tuple[str, int, list[int]]:
    """verify.md: verdict, level, failing checks. For well-formed receipts."""
    failing: list[int] = []
    claims = {one["name"]: bytes.fromhex(one["claim"]) for one in receipt["record"]["hidden"]}
    values = {}
    for one in receipt["record"]["disclosed"]:
        values[one["name"]] = bytes.fromhex(one["value"])
        salt = bytes.fromhex(one["salt"])
        claims[one["name"]] = claim(one["name"], salt, values[one["name"]])
    kind, index = receipt["leaf"]["kind"], receipt["leaf"]["index"]
    assert sorted(claims) == NAMES[kind]
    if kind == 6 and "resource" not in receipt:
        del values["resources"]
    if values and not _document_sealed(receipt, document, values):
        failing.append(3)
    head, _, note = receipt["tlog_proof"].partition("\n\n")
    path = [base64.b64decode(line) for line in head.split("\n")[2:]]
    pin = trust["contract"][0]
    origin, size, root, signed = _head(note, trust["log"])
    stranger = all(row["origin"] != origin for row in trust["log"])
    if not signed and not stranger:
        failing.append(4)
    if _climb(sha(b"\0" + leaf(kind, claims)), index, size, path) != root:
        failing.append(5)
    heads = [(size, root)]
    for step in receipt["rebase"]:
        _, later, later_root, ok = _head(step["checkpoint"], trust["log"])
        steps = [bytes.fromhex(one) for one in step["path"]]
        if not (ok or stranger) or _consistent(size, later, steps, root) != (root, later_root):
            failing.append(7)
            heads = []
        else:
            heads.append((later, later_root))
    anchored = False
    for anchor in receipt["anchors"]:
        if anchor["type"] == "evm":
            evidence = _evidence(anchor, heads) and anchor["code_hash"] == pin["code_hash"]
            if not evidence:
                failing.append(8)
            anchored = anchored or (evidence and _live(anchor, pin, endpoint, heads))
        if anchor["type"] == "calldata":
            if not _posted(anchor, origin, heads):
                failing.append(8)
            anchored = anchored or (
                endpoint["chain"] == anchor["chain"] == trust["chain"][0]["chain"]
                and endpoint["block_hash"] == anchor["block_hash"]
                and endpoint["finalized"] >= anchor["block_number"]
            )
    if failing:
        return "changed", 0, failing
    if stranger:
        return "cannot-say", 1, []
    level = 4 if anchored and pin["independent"] else 2
    return "unchanged" if values else "cannot-say", level, []


def _document_sealed(receipt: Any, document: bytes, values: dict[str, bytes]) -> bool:
    part = receipt.get("resource")
    if part is not None:
        value = bytes.fromhex(part["value"])
        digest = claim(part["name"], bytes.fromhex(part["salt"]), value)
        path = [bytes.fromhex(one) for one in part["path"]]
        if _climb(sha(b"\0" + digest), part["index"], part["size"], path) != values["resources"]:
            return False
        values = {part["name"]: value}
    if sha(document) in values.values():
        return True
    try:
        return sha(canonical(document)) in values.values()
    except ValueError:
        return False


def _header(anchor: Any) -> Any:
    """anchor.md, offline, 1 and 2: the fields; None when they are not what the anchor says."""
    header = bytes.fromhex(anchor["header"][2:])
    fields = rlp.decode(header)
    moment = datetime.fromtimestamp(int.from_bytes(fields[11]), UTC)
    good = (
        "0x" + keccak(header).hex() == anchor["block_hash"]
        and int.from_bytes(fields[8]) == anchor["block_number"]
        and moment.strftime("%Y-%m-%dT%H:%M:%SZ") == anchor["time"]
    )
    return fields if good else None


def _posted(anchor: Any, origin: str, heads: list[tuple[int, bytes]]) -> bool:
    """anchor.md, calldata."""
    fields = _header(anchor)
    raw = bytes.fromhex(anchor["transaction"][2:])
    nodes = [bytes.fromhex(node[2:]) for node in anchor["transaction_proof"]]
    key = rlp.encode(anchor["transaction_index"]).hex()
    if fields is None or _trie_value(fields[4], key, nodes) != raw:
        return False
    if "0x" + keccak(raw).hex() != anchor["tx"]:
        return False
    kind = raw[0] if raw[0] < 0x80 else 0
    data = rlp.decode(raw[1:] if kind else raw)[{0: 5, 1: 6}.get(kind, 7)]
    opening = b"fhir-anchor/anchor/1\0" + sha(origin.encode())
    if len(data) != 125 or not data.startswith(opening):
        return False
    return (int.from_bytes(data[85:93]), data[93:]) in heads


def _evidence(anchor: Any, heads: list[tuple[int, bytes]]) -> bool:
    """anchor.md, offline."""
    fields = _header(anchor)
    if fields is None:
        return False
    receipt = bytes.fromhex(anchor["receipt"][2:])
    nodes = [bytes.fromhex(node[2:]) for node in anchor["receipt_proof"]]
    if _trie_value(fields[5], rlp.encode(anchor["receipt_index"]).hex(), nodes) != receipt:
        return False
    status, _, _, logs = rlp.decode(receipt[1:] if receipt[0] < 0x80 else receipt)
    topic = keccak(b"Anchored(bytes32,uint64,uint64,bytes32,bytes32)")
    wanted = [topic, bytes.fromhex(anchor["log_id"][2:])]
    found = [
        (place, data)
        for place, (address, topics, data) in enumerate(logs)
        if "0x" + address.hex() == anchor["address"] and topics[:2] == wanted
    ]
    if status != b"\1" or len(found) != 1 or found[0][0] != anchor["log_position"]:
        return False
    data = found[0][1]
    return (int.from_bytes(data[:32]), data[32:64]) in heads


def _trie_value(  # noqa: C901  one walk, to be read beside the specification
    reference: bytes, key: str, nodes: list[bytes]
) -> bytes | None:
    """The value under a key given as hex digits; None when the proof does not lead there."""
    for place, node in enumerate(nodes):
        if keccak(node) != reference:
            return None
        item = rlp.decode(node)
        while True:
            if len(item) == 17:
                if not key:
                    return item[16] if place == len(nodes) - 1 else None
                item, key = item[int(key[0], 16)], key[1:]
            else:
                path = item[0].hex()
                odd, is_leaf = int(path[0], 16) & 1, int(path[0], 16) & 2
                part = path[1:] if odd else path[2:]
                if not key.startswith(part):
                    return None
                item, key = item[1], key[len(part) :]
                if is_leaf:
                    return item if not key and place == len(nodes) - 1 else None
            if isinstance(item, bytes):
                reference = item
                break
    return None


def _live(anchor: Any, pin: Any, endpoint: Any, heads: list[tuple[int, bytes]]) -> bool:
    """anchor.md, live, with the one endpoint of the vectors."""
    live = (endpoint["head"]["size"], bytes.fromhex(endpoint["head"]["root"]))
    return (
        all(anchor[name] == pin[name] for name in ("chain", "address", "log_id"))
        and endpoint["chain"] == anchor["chain"]
        and endpoint["block_hash"] == anchor["block_hash"]
        and endpoint["code_hash"] == pin["code_hash"]
        and endpoint["finalized"] >= anchor["block_number"]
        and all(live[0] != size or live[1] == root for size, root in heads)
    )
