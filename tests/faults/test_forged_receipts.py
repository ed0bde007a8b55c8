"""What a stranger can make: he has keys, a log, a chain and contracts of his own, and our receipts.

Each attack has its answer by name; none is a traceback, and none is `unchanged` on our word.
"""

import base64
import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import rlp
from eth_hash.auto import keccak
from trie.hexary import HexaryTrie

from bridge.core.ids import Digest
from bridge.core.proof.endpoints import LiveHead
from bridge.core.proof.report import Level, Report, Verdict
from bridge.core.proof.trust import Trust
from bridge.core.proof.trust_file import parse_trust
from bridge.core.proof.verify import verify
from tests.fakes import sealed
from tests.fakes.endpoint import FakeEndpoint, honest
from tests.fakes.sealed import DOCUMENT, World, dumped
from tests.fakes.token import STAMPING, certified, forged_token

WORLD = World()
TRUST = parse_trust(sealed.trust_text())
FORGED = (
    b'{"entry":[{"resource":{"resourceType":"Patient","active":true}}],"resourceType":"Bundle"}'
)
TOPIC = keccak(b"Anchored(bytes32,uint64,uint64,bytes32,bytes32)")
ROOT = sealed.tree_root(WORLD.leaves[: WORLD.anchored])
EVENT: list[Any] = [
    sealed.ADDRESS,
    [TOPIC, sealed.LOG_ID, (9).to_bytes(32)],
    (11).to_bytes(32) + ROOT + bytes(32),
]


def _said(report: Report) -> str:
    """Every check that says no, and the verdict."""
    return " | ".join(f"{one.id} {one.name}: {one.detail}" for one in report.checks if not one.ok)


def test_log_of_a_stranger_is_not_ours_by_looking_like_it() -> None:
    """His forgery is sealed, signed and final on the very chain that we ask."""
    world = World(key=sealed.STRANGER_KEY)
    world.values["bundle"] = sealed.sha(FORGED)
    world.leaves[5] = sealed.leaf(
        1,
        {name: sealed.claim(name, world.salts[name], world.values[name]) for name in world.values},
    )
    receipt = world.record_receipt()

    report = verify(dumped(receipt), FORGED, trust=TRUST, chain=[_endpoint(receipt)])

    assert (report.verdict, report.level) == (Verdict.CANNOT_SAY, Level.SELF_CONSISTENT)
    assert "a log that your trust file does not name" in report.checks[-1].detail
    assert r"log.ex\u0430mple" in report.checks[3].detail


def _endpoint(receipt: dict[str, Any]) -> FakeEndpoint:
    """A chain that has the receipt's block, whatever stands in it."""
    block = Digest(bytes.fromhex(receipt["anchors"][0]["block_hash"][2:]))
    return replace(honest(WORLD), block=block)


def _block(*logs: list[Any], status: bytes = b"\1", spelling: Callable[..., bytes] = rlp.encode,
           **fields: bytes) -> dict[str, Any]:  # fmt: skip
    """An anchor in a sound block of one transaction, with these logs and fields of its header."""
    anchor = sealed.block(11, ROOT)
    receipt = b"\x02" + spelling([status, b"\x52\x08", bytes(256), list(logs)])
    trie: Any = HexaryTrie({})
    trie[rlp.encode(0)] = receipt
    header = list(rlp.decode(bytes.fromhex(anchor["header"][2:])))
    header[5] = trie.root_hash
    for name, value in fields.items():
        header[{"number": 8, "time": 11}[name]] = value
    raw = spelling(header)
    return anchor | {
        "header": "0x" + raw.hex(),
        "block_hash": "0x" + keccak(raw).hex(),
        "receipt": "0x" + receipt.hex(),
        "receipt_index": 0,
        "receipt_proof": ["0x" + rlp.encode(n).hex() for n in trie.get_proof(rlp.encode(0))],
        "log_position": 0,
    }


def _long_form(item: Any) -> bytes:
    """RLP whose outermost length has a zero too many, which some decoders read."""
    body: bytes = rlp.encode(item)
    size = body[0] - 0xF7
    return bytes([body[0] + 1, 0]) + body[1 : 1 + size] + body[1 + size :]


@pytest.mark.parametrize(
    ("anchor", "what"),
    [
        pytest.param(_block(EVENT, status=b""), "the transaction failed", id="failed-transaction"),
        pytest.param(_block(), "no Anchored event", id="no-event"),
        pytest.param(
            _block([b"\xab" * 20, *EVENT[1:]]), "no Anchored event", id="same-topic-other-contract"
        ),
        pytest.param(
            _block([EVENT[0], [TOPIC, b"\x08" * 32, EVENT[1][2]], EVENT[2]]),
            "no Anchored event",
            id="other-log-same-contract",
        ),
        pytest.param(_block(EVENT, EVENT), "2 Anchored events", id="two-logs-in-one-receipt"),
        pytest.param(
            _block([b"\xcc" * 20, [TOPIC], b""], EVENT), "stands at another place", id="log-index"
        ),
        pytest.param(
            _block([EVENT[0], EVENT[1], (12).to_bytes(32) + EVENT[2][32:]]),
            "with a root that the receipt does not prove",
            id="larger-size-same-root",
        ),
        pytest.param(
            _block([EVENT[0], EVENT[1], (1 << 64).to_bytes(32) + EVENT[2][32:]]),
            "exceeds 64 bits",
            id="size-over-64-bits",
        ),
        pytest.param(_block(EVENT, number=b"\x29"), "is of block 41", id="number-of-another"),
        pytest.param(_block(EVENT, number=b"\x00\x2a"), "leading zeros", id="padded-number"),
        pytest.param(_block(EVENT, time=b"\x01"), "states another time", id="back-dated-header"),
        pytest.param(_block(EVENT, time=b"\xff" * 5), "beyond the year 9999", id="end-of-time"),
        pytest.param(_block(EVENT, time=b"\xff" * 9), "at most 5 bytes", id="time-over-40-bits"),
        pytest.param(
            _block(EVENT, spelling=_long_form), "shortest form", id="rlp-of-two-spellings"
        ),
        pytest.param(
            _block(EVENT) | {"receipt_index": 1}, "holds nothing at this index", id="other-index"
        ),
        pytest.param(
            _block(EVENT) | {"header": sealed.block(11, ROOT)["header"]},
            "names by hash",
            id="proof-of-another-block",
        ),
        pytest.param(
            _block(EVENT) | {"code_hash": "0x" + "00" * 32}, "not the one", id="other-code"
        ),
    ],
)
def test_block_that_anchors_nothing_is_refused(anchor: dict[str, Any], what: str) -> None:
    """The chain says yes to each of these blocks; what stands in them is another thing."""
    receipt = WORLD.record_receipt() | {"anchors": [anchor]}

    report = verify(dumped(receipt), DOCUMENT, trust=TRUST, chain=[_endpoint(receipt)])

    assert (report.verdict, report.level) == (Verdict.CHANGED, Level.FAILED)
    assert what in _said(report)


def test_forger_of_blocks_is_fair() -> None:
    """The same tool makes a block that anchors: the refusals above are of the lies alone."""
    receipt = WORLD.record_receipt() | {"anchors": [_block(EVENT)]}

    report = verify(dumped(receipt), DOCUMENT, trust=TRUST, chain=[_endpoint(receipt)])

    assert (report.verdict, report.level) == (Verdict.UNCHANGED, Level.ANCHORED)


def test_anchor_of_a_test_chain_is_not_one_of_the_main_chain() -> None:
    """The contract stands at one address on both; the main chain has no such block."""
    receipt = WORLD.record_receipt()
    receipt["anchors"][0] |= {"chain": "eip155:1"}
    main = replace(honest(WORLD), serves="eip155:1", block=Digest(b"\x05" * 32))

    report = verify(
        dumped(receipt), DOCUMENT, trust=parse_trust(sealed.trust_text(chain="eip155:1")),
        chain=[main, honest(WORLD, name="test chain")],
    )  # fmt: skip

    assert (report.verdict, report.existed_by) == (Verdict.CANNOT_SAY, None)
    assert "serves another chain" in _said(report)


def test_endpoint_that_replays_an_old_head_is_named() -> None:
    """It shows the block, and a contract that stands before it."""
    stale = replace(honest(WORLD), live=LiveHead(size=9, root=Digest(bytes(32))))

    report = verify(dumped(WORLD.record_receipt()), DOCUMENT, trust=TRUST, chain=[stale])

    assert (report.verdict, report.existed_by) == (Verdict.CANNOT_SAY, None)
    assert "shows a log of 9 leaves, less than the 11 anchored" in _said(report)


def _note(change: Callable[[str], str]) -> dict[str, Any]:
    receipt = WORLD.record_receipt()
    head, _, note = receipt["tlog_proof"].partition("\n\n")
    return receipt | {"tlog_proof": f"{head}\n\n{change(note)}"}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda note: note.replace("\n", "\r\n"), id="crlf"),
        pytest.param(lambda note: note.rstrip("\n"), id="last-newline-lost"),
        pytest.param(lambda note: note + "\n", id="newline-too-many"),
        pytest.param(lambda note: note.replace("\n\n", "\n\n\n"), id="two-empty-lines"),
        pytest.param(lambda note: note.replace("\n9\n", "\n09\n"), id="leading-zero"),
        pytest.param(lambda note: note.replace("\n9\n", "\n+9\n"), id="plus"),
        pytest.param(lambda note: note.replace("\n9\n", "\n\u0669\n"), id="arabic-digit"),
        pytest.param(lambda note: note.replace("\n9\n", f"\n{1 << 63}\n"), id="size-of-2^63"),
        pytest.param(lambda note: note.replace("\n9\n", f"\n{1 << 64}\n"), id="size-of-2^64"),
        pytest.param(lambda note: note.replace("\n9\n", "\n0\n"), id="empty-tree"),
        pytest.param(lambda note: note.replace("\n9\n", "\n5\n"), id="index-at-the-size"),
        pytest.param(lambda note: note.replace("\u2014", "-"), id="hyphen-for-dash"),
        pytest.param(lambda note: note.replace("\u2014 ", "\u2014\u00a0"), id="no-break-space"),
        pytest.param(lambda note: note.replace("=\n", "\n", 1), id="padding-lost"),
        pytest.param(lambda note: "\ufeff" + note, id="byte-order-mark"),
        pytest.param(lambda note: note.replace("log.", "log\u200b."), id="zero-width-space"),
        pytest.param(lambda note: note.replace("hospital\n", "hospital \n", 1), id="space"),
    ],
)
def test_note_of_another_spelling_is_not_ours(change: Callable[[str], str]) -> None:
    """One text, one spelling: what another program might read as the same is refused."""
    report = verify(dumped(_note(change)), DOCUMENT, trust=TRUST, chain=[honest(WORLD)])

    assert report.verdict is not Verdict.UNCHANGED
    assert report.level < Level.SIGNED


def _signed(change: Callable[[bytes], bytes]) -> dict[str, Any]:
    """The receipt with the 64 bytes of its log's signature changed."""

    def resigned(note: str) -> str:
        text, _, line = note.rpartition(" ")
        raw = base64.b64decode(line.strip())
        return f"{text} {base64.b64encode(raw[:4] + change(raw[4:])).decode()}\n"

    return _note(resigned)


ORDER = (1 << 252) + 27742317777372353535851937790883648493


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(
            lambda one: (
                one[:32] + (int.from_bytes(one[32:], "little") + ORDER).to_bytes(32, "little")
            ),
            id="s-plus-the-order",
        ),
        pytest.param(lambda one: bytes([1]) + bytes(31) + one[32:], id="point-of-low-order"),
        pytest.param(lambda one: one + b"\0", id="longer"),
        pytest.param(lambda one: bytes(len(one)), id="zeros"),
        pytest.param(lambda one: one[:31] + bytes([one[31] ^ 0x80]) + one[32:], id="other-sign"),
    ],
)
def test_second_spelling_of_a_signature_is_refused(change: Callable[[bytes], bytes]) -> None:
    """Ed25519 leaves no room: else two notes would be one, and one hash of a note two."""
    report = verify(dumped(_signed(change)), DOCUMENT, trust=TRUST)

    assert (report.verdict, report.level) == (Verdict.CHANGED, Level.FAILED)
    assert "4 checkpoint" in _said(report)


def test_token_of_nobody_at_the_end_of_years_is_a_failed_check() -> None:
    """Whoever has no certificate that we trust can still write any time."""
    nobody = certified("nobody", uses=[STAMPING])
    note = WORLD.record_receipt()["rebase"][0]["checkpoint"].encode()
    token = forged_token(nobody, note, time="99991231235959.9Z")
    anchor = {"type": "rfc3161", "token": base64.b64encode(token).decode()}

    report = verify(dumped(WORLD.record_receipt() | {"anchors": [anchor]}), DOCUMENT, trust=TRUST)

    assert report.verdict is Verdict.CHANGED
    assert (
        "10 rfc3161: this time-stamp proves nothing: the time lies beyond the year 9999"
        in _said(report)
    )


HOSTILE: tuple[Any, ...] = (
    *(None, True, -1, 0, (1 << 53) - 1, 1 << 64, 10**400, 1.5),
    *("", "\0\u202e", "\ud800", "A" * 70_000, "0x", "0x" + "00" * 32, "00" * 32, "evm\n"),
    *("0x" + "\u0663" * 64, [], {}, [None]),
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every member below a value, and the ends of every list."""
    names: Any = value if isinstance(value, dict) else ()
    if isinstance(value, list) and value:
        names = sorted({0, len(value) - 1})
    for name in names:
        yield (*path, name)
        yield from _places(value[name], (*path, name))


@pytest.mark.parametrize("kind", ["record", "resource", "calldata"])
def test_hostile_value_at_any_place_is_answered(kind: str) -> None:
    """A report for each; unchanged only where a part that counts for nothing was changed."""
    receipt, document = _sample(kind)
    free = {"tx", "finality", "size", "type", "chain", "anchors"}

    for path in list(_places(receipt)):
        for value in HOSTILE:
            changed = copy.deepcopy(receipt)
            place = changed
            for name in path[:-1]:
                place = place[name]
            if place[path[-1]] == value:
                continue
            place[path[-1]] = value
            data = json.dumps(changed, ensure_ascii=value == "\ud800").encode()

            report = verify(data, document, trust=TRUST, chain=[honest(WORLD)])

            assert report.verdict is not Verdict.UNCHANGED or path[-1] in free, (path, value)


def _sample(kind: str) -> tuple[dict[str, Any], bytes]:
    if kind == "resource":
        return WORLD.resource_receipt("Observation/o3/1"), WORLD.versions["Observation/o3/1"]
    if kind == "calldata":
        return WORLD.record_receipt() | {"anchors": [sealed.posted(WORLD.anchored, ROOT)]}, DOCUMENT
    return WORLD.record_receipt(), DOCUMENT


def test_trust_is_never_taken_from_the_receipt() -> None:
    """Whoever names nobody believes nobody, whatever a receipt brings along."""
    receipt = WORLD.record_receipt() | {"trust": json.loads(sealed.trust_text()), "level": 4}

    report = verify(dumped(receipt), DOCUMENT, trust=Trust())

    assert (report.verdict, report.level) == (Verdict.CANNOT_SAY, Level.SELF_CONSISTENT)
    assert "2 members of a later version were not looked at" in report.checks[0].detail
