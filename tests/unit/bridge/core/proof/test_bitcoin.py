"""Bitcoin headers, by the genesis block that everybody knows."""

import pytest

from bridge.core.errors import BridgeError
from bridge.core.proof.bitcoin import BITCOIN, parse_bitcoin_header

GENESIS = bytes.fromhex(
    "01000000" + "00" * 32 + "3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a"
    "29ab5f49ffff001d1dac2b7c"
)
"""https://en.bitcoin.it/wiki/Genesis_block."""


def test_genesis_block_reads_as_known() -> None:
    """Its hash begins the chain's name; its time is the evening of 3 January 2009."""
    header = parse_bitcoin_header(GENESIS)

    assert header.hash.hex().startswith(BITCOIN.removeprefix("bip122:"))
    assert header.timestamp_s == 1_231_006_505


@pytest.mark.parametrize("bits", ["ffff001c", "ffff80ff", "ffffff01", "00000021"])
def test_header_without_its_work_is_refused(bits: str) -> None:
    """A hash above the target, and targets that are none."""
    forged = GENESIS[:72] + bytes.fromhex(bits) + GENESIS[76:]

    with pytest.raises(BridgeError, match="above the target"):
        parse_bitcoin_header(forged)


def test_header_of_another_size_is_refused() -> None:
    """Eighty bytes, always."""
    with pytest.raises(BridgeError, match="80 bytes, found 79"):
        parse_bitcoin_header(GENESIS[:79])
