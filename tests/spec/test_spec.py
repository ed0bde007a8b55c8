"""The pages, the vectors, a naive second verifier and the product say the same."""

import json
from typing import Any

import pytest

from bridge.core.errors import BridgeError
from bridge.core.ids import Digest, RecordId, parse_instant, sha256
from bridge.core.log.merkle import leaf_hash, root
from bridge.core.proof.endpoints import LiveHead
from bridge.core.proof.trust_file import parse_trust
from bridge.core.proof.verify import verify
from bridge.core.record.canon import canonicalise
from bridge.core.record.claims import Kind, claim, commitment, leaf
from bridge.core.record.revision import RULES, revision_header, revision_leaf, rules_of
from tests.fakes import sealed
from tests.fakes.endpoint import FakeEndpoint
from tests.spec import naive
from tests.spec.make_vectors import FOLDER, documents, text

CANONICAL, LEAF, RECEIPTS = (
    json.loads((FOLDER / name).read_text("utf-8"))
    for name in ("canonical.json", "leaf.json", "receipts.json")
)


@pytest.mark.parametrize("name", ["canonical.json", "leaf.json", "receipts.json"])
def test_vectors_are_what_the_script_makes(name: str) -> None:
    """Nobody edits them by hand, and a change of format shows as a change of files."""
    assert (FOLDER / name).read_text("utf-8") == text(documents()[name])


@pytest.mark.parametrize("case", CANONICAL["accept"], ids=lambda case: case["input"][:24])
def test_canonical_form(case: Any) -> None:
    """Both implementations write the same bytes, and writing them again changes nothing."""
    given, wanted = bytes.fromhex(case["input"]), bytes.fromhex(case["output"])

    assert canonicalise(given) == naive.canonical(given) == wanted
    assert canonicalise(wanted) == wanted


@pytest.mark.parametrize("case", CANONICAL["refuse"], ids=lambda case: case["why"])
def test_refused_text(case: Any) -> None:
    """Both implementations refuse it."""
    data = bytes.fromhex(case["input"])

    with pytest.raises(BridgeError):
        canonicalise(data)
    with pytest.raises(ValueError):  # noqa: PT011  whatever json or the naive reader objects to
        naive.canonical(data)


def test_leaf() -> None:
    """Claims, commitment and leaf by both implementations."""
    record = LEAF["record"]
    parts = [
        (one["name"], bytes.fromhex(one["salt"]), bytes.fromhex(one["value"]))
        for one in record["claims"]
    ]

    ours = {name: claim(name, salt, Digest(value)) for name, salt, value in parts}
    theirs = {name: naive.claim(name, salt, value) for name, salt, value in parts}

    assert ours == theirs == {one["name"]: bytes.fromhex(one["claim"]) for one in record["claims"]}
    assert leaf(Kind.RECORD, commitment(ours)).hex() == record["leaf"]
    assert naive.leaf(1, theirs).hex() == record["leaf"]


def test_revision() -> None:
    """Header, claims and leaf of what one record did, by both implementations."""
    revision, header = LEAF["revision"], json.loads(LEAF["revision"]["header"])
    salts = [bytes.fromhex(one["salt"]) for one in revision["claims"]]
    values = [bytes.fromhex(one["value"]) for one in revision["claims"]]
    at, record = parse_instant(header["at"]), RecordId(header["record"])

    ours = revision_header(record=record, at=at, versions=6, rules=header["rules"])
    made = revision_leaf(header=ours, resources=Digest(values[1]), salts=b"".join(salts))
    claims = {
        "header": naive.claim("header", salts[0], naive.sha(ours)),
        "resources": naive.claim("resources", salts[1], values[1]),
    }

    assert ours.decode() == revision["header"]
    assert rules_of(ours) == RULES
    assert naive.leaf(6, claims).hex() == made.hex() == revision["leaf"]


def test_version_tree() -> None:
    """The root over a revision's versions by both implementations."""
    versions = [
        (one["name"], bytes.fromhex(one["salt"]), bytes.fromhex(one["bytes"]))
        for one in LEAF["versions"]["leaves"]
    ]

    ours = root([leaf_hash(claim(name, salt, sha256(data))) for name, salt, data in versions])
    theirs = naive.tree_root([naive.claim(n, salt, naive.sha(data)) for n, salt, data in versions])

    assert ours.hex() == theirs.hex() == LEAF["versions"]["root"]


@pytest.mark.parametrize("case", RECEIPTS["cases"], ids=lambda case: case["name"])
def test_receipt_case(case: Any) -> None:
    """Product and naive verifier give the verdict, level and failing checks of the vectors."""
    document, live = bytes.fromhex(case["document"]), RECEIPTS["endpoint"]
    believed = case.get("trust", RECEIPTS["trust"])
    trust = parse_trust(json.dumps(believed).encode())

    ours = verify(json.dumps(case["receipt"]).encode(), document, trust=trust, chain=[_reader()])
    theirs = naive.verify(case["receipt"], document, believed, live)

    wanted = (case["verdict"], case["level"])
    assert (ours.verdict.value, int(ours.level)) == theirs[:2] == wanted
    assert set(case["failing"]) <= {check.id for check in ours.failed}
    assert set(case["failing"]) <= set(theirs[2])


def _reader() -> FakeEndpoint:
    live = RECEIPTS["endpoint"]
    return FakeEndpoint(
        block=Digest(bytes.fromhex(live["block_hash"][2:])),
        newest=live["height"],
        final=live["finalized"],
        code=sealed.CODE,
        live=LiveHead(size=live["head"]["size"], root=Digest(bytes.fromhex(live["head"]["root"]))),
    )
