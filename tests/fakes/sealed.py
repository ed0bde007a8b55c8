"""A whole small world to verify against, made by a second, naive implementation.

Nothing here uses `bridge`: the tree is the recursion of RFC 6962, notes are signed by hand after
https://c2sp.org/signed-note, blocks and receipt tries come from the reference libraries. What the
product verifies was therefore never computed by the product.
"""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

import rlp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from eth_hash.auto import keccak
from trie.hexary import HexaryTrie

ORIGIN = "log.example/hospital"
CHAIN = "eip155:31337"
ADDRESS = b"\xaa" * 20
CODE = b"\x60\x01"
LOG_ID = b"\x07" * 32
TIME_S = 1_790_000_000
TIME = "2026-09-21T14:13:20Z"
DOCUMENT = b'{"entry":[{"resource":{"resourceType":"Patient"}}],"resourceType":"Bundle"}'
REVISION_HEADER = (
    b'{"at":"2026-09-21T14:10:00.000000Z","record":"01996ce4-1f00-7a00-8000-000000000001",'
    b'"rules":"fhir-anchor/projection/1","versions":6}'
)
SOURCE = b"MSH|^~\\&|A|B|C|D|20260101||ADT^A01|1|P|2.5.1\r"


def sha(data: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(data).digest()


def tree_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 s2.1."""
    if len(leaves) == 1:
        return sha(b"\0" + leaves[0])
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return sha(b"\1" + tree_root(leaves[:half]) + tree_root(leaves[half:]))


def tree_path(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962 s2.1.1."""
    if len(leaves) == 1:
        return []
    half = 1 << (len(leaves) - 1).bit_length() - 1
    if index < half:
        return [*tree_path(index, leaves[:half]), tree_root(leaves[half:])]
    return [*tree_path(index - half, leaves[half:]), tree_root(leaves[:half])]


def tree_consistency(first: int, leaves: list[bytes], *, whole: bool = True) -> list[bytes]:
    """SUBPROOF of RFC 6962 s2.1.2."""
    if first == len(leaves):
        return [] if whole else [tree_root(leaves)]
    half = 1 << (len(leaves) - 1).bit_length() - 1
    if first <= half:
        rest = tree_consistency(first, leaves[:half], whole=whole)
        return [*rest, tree_root(leaves[half:])]
    rest = tree_consistency(first - half, leaves[half:], whole=False)
    return [*rest, tree_root(leaves[:half])]


def claim(name: str, salt: bytes, value: bytes) -> bytes:
    """One claim; `value` is already a digest."""
    return sha(b"\2" + bytes([len(name)]) + name.encode() + salt + value)


def leaf(kind: int, claims: dict[str, bytes]) -> bytes:
    """The leaf over claims by name."""
    joined = b"".join(claims[name] for name in sorted(claims))
    commit = sha(b"fhir-anchor/commit/1\0" + bytes([len(claims)]) + joined)
    return b"fhir-anchor/leaf/1\0" + bytes([kind]) + commit


@dataclass(frozen=True, kw_only=True)
class Key:
    """An Ed25519 signer of notes."""

    name: str
    seed: bytes

    def _parts(self, kind: int) -> tuple[Ed25519PrivateKey, bytes, bytes]:
        private = Ed25519PrivateKey.from_private_bytes(self.seed)
        public = bytes([kind]) + private.public_key().public_bytes_raw()
        return private, public, sha(self.name.encode() + b"\n" + public)[:4]

    def verifier(self, kind: int = 1) -> str:
        """The vkey text."""
        _, public, key_id = self._parts(kind)
        return f"{self.name}+{key_id.hex()}+{base64.b64encode(public).decode()}"

    def line(self, text: bytes) -> bytes:
        """The signature line of a log."""
        private, _, key_id = self._parts(1)
        blob = base64.b64encode(key_id + private.sign(text)).decode()
        return f"— {self.name} {blob}\n".encode()

    def cosignature(self, text: bytes, at: int) -> bytes:
        """The signature line of a witness, https://c2sp.org/tlog-cosignature."""
        private, _, key_id = self._parts(4)
        signed = f"cosignature/v1\ntime {at}\n".encode() + text
        blob = base64.b64encode(key_id + at.to_bytes(8) + private.sign(signed)).decode()
        return f"— {self.name} {blob}\n".encode()


LOG_KEY = Key(name=ORIGIN, seed=b"\x01" * 32)
STRANGER_KEY = Key(name="log.ex\u0430mple/hospital", seed=b"\x03" * 32)
"""Of a log whose name looks like ours: its third vowel is Cyrillic."""
WITNESS_KEY = Key(name="witness.example", seed=b"\x02" * 32)


def note(leaves: list[bytes], *, key: Key = LOG_KEY, witness: Key | None = None) -> bytes:
    """A signed checkpoint over these leaves."""
    root = base64.b64encode(tree_root(leaves)).decode()
    text = f"{key.name}\n{len(leaves)}\n{root}\n".encode()
    lines = key.line(text) + (witness.cosignature(text, TIME_S) if witness else b"")
    return text + b"\n" + lines


def block(size: int, root: bytes, *, number: int = 42, index: int = 3) -> dict[str, Any]:
    """An `anchors` element for a block of five transactions with our event in one of them."""
    topic = keccak(b"Anchored(bytes32,uint64,uint64,bytes32,bytes32)")
    data = size.to_bytes(32) + root + bytes(32)
    event = [ADDRESS, [topic, LOG_ID, (9).to_bytes(32)], data]
    noise = [b"\xcc" * 20, [keccak(b"Other()")], b""]
    receipts = [
        b"\x02" + rlp.encode([b"\x01", b"\x52\x08", bytes(256), logs])
        for logs in ([], [noise], [], [noise, event], [])
    ]
    trie: Any = HexaryTrie({})
    for place, receipt in enumerate(receipts):
        trie[rlp.encode(place)] = receipt
    posted = _transactions(size, root)[1].root_hash
    fields = [b"\1" * 32, b"\2" * 32, b"\3" * 20, b"\4" * 32, posted, trie.root_hash]
    fields += [bytes(256), b"", number.to_bytes(1), b"\x01\xc9\xc3\x80", b"\x52\x08"]
    fields += [TIME_S.to_bytes(4), b"", bytes(32), bytes(8), b"\7", b"\6" * 32]
    header = rlp.encode(fields)
    return {
        "type": "evm",
        "chain": CHAIN,
        "address": "0x" + ADDRESS.hex(),
        "code_hash": "0x" + keccak(CODE).hex(),
        "log_id": "0x" + LOG_ID.hex(),
        "tx": "0x" + "ee" * 32,
        "block_number": number,
        "block_hash": "0x" + keccak(header).hex(),
        "time": TIME,
        "finality": "finalized",
        "header": "0x" + header.hex(),
        "receipt_index": index,
        "receipt": "0x" + receipts[index].hex(),
        "receipt_proof": ["0x" + rlp.encode(n).hex() for n in trie.get_proof(rlp.encode(index))],
        "log_position": 1,
    }


def posted(size: int, root: bytes, *, index: int = 3) -> dict[str, Any]:
    """An `anchors` element for the same block, whose transaction 3 has the head as its data."""
    anchor = block(size, root)
    transactions, trie = _transactions(size, root)
    names = ("chain", "block_number", "block_hash", "time", "finality", "header")
    return {
        "type": "calldata",
        **{name: anchor[name] for name in names},
        "tx": "0x" + keccak(transactions[index]).hex(),
        "transaction_index": index,
        "transaction": "0x" + transactions[index].hex(),
        "transaction_proof": [
            "0x" + rlp.encode(n).hex() for n in trie.get_proof(rlp.encode(index))
        ],
    }


def _transactions(size: int, root: bytes) -> tuple[list[bytes], Any]:
    """Five of type 2 (EIP-1559); the fourth posts the head."""
    head = b"fhir-anchor/anchor/1\0" + sha(ORIGIN.encode()) + bytes(32) + size.to_bytes(8) + root
    made = [
        b"\x02" + rlp.encode([b"\1", bytes([n + 1]), b"\1", b"\2", b"\x52\x08", b"\xab" * 20,
                             b"", data, [], b"\1", b"\7" * 32, b"\x08" * 32])
        for n, data in enumerate((b"", b"junk", b"", head, b""))
    ]  # fmt: skip
    trie: Any = HexaryTrie({})
    for place, transaction in enumerate(made):
        trie[rlp.encode(place)] = transaction
    return made, trie


@dataclass(kw_only=True)
class World:
    """A log of 13 leaves with our record at 5 and our revision at 6, anchored at 11 leaves."""

    index: int = 5
    size: int = 9
    anchored: int = 11
    key: Key = LOG_KEY
    salts: dict[str, bytes] = field(default_factory=dict)
    leaves: list[bytes] = field(default_factory=list)
    versions: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Fill the log."""
        names = ("bundle", "header", "map", "source")
        self.salts = {name: sha(b"salt" + name.encode()) for name in (*names, "resources")}
        self.values = {
            "bundle": sha(DOCUMENT),
            "header": sha(b"header"),
            "map": sha(b"map"),
            "source": sha(SOURCE),
        }
        self.versions = {
            f"Observation/o{place}/1": b'{"resourceType":"Observation","id":"o%d"}' % place
            for place in range(1, 6)
        } | {"Patient/p/2": b'{"resourceType":"Patient","id":"p"}'}
        self.leaves = [leaf(5, {"event": sha(bytes([place]))}) for place in range(13)]
        self.leaves[5] = leaf(1, {n: claim(n, self.salts[n], self.values[n]) for n in names})
        self.leaves[6] = leaf(6, {n: self._revision_claim(n) for n in ("header", "resources")})

    def _version_salt(self, name: str) -> bytes:
        return sha(b"version" + name.encode())

    def _version_claims(self) -> list[bytes]:
        return [
            claim(name, self._version_salt(name), sha(self.versions[name]))
            for name in sorted(self.versions)
        ]

    def _revision_value(self, name: str) -> bytes:
        return sha(REVISION_HEADER) if name == "header" else tree_root(self._version_claims())

    def _revision_claim(self, name: str) -> bytes:
        return claim(name, self.salts[name], self._revision_value(name))

    def _place(self, index: int) -> dict[str, Any]:
        leaves = self.leaves[: self.size]
        path = "".join(base64.b64encode(h).decode() + "\n" for h in tree_path(index, leaves))
        signed = note(leaves, key=self.key).decode()
        text = f"c2sp.org/tlog-proof@v1\nindex {index}\n{path}\n{signed}"
        later = self.leaves[: self.anchored]
        return {
            "format": "fhir-anchor/receipt/1",
            "tlog_proof": text,
            "rebase": [
                {
                    "checkpoint": note(later, key=self.key).decode(),
                    "path": [h.hex() for h in tree_consistency(self.size, later)],
                }
            ],
            "anchors": [block(self.anchored, tree_root(later))],
        }

    def record_receipt(self, *shown: str) -> dict[str, Any]:
        """The receipt of the record, as a JSON value; shows `bundle` and `source` unless told."""
        shown = shown or ("bundle", "source")
        return self._place(5) | {
            "leaf": {"kind": 1, "index": 5},
            "record": {
                "canonical": "fhir-anchor/json-literal/1",
                "disclosed": [
                    {"name": n, "salt": self.salts[n].hex(), "value": self.values[n].hex()}
                    for n in sorted(shown)
                ],
                "hidden": [
                    {"name": n, "claim": claim(n, self.salts[n], self.values[n]).hex()}
                    for n in sorted(self.values)
                    if n not in shown
                ],
            },
        }

    def resource_receipt(self, name: str) -> dict[str, Any]:
        """The receipt of one resource version, as a JSON value."""
        names, claims = sorted(self.versions), self._version_claims()
        index = names.index(name)
        return self._place(6) | {
            "leaf": {"kind": 6, "index": 6},
            "record": {
                "canonical": "fhir-anchor/json-literal/1",
                "disclosed": [
                    {
                        "name": "resources",
                        "salt": self.salts["resources"].hex(),
                        "value": self._revision_value("resources").hex(),
                    }
                ],
                "hidden": [{"name": "header", "claim": self._revision_claim("header").hex()}],
            },
            "resource": {
                "name": name,
                "salt": self._version_salt(name).hex(),
                "value": sha(self.versions[name]).hex(),
                "index": index,
                "size": len(names),
                "path": [h.hex() for h in tree_path(index, claims)],
            },
        }


def trust_text(**contract: object) -> bytes:
    """A trust file that believes this world; keywords replace members of its contract."""
    pin = {
        "origin": ORIGIN,
        "chain": CHAIN,
        "address": "0x" + ADDRESS.hex(),
        "code_hash": "0x" + keccak(CODE).hex(),
        "log_id": "0x" + LOG_ID.hex(),
        "finality": "finalized",
        "independent": True,
        "endpoints": 1,
    } | contract
    logs = [{"origin": ORIGIN, "key": LOG_KEY.verifier()}]
    shared = ("chain", "finality", "independent", "endpoints")
    chain = {name: pin[name] for name in shared}
    return json.dumps({"log": logs, "contract": [pin], "chain": [chain]}).encode()


def dumped(value: Any) -> bytes:
    """A receipt's bytes as the product spells them."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
