"""Checks 4, 6 and 7: heads signed by keys that are believed, that were, and that never were."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from bridge.core.proof.report import Level, Report, Verdict
from bridge.core.proof.trust_file import parse_trust
from bridge.core.proof.verify import verify
from tests.fakes import sealed
from tests.fakes.endpoint import honest
from tests.fakes.sealed import DOCUMENT, World, dumped, trust_text

WORLD = World()
RECORD = WORLD.record_receipt()
NEW_KEY = sealed.Key(name=sealed.ORIGIN, seed=b"\x05" * 32)
"""The log's key after a rotation."""


def _verify(receipt: Any, **tables: object) -> Report:
    """With these tables in the trust file beside or instead of the usual ones."""
    believed = json.loads(trust_text()) | tables
    trust = parse_trust(json.dumps(believed).encode())
    return verify(dumped(receipt), DOCUMENT, trust=trust, chain=[honest(WORLD)])


def _noted(note: bytes | str, later: bytes | None = None) -> Any:
    """The receipt with another signed checkpoint, and another later one."""
    text = note if isinstance(note, str) else note.decode()
    head = RECORD["tlog_proof"].partition("\n\n")[0]
    step = RECORD["rebase"][0]
    if later is not None:
        step = step | {"checkpoint": later.decode()}
    return RECORD | {"tlog_proof": f"{head}\n\n{text}", "rebase": [step]}


def _failing(report: Report) -> list[str]:
    return [f"{check.id} {check.name}" for check in report.failed]


def _said(report: Report, number: int) -> str:
    return next(check.detail for check in report.checks if check.id == number)


def _keys(until: int | None, *more: sealed.Key) -> list[dict[str, object]]:
    """Rows of the log's first key, retired at a size, and of further ones."""
    rows: list[dict[str, object]] = [
        {"origin": sealed.ORIGIN, "key": one.verifier()} for one in (sealed.LOG_KEY, *more)
    ]
    if until is not None:
        rows[0]["until"] = until
    return rows


@pytest.mark.parametrize(
    ("until", "failing"),
    [
        pytest.param(8, ["4 checkpoint", "7 rebase"], id="before-the-receipt"),
        pytest.param(9, ["7 rebase"], id="at-the-receipt"),
        pytest.param(11, [], id="at-the-anchored-head"),
    ],
)
def test_retired_key_signs_no_head_above_its_last(until: int, failing: list[str]) -> None:
    """Whoever steals it later can sign in the log's name no more."""
    report = _verify(RECORD, log=_keys(until, NEW_KEY))

    assert [one for one in _failing(report) if one[0] in "47"] == failing
    assert (report.verdict is Verdict.UNCHANGED) is not bool(failing)
    if failing:
        number = int(failing[-1][0])
        assert f"was retired when the log had {until} leaves" in _said(report, number)


def test_head_of_both_keys_needs_the_retired_one_no_more() -> None:
    """While a rotation lasts both sign; the newer signature is enough for ever."""
    leaves = WORLD.leaves[: WORLD.anchored]
    later = sealed.note(leaves)
    text = later.partition(b"\n\n")[0] + b"\n"
    both = later + NEW_KEY.line(text)

    report = _verify(_noted(sealed.note(WORLD.leaves[: WORLD.size]), both), log=_keys(9, NEW_KEY))

    assert (report.verdict, report.level) == (Verdict.UNCHANGED, Level.ANCHORED)


def test_late_head_that_nobody_known_signed_is_not_called_retired() -> None:
    """The words accuse the holder of a retired key only where such a key signed."""
    stranger = replace(sealed.LOG_KEY, seed=b"\x09" * 32)
    forged = sealed.note(WORLD.leaves[: WORLD.size], key=stranger)

    report = _verify(_noted(forged), log=_keys(8, NEW_KEY))

    assert "no known key signed the note" in _said(report, 4)


@pytest.mark.parametrize("needed", [0, 1, 2])
def test_witnesses_raise_the_level_when_there_are_enough(needed: int) -> None:
    """One witness of one needed gives level 3; of two needed it stays at 2."""
    note = sealed.note(WORLD.leaves[: WORLD.size], witness=sealed.WITNESS_KEY)
    witness = [{"key": sealed.WITNESS_KEY.verifier(kind=4)}]

    report = _verify(_noted(note) | {"anchors": []}, witness=witness, policy={"witnesses": needed})

    assert report.verdict is Verdict.UNCHANGED
    assert report.level is (Level.WITNESSED if needed < 2 else Level.SIGNED)


def test_forged_witness_is_caught() -> None:
    """A cosignature by the name of a witness that its key did not make is a lie, not a lack."""
    thief = replace(sealed.WITNESS_KEY, seed=b"\x08" * 32)
    text = sealed.note(WORLD.leaves[: WORLD.size]).decode()
    body = text.partition("\n\n")[0].encode() + b"\n"
    line = thief.cosignature(body, sealed.TIME_S).decode().split(" ")
    honest_id = sealed.WITNESS_KEY.cosignature(body, 1).decode().split(" ")[2]
    raw = base64.b64decode(honest_id)[:4] + base64.b64decode(line[2])[4:]
    forged = f"{line[0]} {line[1]} {base64.b64encode(raw).decode()}\n"

    report = _verify(_noted(text + forged), witness=[{"key": sealed.WITNESS_KEY.verifier(kind=4)}])

    assert _failing(report) == ["6 witnesses"]


def test_unreadable_checkpoint_is_caught() -> None:
    """Without a head there is nothing to be included in."""
    report = _verify(_noted("no checkpoint\n"))

    assert (report.verdict, _failing(report)) == (Verdict.CHANGED, ["4 checkpoint"])


def test_rebase_to_another_log_is_caught() -> None:
    """A later checkpoint of some other log says nothing about this one."""
    note = sealed.note(WORLD.leaves[: WORLD.anchored]).decode()
    other = note.replace(sealed.ORIGIN, "log.example/other").encode()

    report = _verify(_noted(sealed.note(WORLD.leaves[: WORLD.size]), other))

    assert _failing(report)[0] == "7 rebase"
    assert "a later checkpoint is of another log" in _said(report, 7)
