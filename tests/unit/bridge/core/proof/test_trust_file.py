"""The trust file: both forms, the round trip, and a misspelt key that would believe too much."""

import json
from dataclasses import replace

import pytest

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest, TreeSize
from bridge.core.proof.trust import KnownBlock, Trust
from bridge.core.proof.trust_file import parse_trust, trust_text
from tests.fakes import sealed

GOOD = json.loads(sealed.trust_text())


def _full() -> Trust:
    value = GOOD | {
        "witness": [{"key": sealed.WITNESS_KEY.verifier(kind=4)}],
        "policy": {"witnesses": 1},
    }
    trust = parse_trust(json.dumps(value).encode())
    block = KnownBlock(chain=sealed.CHAIN, number=42, hash=Digest(bytes(32)))
    return Trust(
        logs=(replace(trust.logs[0], until=TreeSize(52_140)),),
        witnesses=trust.witnesses,
        witnesses_needed=trust.witnesses_needed,
        contracts=trust.contracts,
        blocks=(block,),
    )


def test_written_trust_reads_back() -> None:
    """What a node writes for its people is what the verifier reads."""
    trust = _full()

    assert parse_trust(trust_text(trust).encode()) == trust


def test_address_may_be_written_with_its_checksum() -> None:
    """Wallets show addresses with the capitals of EIP-55; bytes are compared."""
    shown = parse_trust(sealed.trust_text(address="0x" + sealed.ADDRESS.hex().upper()))

    assert shown.contracts[0].address == sealed.ADDRESS


def test_chain_is_not_independent_unless_it_is_said() -> None:
    """The default believes less."""
    value = json.loads(sealed.trust_text())
    del value["contract"][0]["independent"]

    assert parse_trust(json.dumps(value).encode()).contracts[0].independent is False


def _with(table: str, **members: object) -> bytes:
    value = json.loads(sealed.trust_text())
    value.setdefault(table, [{}])[0] |= members
    return json.dumps(value).encode()


BLOCK = {"chain": sealed.CHAIN, "number": 42, "hash": "0x" + "00" * 32}


def _rows(table: str, *rows: dict[str, object]) -> bytes:
    return json.dumps(json.loads(sealed.trust_text()) | {table: rows}).encode()


def _twice(table: str, **members: object) -> bytes:
    """A row, and the same again but for these members."""
    (row,) = json.loads(sealed.trust_text())[table]
    return _rows(table, row, row | members)


def _witness(name: str) -> dict[str, object]:
    return {"key": replace(sealed.WITNESS_KEY, name=name).verifier(kind=4)}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"[[log", "neither TOML nor JSON", id="cut-toml"),
        pytest.param(b"\xff", "neither TOML nor JSON", id="not-utf-8"),
        pytest.param(b" " * 300_000, "exceed the limit", id="large"),
        pytest.param(b"log = 1", r"a list of tables \[\[log\]\]", id="no-list"),
        pytest.param(b"log = [1]", "a table is expected", id="no-table"),
        pytest.param(b"logs = []", "the key is not one of log", id="misspelt"),
        pytest.param(_with("contract", independant=True), "not one of origin", id="misspelt-flag"),
        pytest.param(_with("contract", independent="yes"), "true or false", id="flag-as-text"),
        pytest.param(_with("contract", endpoints=0), "a whole number from 1", id="no-endpoint"),
        pytest.param(_with("contract", origin="other"), "no \\[\\[log\\]\\] gives", id="no-log"),
        pytest.param(_with("contract", finality="soon"), "does not match", id="finality"),
        pytest.param(_with("contract", address="0x12"), "40 hex digits", id="short-address"),
        pytest.param(_with("contract", chain=""), "a string of 1 to 1024", id="no-chain"),
        pytest.param(_with("log", key="x"), "not written as name", id="key"),
        pytest.param(
            _with("log", key=sealed.WITNESS_KEY.verifier(kind=4)), "type 1", id="witness-as-log"
        ),
        pytest.param(
            _with("witness", key=sealed.LOG_KEY.verifier()), "type 4", id="log-as-witness"
        ),
        pytest.param(_with("log", origin="log.example/b"), "another name", id="key-of-another-log"),
        pytest.param(_with("log", until=-1), "a whole number from 0", id="until-below-zero"),
        pytest.param(_with("log", until="9"), "a whole number from 0", id="until-as-text"),
        pytest.param(_twice("log", until=4), r"two \[\[log\]\] are of one key", id="key-twice"),
        pytest.param(
            _twice("contract", finality="instant"), "of one contract and log id", id="pin-twice"
        ),
        pytest.param(_twice("chain", independent=False), "of one chain", id="chain-twice"),
        pytest.param(
            _rows("block", BLOCK, BLOCK | {"hash": "0x" + "11" * 32}), "one height", id="two-blocks"
        ),
        pytest.param(
            _rows("witness", _witness("a.example"), _witness("b.example")),
            "whoever holds it would count as two",
            id="witness-of-two-names",
        ),
        pytest.param(
            _rows("witness", {"key": replace(sealed.LOG_KEY, name="w").verifier(kind=4)}),
            "a log's key is a witness's",
            id="log-witnesses-itself",
        ),
    ],
)
def test_wrong_trust_file_is_refused(data: bytes, words: str) -> None:
    """A misspelt wish is never read as another one: the operator is told the key."""
    with pytest.raises(BridgeError, match=words) as refusal:
        parse_trust(data)

    assert refusal.value.fault is Fault.OPERATOR
