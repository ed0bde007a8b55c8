"""The receipt form: strict, bounded, one spelling, unknown members kept."""

import copy
import json
from typing import Any

import pytest

from bridge.core.errors import BridgeError, Fault
from bridge.core.proof.anchors import EvmAnchor, OtherAnchor
from bridge.core.proof.receipt import MAX_SIZE, encode_receipt, parse_receipt
from tests.fakes.sealed import World, dumped

WORLD = World()
RECORD = WORLD.record_receipt()
RESOURCE = WORLD.resource_receipt("Observation/o3/1")


@pytest.mark.parametrize("value", [RECORD, RESOURCE], ids=["record", "resource"])
def test_receipt_reads_and_writes_the_same(value: Any) -> None:
    """A receipt is written byte for byte as it was read."""
    data = dumped(value)

    assert encode_receipt(parse_receipt(data)) == data


def test_spaces_do_not_matter() -> None:
    """A receipt that was printed prettily is the same receipt."""
    pretty = json.dumps(RECORD, indent=2).encode()

    assert parse_receipt(pretty) == parse_receipt(dumped(RECORD))


def test_unknown_members_and_anchors_are_kept() -> None:
    """What a later version adds survives a reader of this version."""
    value = copy.deepcopy(RECORD)
    value["added"] = {"later": [1, "x", None]}
    value["anchors"].append({"type": "opentimestamps", "ots": "AE9wZW4="})
    value["anchors"][0]["blob"] = "0x01"

    receipt = parse_receipt(dumped(value))

    assert receipt.unknown == (("added", '{"later":[1,"x",null]}'),)
    assert isinstance(receipt.anchors[0], EvmAnchor)
    assert receipt.anchors[1] == OtherAnchor(
        type="opentimestamps", members=(("ots", '"AE9wZW4="'),)
    )
    assert encode_receipt(receipt) == dumped(value)


def test_hiding_a_claim_leaves_the_commitment() -> None:
    """Whoever may see less gets a receipt that proves the same leaf."""
    receipt = parse_receipt(dumped(RECORD))

    less = receipt.without("source")

    assert [claim.name for claim in less.disclosed] == ["bundle"]
    assert [claim.name for claim in less.hidden] == ["header", "map", "source"]
    assert less.claims() == receipt.claims()
    assert parse_receipt(encode_receipt(less)) == less


def _with(path: str, value: Any) -> bytes:
    """The record's receipt with one member replaced, or removed by `...`."""
    changed = copy.deepcopy(RECORD)
    *parents, last = path.split("/")
    place: Any = changed
    for name in parents:
        place = place[int(name) if name.isdigit() else name]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return dumped(changed)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"", "not JSON or is cut", id="empty"),
        pytest.param(dumped(RECORD)[:-1], "not JSON or is cut", id="truncated"),
        pytest.param(dumped(RECORD) + b"{}", "not JSON or is cut", id="trailing"),
        pytest.param(b"\xff" + dumped(RECORD), "not UTF-8", id="not-utf-8"),
        pytest.param(b"\xef\xbb\xbf" + dumped(RECORD), "not JSON", id="byte-order-mark"),
        pytest.param(b"[" * 100_000, "nests too deep", id="deep"),
        pytest.param(b" " * (MAX_SIZE + 1), "exceed the limit", id="large"),
        pytest.param(b"[]", "an object is expected", id="list"),
        pytest.param(b'{"format":1,"format":2}', "the same member twice", id="twice"),
        pytest.param(b'{"a":"\\ud800"}', "lone surrogate", id="surrogate"),
        pytest.param(b'{"a":1.5}', "not whole", id="fraction"),
        pytest.param(b'{"a":NaN}', "not whole", id="nan"),
        pytest.param(b'{"a":' + b"9" * 5000 + b"}", "exceeds 2\\^53", id="huge-number"),
        pytest.param(_with("format", "fhir-anchor/receipt/2"), "only fhir-anchor", id="version"),
        pytest.param(_with("record/canonical", "jcs"), "only fhir-anchor", id="canonical-form"),
        pytest.param(_with("leaf/index", 6), "two indices that differ", id="two-indices"),
        pytest.param(_with("leaf/index", True), "whole number", id="boolean-index"),
        pytest.param(_with("leaf/kind", 9), "kind 9 is not", id="kind"),
        pytest.param(_with("leaf/kind", 6), "kind 6 has the claims header", id="swapped-kind"),
        pytest.param(_with("leaf/more", 1), "part does not have", id="leaf-grows"),
        pytest.param(_with("record/hidden", []), "kind 1 has the claims", id="claims-missing"),
        pytest.param(
            _with("record/disclosed", RECORD["record"]["disclosed"][::-1]), "order", id="order"
        ),
        pytest.param(
            _with("record/disclosed", RECORD["record"]["disclosed"] * 2), "claims twice", id="twin"
        ),
        pytest.param(_with("record/disclosed", [{}] * 17), "at most 16", id="many-claims"),
        pytest.param(_with("rebase", [{}] * 33), "at most 32", id="many-rebases"),
        pytest.param(_with("rebase", ...), "a list of at most 32", id="no-rebase"),
        pytest.param(_with("anchors/0/address", "0x" + "AA" * 20), "digits", id="capitals"),
        pytest.param(_with("anchors/0/time", "2026-09-21"), "does not match", id="time"),
        pytest.param(_with("anchors/0/type", 1), "a string of 1 to 40", id="anchor-type"),
        pytest.param(_with("resource", RESOURCE["resource"]), "leaf of kind 6", id="wrong-part"),
        pytest.param(_with("tlog_proof", "x"), "empty line", id="no-proof"),
    ],
)
def test_malformed_receipt_is_refused(data: bytes, words: str) -> None:
    """Each is refused in one sentence that says where; nothing else is ever raised."""
    with pytest.raises(BridgeError, match=words) as refusal:
        parse_receipt(data)

    assert refusal.value.fault is Fault.SENDER


def test_resource_name_is_a_fhir_version() -> None:
    """The name of a resource part is Type/id/version and nothing else."""
    value = copy.deepcopy(RESOURCE)
    value["resource"]["name"] = "Observation/../1/"

    with pytest.raises(BridgeError, match="the name is not Type/id/version"):
        parse_receipt(dumped(value))


def test_every_truncation_is_refused_cleanly() -> None:
    """Cut anywhere, a receipt is refused by a BridgeError."""
    data = dumped(RESOURCE)

    for size in range(0, len(data), 13):
        with pytest.raises(BridgeError):
            parse_receipt(data[:size])
