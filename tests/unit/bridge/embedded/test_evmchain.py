"""One transaction a block, mined at once, and the same chain after a restart."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_account import Account

from bridge.embedded.blockfile import BlockFile
from bridge.embedded.evmchain import CHAIN_ID, EvmChain, Refusal
from tests.fakes.sources import FixedClock

OWNER = Account.from_key(b"\x01" * 32)
ADDRESS = bytes.fromhex(OWNER.address[2:])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the blocks are."""
    return tmp_path / "blocks"


@pytest.fixture
def chain(path: Path) -> Iterator[EvmChain]:
    """A fresh chain."""
    made = EvmChain(path, funded=ADDRESS, clock=FixedClock())
    yield made
    made.close()


def payment(nonce: int, **changes: object) -> bytes:
    """A signed transaction of the funded account."""
    fields: dict[str, object] = {
        "type": 2,
        "chainId": CHAIN_ID,
        "nonce": nonce,
        "gas": 30_000,
        "maxFeePerGas": 10**10,
        "maxPriorityFeePerGas": 1,
        "to": bytes(20),
        "value": 1,
        "data": b"",
    }
    return bytes(OWNER.sign_transaction(fields | changes).raw_transaction)


def test_chain_killed_at_any_byte_of_a_block_opens_with_the_one_before(
    chain: EvmChain, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The block that was being written was answered to nobody: it is mined again, another time.

    A chain is made of the batches of its file and of nothing else. At every single byte they are
    those of before; on some of these files the chain is opened and goes on, too.
    """
    chain.send(payment(0))
    whole, first = path.stat().st_size, chain.head.hash
    chain.send(payment(1))
    chain.close()
    written = path.read_bytes()
    monkeypatch.setattr(os, "fsync", lambda _: None)  # waits for the disk some thousand times
    path.write_bytes(written[:whole])
    with BlockFile(path) as file:
        before = file.batches

    for end in range(whole, len(written)):
        path.write_bytes(written[:end])
        with BlockFile(path) as file:
            assert file.batches == before
        assert path.read_bytes() == written[:whole]
    for end in {*range(whole, len(written), 211), whole + 7, whole + 8, len(written) - 1}:
        path.write_bytes(written[:end])
        again = EvmChain(path, funded=ADDRESS, clock=FixedClock())
        assert (again.head.block_number, again.head.hash) == (1, first)
        again.send(payment(1))
        assert again.head.block_number == 2
        again.close()


def test_restart_gives_the_same_chain(chain: EvmChain, path: Path) -> None:
    """Hashes, receipts and state; the clock of the second process plays no part in it."""
    sent = [chain.send(payment(nonce)) for nonce in range(3)]
    before = chain.head.hash
    chain.close()
    late = FixedClock("2031-01-01T00:00:00.000000Z")

    again = EvmChain(path, funded=bytes(20), clock=late)

    assert again.head.hash == before
    assert all(again.find(tx_hash) is not None for tx_hash in sent)
    assert again.nonce(ADDRESS, again.head) == 3
    again.send(payment(3))
    again.close()


def test_block_times_rise_by_a_second_at_least(chain: EvmChain) -> None:
    """As on a real chain, even when the clock stands."""
    first = chain.head.timestamp

    chain.send(payment(0))
    chain.send(payment(1))

    assert chain.head.timestamp == first + 2


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        pytest.param(payment(1), "nonce too high: next nonce 0, tx nonce 1", id="gap"),
        pytest.param(payment(0, maxFeePerGas=1, maxPriorityFeePerGas=1), "base fee", id="cheap"),
        pytest.param(payment(0, value=10**30), "insufficient funds", id="poor"),
        pytest.param(payment(0, gas=20_000), "intrinsic gas too low", id="no-gas"),
        pytest.param(payment(0, gas=10**8), "exceeds block gas limit", id="too-much-gas"),
        pytest.param(payment(0, chainId=1), "invalid", id="other-chain"),
        pytest.param(b"\x02\xc0", "invalid transaction", id="junk"),
        pytest.param(b"", "invalid transaction", id="empty"),
        pytest.param(payment(0)[:-1], "invalid transaction", id="cut"),
    ],
)
def test_bad_transaction_is_refused_in_the_words_of_geth(
    chain: EvmChain, raw: bytes, words: str
) -> None:
    """Clients tell these apart by their text; nothing is mined."""
    with pytest.raises(Refusal, match=words):
        chain.send(raw)

    assert chain.head.block_number == 0


def test_same_transaction_again_is_known(chain: EvmChain) -> None:
    """And another one at its nonce comes too late."""
    chain.send(payment(0))

    with pytest.raises(Refusal, match="already known"):
        chain.send(payment(0))
    with pytest.raises(Refusal, match="nonce too low: next nonce 1, tx nonce 0"):
        chain.send(payment(0, value=2))
