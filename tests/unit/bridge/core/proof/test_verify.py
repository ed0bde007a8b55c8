"""The twelve checks on receipts that a second implementation made, honest and attacked."""

import copy
import json
from dataclasses import replace
from typing import Any

import pytest

from bridge.core.ids import Digest
from bridge.core.proof.endpoints import LiveHead
from bridge.core.proof.report import Level, Report, Verdict
from bridge.core.proof.trust import KnownBlock
from bridge.core.proof.trust_file import parse_trust
from bridge.core.proof.verify import verify
from tests.fakes import sealed
from tests.fakes.endpoint import FakeEndpoint, honest
from tests.fakes.sealed import DOCUMENT, SOURCE, World, dumped, trust_text

WORLD = World()
RECORD = WORLD.record_receipt()
VERSION = "Observation/o3/1"
RESOURCE = WORLD.resource_receipt(VERSION)
TRUST = parse_trust(trust_text())


def _verify(receipt: Any, document: bytes | None, *readers: FakeEndpoint) -> Report:
    data = receipt if isinstance(receipt, bytes) else dumped(receipt)
    return verify(data, document, trust=TRUST, chain=readers)


def _failing(report: Report) -> list[str]:
    return [f"{check.id} {check.name}" for check in report.failed]


@pytest.mark.parametrize("document", [DOCUMENT, SOURCE], ids=["bundle", "source"])
def test_anchored_record_is_unchanged(document: bytes) -> None:
    """The canonical bundle and the bytes as received each verify, up to the chain."""
    report = _verify(RECORD, document, honest(WORLD))

    assert (report.verdict, report.level) == (Verdict.UNCHANGED, Level.ANCHORED)
    assert report.existed_by == sealed.TIME
    assert [check.id for check in report.checks] == [1, 2, 3, 4, 5, 6, 7, 8, 8, 9, 10, 11, 12]


def test_resource_version_is_unchanged_without_its_neighbours() -> None:
    """One Observation verifies by the bytes as served; the receipt names no other version."""
    report = _verify(RESOURCE, WORLD.versions[VERSION], honest(WORLD))

    assert (report.verdict, report.level) == (Verdict.UNCHANGED, Level.ANCHORED)
    assert "Patient" not in dumped(RESOURCE).decode()


def test_reserialised_copy_is_accepted_and_said() -> None:
    """A document that a program printed with spaces verifies by its canonical copy."""
    pretty = json.dumps(json.loads(DOCUMENT), indent=2).encode()

    report = _verify(RECORD, pretty)

    assert report.verdict is Verdict.UNCHANGED
    assert "the file was re-serialised" in report.checks[1].detail


def test_offline_without_endpoints_rests_on_the_log() -> None:
    """Header and trie alone prove no chain: anybody can make a header."""
    report = _verify(RECORD, DOCUMENT)

    assert (report.verdict, report.level) == (Verdict.UNCHANGED, Level.SIGNED)
    assert report.existed_by is None


def test_block_known_to_the_verifier_needs_no_endpoint() -> None:
    """In thirty years a list of block hashes is enough."""
    block = Digest(bytes.fromhex(RECORD["anchors"][0]["block_hash"][2:]))
    known = KnownBlock(chain=sealed.CHAIN, number=42, hash=block)
    other = replace(known, hash=Digest(bytes(32)))

    good = verify(dumped(RECORD), DOCUMENT, trust=replace(TRUST, blocks=(known,)))
    bad = verify(dumped(RECORD), DOCUMENT, trust=replace(TRUST, blocks=(other,)))

    assert good.level is Level.ANCHORED
    assert (bad.verdict, _failing(bad)) == (Verdict.CANNOT_SAY, ["8 chain"])


def test_chain_that_the_verifier_names_dates_the_document_whosever_log_it_is() -> None:
    """A hash in a final block existed by then; without trust file the level says no more."""
    report = verify(dumped(RECORD), DOCUMENT, chain=[honest(WORLD)])

    assert (report.verdict, report.level) == (Verdict.UNCHANGED, Level.SELF_CONSISTENT)
    assert report.existed_by == sealed.TIME
    assert "whose log it is was not checked" in report.checks[-1].detail


def test_one_endpoint_of_two_is_no_majority_for_an_unpinned_contract() -> None:
    """Without a pin that says how many must agree, more than half must."""
    liar = honest(WORLD)
    liar.block = None

    report = verify(dumped(RECORD), DOCUMENT, chain=[honest(WORLD), liar])

    assert report.verdict is not Verdict.UNCHANGED
    assert report.existed_by is None


def test_one_changed_byte_of_the_document_is_caught() -> None:
    """The verdict is `changed` and names check 3."""
    report = _verify(RECORD, DOCUMENT.replace(b"Patient", b"Patienu"), honest(WORLD))

    assert (report.verdict, report.level) == (Verdict.CHANGED, Level.FAILED)
    assert _failing(report) == ["3 claims"]
    assert report.existed_by is None


def test_document_of_another_record_is_caught() -> None:
    """A neighbour's version does not pass for this one."""
    report = _verify(RESOURCE, WORLD.versions["Observation/o2/1"])

    assert _failing(report) == ["3 claims"]


def _changed(receipt: Any, path: str, value: Any) -> Any:
    changed = copy.deepcopy(receipt)
    *parents, last = path.split("/")
    place: Any = changed
    for name in parents:
        place = place[int(name) if name.isdigit() else name]
    place[int(last) if last.isdigit() else last] = value
    return changed


def _with_index(index: int) -> Any:
    text = RECORD["tlog_proof"].replace("index 5\n", f"index {index}\n")
    return _changed(_changed(RECORD, "tlog_proof", text), "leaf/index", index)


def _forged_checkpoint(**key: Any) -> Any:
    """A receipt whose checkpoint somebody else signed."""
    head = RECORD["tlog_proof"].partition("\n\n")[0]
    thief = replace(sealed.LOG_KEY, **key)
    note = sealed.note(WORLD.leaves[: WORLD.size], key=thief).decode()
    return _changed(RECORD, "tlog_proof", f"{head}\n\n{note}")


def _shifted_resource() -> Any:
    return _changed(RESOURCE, "resource/index", RESOURCE["resource"]["index"] + 1)


def _inner_node_as_leaf() -> Any:
    """The path without its first hash, for an index one level up."""
    head, blank, note = RECORD["tlog_proof"].partition("\n\n")
    lines = head.split("\n")
    text = "\n".join([lines[0], "index 2", *lines[3:]]) + blank + note
    return _changed(_changed(RECORD, "tlog_proof", text), "leaf/index", 2)


SWAPPED = _changed(
    _changed(RECORD, "record/disclosed/0/name", "bundle"),
    "record/disclosed/0/value",
    RECORD["record"]["disclosed"][1]["value"],
)
FORK = copy.deepcopy(WORLD.leaves[: WORLD.anchored])
FORK[2] = b"forked"


@pytest.mark.parametrize(
    ("receipt", "check"),
    [
        pytest.param(_with_index(4), "5 inclusion", id="other-index"),
        pytest.param(_with_index(9), "5 inclusion", id="index-beyond-the-tree"),
        pytest.param(_inner_node_as_leaf(), "5 inclusion", id="inner-node-as-leaf"),
        pytest.param(
            _changed(RECORD, "record/hidden/0/claim", "00" * 32), "5 inclusion", id="hidden-claim"
        ),
        pytest.param(
            _changed(RECORD, "record/disclosed/0/salt", "00" * 32), "5 inclusion", id="salt"
        ),
        pytest.param(_forged_checkpoint(seed=b"\x09" * 32), "4 checkpoint", id="thief-signs"),
        pytest.param(
            _changed(RECORD, "tlog_proof", RECORD["tlog_proof"].replace("\n9\n", "\n10\n")),
            "4 checkpoint",
            id="other-size",
        ),
        pytest.param(_changed(RECORD, "rebase/0/path/0", "00" * 32), "7 rebase", id="rebase-path"),
        pytest.param(
            _changed(RECORD, "rebase/0/checkpoint", sealed.note(FORK).decode()),
            "7 rebase",
            id="log-shows-a-fork",
        ),
        pytest.param(
            _changed(RECORD, "anchors/0", sealed.block(11, b"\x33" * 32)),
            "8 anchor",
            id="thief-of-the-anchoring-key-anchors-junk",
        ),
        pytest.param(
            _changed(RECORD, "anchors/0/block_hash", "0x" + "00" * 32), "8 anchor", id="block-hash"
        ),
        pytest.param(_changed(RECORD, "anchors/0/block_number", 41), "8 anchor", id="number"),
        pytest.param(
            _changed(RECORD, "anchors/0/time", "2020-01-01T00:00:00Z"), "8 anchor", id="back-dated"
        ),
        pytest.param(_changed(RECORD, "anchors/0/receipt_index", 2), "8 anchor", id="other-tx"),
        pytest.param(_changed(RECORD, "anchors/0/log_position", 0), "8 anchor", id="position"),
        pytest.param(
            _changed(RECORD, "anchors/0/code_hash", "0x" + "00" * 32), "8 anchor", id="other-code"
        ),
    ],
)
def test_attacked_receipt_is_caught_by_its_check(receipt: Any, check: str) -> None:
    """Each lie fails at the check that the threat table names, and the verdict is `changed`."""
    report = _verify(receipt, DOCUMENT, honest(WORLD))

    assert report.verdict is Verdict.CHANGED
    assert check in _failing(report)
    assert (report.level, report.existed_by) == (Level.FAILED, None)


def test_swapped_claims_are_caught() -> None:
    """A source passed off as the bundle changes the leaf."""
    report = _verify(SWAPPED, SOURCE)

    assert _failing(report) == ["5 inclusion"]


@pytest.mark.parametrize(
    "receipt",
    [
        pytest.param(_shifted_resource(), id="other-place"),
        pytest.param(_changed(RESOURCE, "resource/size", 4), id="other-size"),
        pytest.param(_changed(RESOURCE, "resource/name", "Observation/o3/2"), id="other-version"),
        pytest.param(_changed(RESOURCE, "resource/salt", "00" * 32), id="salt"),
        pytest.param(_changed(RESOURCE, "resource/path/0", "00" * 32), id="path"),
    ],
)
def test_attacked_resource_part_is_caught(receipt: Any) -> None:
    """Name, place and salt of a version are proved, not only its bytes."""
    report = _verify(receipt, WORLD.versions[VERSION])

    assert _failing(report) == ["3 claims"]


def test_tree_of_another_revision_is_caught() -> None:
    """A whole tree made up for the purpose is not the one that the leaf seals."""
    other = World()
    other.versions[VERSION] = b'{"resourceType":"Observation","id":"made-up"}'
    part = other.resource_receipt(VERSION)["resource"]

    report = _verify(_changed(RESOURCE, "resource", part), other.versions[VERSION])

    assert _failing(report) == ["3 claims"]


@pytest.mark.parametrize(
    ("path", "value"),
    [("chain", "eip155:1"), ("address", "0x" + "bb" * 20), ("log_id", "0x" + "01" * 32)],
)
def test_anchor_outside_the_trust_file_counts_for_nothing(path: str, value: str) -> None:
    """A contract that the verifier does not pin raises no level, whatever it says."""
    report = _verify(_changed(RECORD, f"anchors/0/{path}", value), DOCUMENT, honest(WORLD))

    assert report.level < Level.ANCHORED
    assert report.existed_by is None


def test_log_that_was_rolled_back_is_not_believed() -> None:
    """A live head below the anchored one, on the only endpoint, leaves no verdict."""
    reader = honest(WORLD)
    reader.live = LiveHead(size=4, root=Digest(bytes(32)))

    report = _verify(RECORD, DOCUMENT, reader)

    assert (report.verdict, _failing(report)) == (Verdict.CANNOT_SAY, ["8 chain"])


def test_unknown_anchor_is_reported_and_counts_for_nothing() -> None:
    """A later version's anchor is named and changes no level."""
    receipt = copy.deepcopy(RECORD)
    receipt["anchors"] = [{"type": "newspaper", "page": "17"}]

    report = _verify(receipt, DOCUMENT)

    assert (report.checks[0].ok, report.level) == (True, Level.SIGNED)
    assert "1 anchors of a kind that this version does not know" in report.checks[0].detail


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"{}", dumped(RECORD)[:900]])
def test_unreadable_receipt_gives_a_report(data: bytes) -> None:
    """Garbage is a failed check 1 and no verdict, never an exception."""
    report = _verify(data, DOCUMENT)

    assert (report.verdict, report.level) == (Verdict.CANNOT_SAY, Level.FAILED)
    assert _failing(report) == ["1 receipt"]


def test_huge_document_is_refused() -> None:
    """What was never accepted was never sealed."""
    report = _verify(RECORD, bytes((64 << 20) + 1))

    assert "2 document" in _failing(report)


def test_members_of_a_later_version_are_named() -> None:
    """What this version does not know it does not vouch for, and says so."""
    report = _verify(RECORD | {"later": 1}, DOCUMENT)

    assert report.checks[0].detail == "well formed; 1 members of a later version were not looked at"
