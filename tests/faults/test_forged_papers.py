"""Texts, trees and stamps that a stranger can write, beside those of `test_forged_receipts.py`."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from bridge.cli.verify import verify as command
from bridge.core.proof.report import Level, Report, Verdict
from bridge.core.proof.trust_file import parse_trust
from bridge.core.proof.verify import verify
from tests.fakes import sealed
from tests.fakes.endpoint import honest
from tests.fakes.sealed import DOCUMENT, World, dumped, sha

WORLD = World()
TRUST = parse_trust(sealed.trust_text())
RECORD = WORLD.record_receipt()
OPENTIMESTAMPS = b"\x00OpenTimestamps\x00\x00Proof\x00\xbf\x89\xe2\xe8\x84\xe8\x92\x94\x01\x08"
BITCOIN, PENDING = bytes.fromhex("0588960d73d71901"), bytes.fromhex("83dfe30d2ef90c8e")
LITECOIN = bytes.fromhex("06869a0d73d71b45")


def _verify(receipt: Any, document: bytes | None = DOCUMENT) -> Report:
    data = receipt if isinstance(receipt, bytes) else dumped(receipt)
    return verify(data, document, trust=TRUST, chain=[honest(WORLD)])


def _said(report: Report) -> str:
    return " | ".join(f"{one.id} {one.name}: {one.detail}" for one in report.checks if not one.ok)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param('"kind":1', '"kind":1.0', id="fraction"),
        pytest.param('"kind":1', '"kind":1e0', id="exponent"),
        pytest.param('"kind":1', '"kind":01', id="leading-zero"),
        pytest.param('"kind":1', '"kind":true', id="true-is-one"),
        pytest.param('"index":5', '"index":-0', id="minus-zero"),
        pytest.param('"index":5', '"index":5,"index":5', id="same-member-twice"),
        pytest.param('"index":5', '"index":5,"\\u0069ndex":5', id="same-member-by-its-escape"),
        pytest.param('"index":5', '"index":5,"index\\u0000":5', id="name-that-c-would-cut"),
        pytest.param('"kind":1', '"kind":1,"Kind":6', id="name-that-some-fold"),
        pytest.param('"index":5', '"index":5/**/', id="comment"),
        pytest.param('"kind":1}', '"kind":1,}', id="trailing-comma"),
        pytest.param('"format"', "'format'", id="single-quotes"),
        pytest.param("bundle", "b\u00fcndle", id="another-letter"),
        pytest.param("bundle", "bund\u200ble", id="letter-of-no-width"),
        pytest.param("bundle", "BUNDLE", id="capitals"),
        pytest.param('{"anchors"', '\ufeff{"anchors"', id="byte-order-mark"),
    ],
)
def test_text_that_two_parsers_read_in_two_ways_is_refused(old: str, new: str) -> None:
    """Nobody reads another receipt in it than we do."""
    data = dumped(RECORD).decode()
    assert old in data

    report = _verify(data.replace(old, new, 1).encode())

    assert (report.verdict, report.level) == (Verdict.CANNOT_SAY, Level.FAILED)
    assert [one.id for one in report.failed] == [1]


def _of_size(size: int, index: int, path: list[bytes]) -> Any:
    """The record at an index of a tree of any size that the log itself signed, by this path."""
    names = sorted(WORLD.values)
    claims = {name: sealed.claim(name, WORLD.salts[name], WORLD.values[name]) for name in names}
    digest = _climbed(sha(b"\0" + sealed.leaf(1, claims)), index, size, path)
    text = f"{sealed.ORIGIN}\n{size}\n{base64.b64encode(digest).decode()}\n".encode()
    lines = "".join(base64.b64encode(one).decode() + "\n" for one in path)
    note = (text + b"\n" + sealed.LOG_KEY.line(text)).decode()
    proof = f"c2sp.org/tlog-proof@v1\nindex {index}\n{lines}\n{note}"
    leaf = {"kind": 1, "index": index}
    return RECORD | {"leaf": leaf, "tlog_proof": proof, "rebase": [], "anchors": []}


def _climbed(digest: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """RFC 6962 s2.1.1 by its recursion; a path that is too short or long is used as it is."""
    if size == 1 or not path:
        return digest
    half = 1 << (size - 1).bit_length() - 1
    if index < half:
        return sha(b"\1" + _climbed(digest, index, half, path[:-1]) + path[-1])
    return sha(b"\1" + path[-1] + _climbed(digest, index - half, size - half, path[:-1]))


@pytest.mark.parametrize(
    ("size", "index", "length"),
    [
        pytest.param(1, 0, 0, id="the-only-leaf"),
        pytest.param(2, 1, 1, id="last-of-two"),
        pytest.param((1 << 63) - 1, 5, 63, id="below-2^63"),
        pytest.param(1 << 63, 5, 63, id="2^63"),
        pytest.param((1 << 63) + 1, 5, 64, id="above-2^63"),
        pytest.param((1 << 64) - 1, (1 << 53) - 1, 64, id="largest-of-all"),
    ],
)
def test_size_of_any_log_is_read_exactly(size: int, index: int, length: int) -> None:
    """The path has one length for its index and size; one hash less or more is another place."""
    path = [sha(bytes([n])) for n in range(length)]
    right = _verify(_of_size(size, index, path))
    longer = _verify(_of_size(size, index, [*path, sha(b"more")]) if length < 64 else b"")
    shorter = _verify(_of_size(size, index, path[1:]) if length else b"")

    assert (right.verdict, right.level) == (Verdict.UNCHANGED, Level.SIGNED)
    assert longer.verdict is not Verdict.UNCHANGED
    assert shorter.verdict is not Verdict.UNCHANGED


@pytest.mark.parametrize(
    ("size", "index", "path"),
    [
        pytest.param(0, 0, [], id="empty-tree"),
        pytest.param(1, 1, [], id="behind-the-only-leaf"),
        pytest.param(5, 5, [bytes(32)], id="behind-the-last"),
        pytest.param(1 << 64, 5, [bytes(32)] * 64, id="size-over-64-bits"),
        pytest.param((1 << 64) - 1, 1 << 53, [bytes(32)] * 64, id="index-over-53-bits"),
    ],
)
def test_place_that_no_log_has_is_refused(size: int, index: int, path: list[bytes]) -> None:
    """Even where the log's own key signed it."""
    report = _verify(_of_size(size, index, path))

    assert report.verdict is not Verdict.UNCHANGED
    assert report.level is Level.FAILED


def test_inner_node_of_the_version_tree_is_no_document() -> None:
    """Its two hashes do hash to the value of `resources`, which no document ever does."""
    receipt = WORLD.resource_receipt("Observation/o3/1")
    part = receipt.pop("resource")
    claims = [
        sealed.claim(name, sha(b"version" + name.encode()), sha(WORLD.versions[name]))
        for name in sorted(WORLD.versions)
    ]
    node = b"\1" + sealed.tree_root(claims[:4]) + sealed.tree_root(claims[4:])
    assert sha(node).hex() == receipt["record"]["disclosed"][0]["value"]

    report = _verify(receipt, node)

    assert report.verdict is Verdict.CANNOT_SAY
    assert "shows nothing that a document could be" in _said(report)
    assert _verify(receipt | {"resource": part}, node).verdict is Verdict.CHANGED


def _ots(body: bytes, *, digest: bytes | None = None) -> Report:
    note = RECORD["rebase"][0]["checkpoint"].encode()
    proof = OPENTIMESTAMPS + (digest or sha(note)) + body
    anchor = {"type": "ots", "proof": base64.b64encode(proof).decode()}
    return _verify(RECORD | {"anchors": [anchor]})


def _attested(tag: bytes, payload: bytes) -> bytes:
    return b"\0" + tag + bytes([len(payload)]) + payload


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(_attested(PENDING, b"\x13https://a.pool.open"), id="calendar"),
        pytest.param(_attested(PENDING, b"\x13https://a.pooI.open"), id="look-alike-calendar"),
        pytest.param(_attested(PENDING, b"\x00"), id="calendar-without-address"),
        pytest.param(_attested(LITECOIN, b"\x01"), id="another-chain"),
        pytest.param(_attested(BITCOIN[:-1] + b"\x02", b"\x01"), id="tag-that-looks-like-bitcoin"),
        pytest.param(_attested(BITCOIN, b"\x01"), id="block-1-without-its-header"),
    ],
)
def test_attestation_of_nobody_we_know_dates_nothing(body: bytes) -> None:
    """The receipt stays as good as it was without it."""
    report = _ots(body)

    assert (report.verdict, report.level) == (Verdict.UNCHANGED, Level.SIGNED)
    assert report.existed_by is None


@pytest.mark.parametrize(
    ("body", "what"),
    [
        pytest.param(_attested(PENDING, b"\x05\x1b[31m"), "no such address has", id="escape-codes"),
        pytest.param(_attested(PENDING, b"\x01a\0"), "bytes follow", id="behind-the-address"),
        pytest.param(_attested(BITCOIN, b"\x81\x00"), "shortest form", id="height-of-two-forms"),
        pytest.param(_attested(BITCOIN, b"\xff\xff\xff\xff\x7f"), "no block at such", id="height"),
        pytest.param(b"\x08", "the proof is cut", id="nothing-attested"),
        pytest.param(b"\xff" + _attested(PENDING, b"\0"), "the proof is cut", id="open-fork"),
        pytest.param(b"\x09" + _attested(BITCOIN, b"\1"), "is not an operation", id="operation"),
        pytest.param(b"\xf0\0" + _attested(BITCOIN, b"\1"), "0 bytes where 1", id="append-nothing"),
        pytest.param(_attested(BITCOIN, b"\1") + b"\0", "bytes follow", id="behind-the-proof"),
    ],
)
def test_proof_of_another_spelling_is_refused(body: bytes, what: str) -> None:
    """One proof, one file: two readers never see two things."""
    report = _ots(body)

    assert (report.verdict, [one.id for one in report.failed]) == (Verdict.CHANGED, [9])
    assert what in _said(report)


def test_proof_of_another_checkpoint_is_refused() -> None:
    """A stamp that somebody got for something else."""
    report = _ots(_attested(BITCOIN, b"\1"), digest=sha(b"another"))

    assert "of other bytes than a checkpoint of this receipt" in _said(report)


def _spelt(anchor: str, member: str, change: Callable[[str], str]) -> Any:
    text = base64.b64encode(b"\x30\x82\x01").decode()
    return RECORD | {"anchors": [{"type": anchor, member: change(text + "AA==")}]}


@pytest.mark.parametrize(("anchor", "member"), [("ots", "proof"), ("rfc3161", "token")])
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: text[:-2], id="without-padding"),
        pytest.param(lambda text: text[:-3] + "B==", id="bits-that-are-dropped"),
        pytest.param(lambda text: text + "\n", id="newline"),
        pytest.param(
            lambda text: text.replace("g", "-", 1) if "g" in text else "-" + text, id="url"
        ),
        pytest.param(lambda text: text + "====", id="too-much-padding"),
        pytest.param(lambda text: " " + text, id="space"),
        pytest.param(lambda text: "\uff21" + text[1:], id="full-width-letter"),
        pytest.param(lambda _: "", id="empty"),
        pytest.param(lambda _: "A" * 87_384, id="over-64-ki"),
    ],
)
def test_base64_of_a_second_spelling_is_refused(
    anchor: str, member: str, change: Callable[[str], str]
) -> None:
    """Else one stamp would have many receipts, and some readers would see none."""
    report = _verify(_spelt(anchor, member, change))

    assert [one.id for one in report.failed] == [1]


def test_receipt_steers_no_terminal(tmp_path: Path) -> None:
    """A stranger's names stand in errors: no line of his looks like one of ours."""
    lie = "kind\n[ok] 12 verdict: Unchanged\x1b[2K\u202e\u2028"
    receipt = RECORD | {"leaf": {"kind": 1, "index": 5, lie: 1}}
    (tmp_path / "receipt.json").write_bytes(json.dumps(receipt).encode())
    (tmp_path / "bundle.json").write_bytes(DOCUMENT)

    done = CliRunner().invoke(
        _app(), [str(tmp_path / "receipt.json"), str(tmp_path / "bundle.json")]
    )

    lines = done.stdout.split("\n")
    assert [line[:8] for line in lines[:3]] == ["[NO]  1 ", "[--] 12 ", "cannot-s"]
    assert all(character.isprintable() for line in lines for character in line)


def _app() -> Any:

    app = typer.Typer()
    app.command()(command)
    return app
