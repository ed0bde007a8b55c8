"""The anchoring key comes from a file that only its owner reads."""

import json
import traceback
from pathlib import Path

import pytest
from eth_account import Account

from bridge.chain.account import KeyFileAccount
from bridge.core.errors import BridgeError

KEY = b"\x01" * 32
TRANSACTION = {
    "type": 2,
    "chainId": 1,
    "nonce": 0,
    "gas": 21_000,
    "maxFeePerGas": 1,
    "maxPriorityFeePerGas": 1,
    "to": bytes(20),
    "value": 0,
    "data": b"",
}


def key_file(folder: Path, text: str, mode: int = 0o600) -> Path:
    """A key file."""
    path = folder / "key"
    path.touch(mode)
    path.chmod(mode)
    path.write_text(text)
    return path


def test_same_transaction_gives_the_same_bytes(tmp_path: Path) -> None:
    """A crash between signing and storing changes nothing (RFC 6979)."""
    account = KeyFileAccount(key_file(tmp_path, KEY.hex() + "\n"))

    assert account.sign(TRANSACTION) == account.sign(TRANSACTION)
    assert account.address == Account.from_key(KEY).address.lower()


def test_keystore_opens_with_its_password_alone(tmp_path: Path) -> None:
    """Web3 Secret Storage, as geth writes it."""
    store = json.dumps(Account.encrypt(KEY, "right", iterations=2))
    path = key_file(tmp_path, store)
    words = tmp_path / "password"
    words.touch(0o600)
    words.write_text("right\n")

    assert KeyFileAccount(path, password_file=words).address
    words.write_text("wrong\n")
    with pytest.raises(BridgeError) as refused:
        KeyFileAccount(path, password_file=words)
    assert str(refused.value) == (
        "the anchoring key cannot be read, or its password is wrong (key) - "
        "give a file with 64 hexadecimal digits, or a keystore and its password"
    )


@pytest.mark.parametrize("text", [KEY.hex()[:-1] + "x", KEY.hex() + "01", "0x" + KEY.hex() + "z"])
def test_neither_refusal_nor_its_causes_quote_the_file(tmp_path: Path, text: str) -> None:
    """What libraries say of a mistyped key holds most of the key."""
    with pytest.raises(BridgeError) as refused:
        KeyFileAccount(key_file(tmp_path, text))

    told = "".join(traceback.format_exception(refused.value))
    assert KEY.hex()[:16] not in told
    assert refused.value.__cause__ is None


def test_key_with_its_prefix_is_the_same_key(tmp_path: Path) -> None:
    """As many tools export it."""
    plain = KeyFileAccount(key_file(tmp_path, KEY.hex())).address

    assert KeyFileAccount(key_file(tmp_path, "0x" + KEY.hex())).address == plain


def test_password_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """It opens the key."""
    path = key_file(tmp_path, json.dumps(Account.encrypt(KEY, "right", iterations=2)))
    words = tmp_path / "password"
    words.write_text("right")
    words.chmod(0o640)

    with pytest.raises(BridgeError, match=r"may be read by others \(mode 640\) \(password\)"):
        KeyFileAccount(path, password_file=words)


@pytest.mark.parametrize("text", ["", "00" * 32, "junk", "{}", "ab" * 31])
def test_no_key_is_refused(tmp_path: Path, text: str) -> None:
    """Without a word of what the file holds."""
    with pytest.raises(BridgeError, match="the anchoring key cannot be read"):
        KeyFileAccount(key_file(tmp_path, text))


def test_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """Before it is used."""
    with pytest.raises(BridgeError, match=r"may be read by others \(mode 644\)"):
        KeyFileAccount(key_file(tmp_path, KEY.hex(), 0o644))


def test_missing_file_is_named(tmp_path: Path) -> None:
    """By its name, not its path."""
    with pytest.raises(BridgeError, match=r"\(absent\)"):
        KeyFileAccount(tmp_path / "absent")
