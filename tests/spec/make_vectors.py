"""Writes docs/spec/vectors: `python -m tests.spec.make_vectors`. Uses no code of the product."""

import copy
import json
from pathlib import Path
from typing import Any

from eth_hash.auto import keccak

from tests.fakes import sealed
from tests.fakes.sealed import World

__all__ = ["FOLDER", "documents", "text"]

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "spec" / "vectors"
VERSION = "Observation/o3/1"


def documents() -> dict[str, Any]:
    """The content of each file by name."""
    return {"canonical.json": _canonical(), "leaf.json": _leaf(), "receipts.json": _receipts()}


def _canonical() -> Any:
    accept = [
        ('{ "b": 1, "a": [true, null, "x"] }', '{"a":[true,null,"x"],"b":1}'),
        ('{"v":0.010}', '{"v":0.010}'),
        ('{"v":1E+2,"w":-0}', '{"v":1E+2,"w":-0}'),
        ('{"unit":"mmol\\/L","code":"\\u00b5"}', '{"code":"µ","unit":"mmol/L"}'),
        ('{"s":"\\u000a\\u001F\\u007f"}', '{"s":"\\n\\u001f\x7f"}'),
        ('{"\U00010000":1,"\ufb33":2}', '{"\U00010000":1,"\ufb33":2}'),
        ('{"e":"e\u0301","f":"\u00e9"}', '{"e":"e\u0301","f":"\u00e9"}'),
    ]
    refuse = [
        ("duplicate member", b'{"a":1,"a":2}'),
        ("not a number of JSON", b'{"a":NaN}'),
        ("leading zero", b'{"a":01}'),
        ("lone surrogate", b'{"a":"\\ud800"}'),
        ("byte order mark", b'\xef\xbb\xbf{"a":1}'),
        ("not UTF-8", b'{"a":"\xff"}'),
        ("trailing bytes", b'{"a":1} x'),
        ("empty string", b'{"a":""}'),
        ("empty array", b'{"a":[]}'),
        ("empty object", b'{"a":{}}'),
        ("nesting of 65", b"[" * 65 + b"1" + b"]" * 65),
        ("number of 65 characters", b'{"a":' + b"1" * 65 + b"}"),
    ]
    return {
        "accept": [
            {"input": given.encode().hex(), "output": wanted.encode().hex()}
            for given, wanted in accept
        ],
        "refuse": [{"why": why, "input": data.hex()} for why, data in refuse],
    }


def _leaf() -> Any:
    world = World()
    names = sorted(world.values)
    claims = {name: sealed.claim(name, world.salts[name], world.values[name]) for name in names}
    made = sorted(world.versions)
    return {
        "record": {
            "claims": [
                {
                    "name": name,
                    "salt": world.salts[name].hex(),
                    "value": world.values[name].hex(),
                    "claim": claims[name].hex(),
                }
                for name in names
            ],
            "kind": 1,
            "leaf": sealed.leaf(1, claims).hex(),
        },
        "revision": _revision(world, made),
        "versions": {
            "leaves": [
                {
                    "name": name,
                    "salt": sealed.sha(b"version" + name.encode()).hex(),
                    "bytes": world.versions[name].hex(),
                }
                for name in made
            ],
            "root": sealed.tree_root([_version_claim(world, name) for name in made]).hex(),
        },
    }


def _revision(world: World, made: list[str]) -> Any:
    root = sealed.tree_root([_version_claim(world, name) for name in made])
    values = {"header": sealed.sha(sealed.REVISION_HEADER), "resources": root}
    claims = {name: sealed.claim(name, world.salts[name], values[name]) for name in values}
    return {
        "header": sealed.REVISION_HEADER.decode(),
        "claims": [
            {
                "name": name,
                "salt": world.salts[name].hex(),
                "value": values[name].hex(),
                "claim": claims[name].hex(),
            }
            for name in values
        ],
        "kind": 6,
        "leaf": sealed.leaf(6, claims).hex(),
    }


def _version_claim(world: World, name: str) -> bytes:
    salt = sealed.sha(b"version" + name.encode())
    return sealed.claim(name, salt, sealed.sha(world.versions[name]))


def _receipts() -> Any:
    world = World()
    record, resource = world.record_receipt(), world.resource_receipt(VERSION)
    version = world.versions[VERSION]
    pretty = json.dumps(json.loads(sealed.DOCUMENT), indent=1).encode()
    cases = [
        _case("record by its bundle", record, sealed.DOCUMENT, "unchanged", 4),
        _case("record by its source", record, sealed.SOURCE, "unchanged", 4),
        _case("bundle printed again", record, pretty, "unchanged", 4),
        _case("resource version", resource, version, "unchanged", 4),
        _case("bundle alone disclosed", world.record_receipt("bundle"), sealed.DOCUMENT,
              "unchanged", 4),
        _case("without its anchor", record | {"anchors": [], "rebase": []}, sealed.DOCUMENT,
              "unchanged", 2),
        _case("anchor of an unknown type",
              record | {"anchors": [{"type": "later"}]}, sealed.DOCUMENT, "unchanged", 2),
        _case("one byte changed", record, sealed.DOCUMENT.replace(b"P", b"p"), "changed", 0, 3),
        _case("another version", resource, world.versions["Observation/o2/1"], "changed", 0, 3),
        _case("salt changed", _with(record, "record/disclosed/0/salt", "00" * 32),
              sealed.DOCUMENT, "changed", 0, 5),
        _case("signed by a thief", _thief(world, record), sealed.DOCUMENT, "changed", 0, 4),
        _case("signed by a retired key above its last head", record, sealed.DOCUMENT,
              "changed", 0, 4, 7, 8, trust=_retired(8)),
        _case("signed by a retired key up to its last head", record, sealed.DOCUMENT,
              "unchanged", 4, trust=_retired(11)),
        _case("everything hidden", _hidden(world), sealed.DOCUMENT, "cannot-say", 4),
        _case("log of a stranger", World(key=sealed.STRANGER_KEY).record_receipt(),
              sealed.DOCUMENT, "cannot-say", 1),
        _case("consistency path changed", _with(record, "rebase/0/path/0", "00" * 32),
              sealed.DOCUMENT, "changed", 0, 7),
        _case("junk anchored", _with(record, "anchors/0", sealed.block(11, b"\x33" * 32)),
              sealed.DOCUMENT, "changed", 0, 8),
        _case("head in calldata", _with(record, "anchors/0", _posted(world)),
              sealed.DOCUMENT, "unchanged", 4),
        _case("junk in calldata", _with(record, "anchors/0", sealed.posted(11, b"\x33" * 32)),
              sealed.DOCUMENT, "changed", 0, 8),
        _case("calldata without a head", _with(record, "anchors/0", _posted(world, index=1)),
              sealed.DOCUMENT, "changed", 0, 8),
        _case("calldata of another transaction",
              _with(record, "anchors/0", _posted(world) | {"transaction_index": 2}),
              sealed.DOCUMENT, "changed", 0, 8),
        _case("back-dated", _with(record, "anchors/0/time", "2020-01-01T00:00:00Z"),
              sealed.DOCUMENT, "changed", 0, 8),
    ]  # fmt: skip
    head = sealed.tree_root(world.leaves)
    return {
        "trust": json.loads(sealed.trust_text()),
        "endpoint": {
            "chain": sealed.CHAIN,
            "block_hash": record["anchors"][0]["block_hash"],
            "height": 100,
            "finalized": 90,
            "code_hash": "0x" + keccak(sealed.CODE).hex(),
            "head": {"size": len(world.leaves), "root": head.hex()},
        },
        "cases": cases,
    }


def _posted(world: World, *, index: int = 3) -> Any:
    root = sealed.tree_root(world.leaves[: world.anchored])
    return sealed.posted(world.anchored, root, index=index)


def _retired(until: int) -> Any:
    """The trust file, where the log's key was retired and another one came."""
    trust = json.loads(sealed.trust_text())
    newer = sealed.Key(name=sealed.ORIGIN, seed=b"\x05" * 32)
    trust["log"][0]["until"] = until
    trust["log"].append({"origin": sealed.ORIGIN, "key": newer.verifier()})
    return trust


def _hidden(world: World) -> Any:
    """A receipt that discloses no claim."""
    receipt = world.record_receipt()
    others = [world.record_receipt(name)["record"]["hidden"] for name in ("bundle", "source")]
    hidden = {one["name"]: one for one in (*others[0], *others[1])}
    record = receipt["record"] | {"disclosed": [], "hidden": [hidden[n] for n in sorted(hidden)]}
    return receipt | {"record": record}


def _case(
    name: str,
    receipt: Any,
    document: bytes,
    verdict: str,
    level: int,
    *failing: int,
    trust: Any = None,
) -> Any:
    return ({} if trust is None else {"trust": trust}) | {
        "name": name,
        "receipt": receipt,
        "document": document.hex(),
        "verdict": verdict,
        "level": level,
        "failing": list(failing),
    }


def _with(receipt: Any, path: str, value: Any) -> Any:
    changed = copy.deepcopy(receipt)
    *parents, last = path.split("/")
    place: Any = changed
    for name in parents:
        place = place[int(name) if name.isdigit() else name]
    place[int(last) if last.isdigit() else last] = value
    return changed


def _thief(world: World, receipt: Any) -> Any:
    head = receipt["tlog_proof"].partition("\n\n")[0]
    key = sealed.Key(name=sealed.ORIGIN, seed=b"\x09" * 32)
    note = sealed.note(world.leaves[: world.size], key=key).decode()
    return _with(receipt, "tlog_proof", f"{head}\n\n{note}")


def text(document: Any) -> str:
    """As the file stands: one line a level of two, so that a change shows."""
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    for name, document in documents().items():
        (FOLDER / name).write_text(text(document), "utf-8")
