"""The account that anchors: who holds its key signs here, and nowhere else."""

from pathlib import Path
from typing import Any, Protocol

from bridge.chain.evm_libraries import Account, LocalAccount
from bridge.core.errors import BridgeError, Fault

__all__ = ["AnchorAccount", "KeyFileAccount", "sender_of"]


def sender_of(raw: bytes) -> str:
    """The account that signed a transaction, in lower case."""
    return str(Account.recover_transaction(raw)).lower()


class AnchorAccount(Protocol):
    """Trusted to sign what it is asked to.

    A thief of it can anchor junk heads, which no signed checkpoint supports, until the owner
    names another anchorer.
    """

    address: str
    """Lower-case hexadecimal with 0x."""

    def sign(self, transaction: dict[str, Any]) -> tuple[bytes, bytes]:
        """Hash and raw bytes of a transaction. The same input may give other bytes (KMS)."""


class KeyFileAccount:
    """A key in a file: hexadecimal for development, or an encrypted keystore (Web3 Secret Storage).

    Source: https://ethereum.org/en/developers/docs/data-structures-and-encoding/web3-secret-storage/
    """

    def __init__(self, path: Path, *, password_file: Path | None = None) -> None:
        """Read the key once.

        Raises:
            BridgeError: `anchor-key` with fault OPERATOR when it or its password cannot be read;
                `anchor-key-mode` when others than its owner may.
        """
        password = "" if password_file is None else _read(password_file).splitlines()[:1]
        self._account = _load(path, "".join(password))
        self.address: str = self._account.address.lower()

    def sign(self, transaction: dict[str, Any]) -> tuple[bytes, bytes]:
        """Deterministic (RFC 6979): the same transaction gives the same bytes."""
        signed = self._account.sign_transaction(transaction)
        return bytes(signed.hash), bytes(signed.raw_transaction)


def _load(path: Path, password: str) -> LocalAccount:
    text = _read(path).strip()
    try:
        key = (
            Account.decrypt(text, password)
            if text.startswith("{")
            else bytes.fromhex(text.removeprefix("0x"))
        )
        account: LocalAccount = Account.from_key(key)
    except (ValueError, TypeError, KeyError, AttributeError):
        # From none: the libraries quote what they could not read, which may be the key.
        raise _unreadable(path) from None
    return account


def _read(path: Path) -> str:
    """A file that only its owner may read."""
    try:
        mode = path.stat().st_mode
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise _unreadable(path) from None
    if mode & 0o077:
        raise BridgeError(
            "anchor-key-mode",
            Fault.OPERATOR,
            what=f"the anchoring key or password may be read by others (mode {mode & 0o777:03o})",
            where=path.name,
            do="chmod 600 the file",
        )
    return text


def _unreadable(path: Path) -> BridgeError:
    return BridgeError(
        "anchor-key",
        Fault.OPERATOR,
        what="the anchoring key cannot be read, or its password is wrong",
        where=path.name,
        do="give a file with 64 hexadecimal digits, or a keystore and its password",
    )
