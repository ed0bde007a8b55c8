"""The trust file, TOML or JSON: read strictly, and written; docs/spec/verify.md.

An unknown key is a misspelt wish, two rows of one thing are two wishes: both are refused.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import NoReturn

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest, TreeSize
from bridge.core.log.note import KeyKind, VerifierKey
from bridge.core.proof.bitcoin import BITCOIN, parse_bitcoin_header
from bridge.core.proof.certificates import read_certificate
from bridge.core.proof.members import Value, dump, load
from bridge.core.proof.trust import Authority, Contract, KnownBlock, LogKey, Network, Trust

__all__ = ["parse_trust", "trust_text"]

MAX_SIZE = 256 * 1024
"""A thousand logs and contracts; a trust file is written by people."""
_CHAIN = re.compile(r"eip155:[1-9][0-9]{0,14}", re.ASCII)
_FINALITY = re.compile(r"instant|finalized|depth-[1-9][0-9]{0,5}", re.ASCII)
_ONE = {
    "log": "key",
    "witness": "key, or a log's key is a witness's: whoever holds it would count as two",
    "contract": "contract and log id",
    "block": "height",
    "tsa": "certificate",
    "chain": "chain",
}
"""What a row of each table is of; a second row of the same says nothing, or another thing."""
_HEX = re.compile(r"0x(?:[0-9a-f]{2})+", re.ASCII)


def parse_trust(data: bytes) -> Trust:
    """Read a trust file, TOML or (first byte `{`) JSON.

    Raises:
        BridgeError: `trust-form` with fault OPERATOR, naming the key.
    """
    if len(data) > MAX_SIZE:
        _refuse(f"{len(data)} bytes exceed the limit of {MAX_SIZE}", "trust file")
    table = _Table(_document(data), "trust file")
    table.only("log", "witness", "policy", "contract", "block", "tsa", "chain")
    policy = table.inner("policy")
    policy.only("witnesses")
    logs = tuple(_log(row) for row in table.rows("log"))
    trust = Trust(
        logs=logs,
        witnesses=tuple(_witness(row) for row in table.rows("witness")),
        witnesses_needed=policy.number("witnesses", default=0),
        contracts=tuple(_contract(row, logs) for row in table.rows("contract")),
        blocks=tuple(_block(row) for row in table.rows("block")),
        authorities=tuple(_authority(row) for row in table.rows("tsa")),
        networks=tuple(_network(row) for row in table.rows("chain")),
    )
    _check_once(trust)
    return trust


def _check_once(trust: Trust) -> None:
    """Two rows of one thing would leave open which is believed; one key is one voice."""
    voices = [*{one.key.public for one in trust.logs}, *(one.public for one in trust.witnesses)]
    rows: Mapping[str, Sequence[object]] = {
        "log": [(one.origin, one.key) for one in trust.logs],
        "witness": voices,
        "contract": [(one.chain, one.address, one.log_id) for one in trust.contracts],
        "block": [(one.chain, one.number) for one in trust.blocks],
        "tsa": [one.certificate for one in trust.authorities],
        "chain": [one.chain for one in trust.networks],
    }
    for name, found in rows.items():
        if len(set(found)) != len(found):
            _refuse(f"two [[{name}]] are of one {_ONE[name]}", f"trust file.{name}")


def trust_text(trust: Trust) -> str:
    """The TOML that `parse_trust` reads back: what a node writes for its own people."""
    parts = [f"[policy]\nwitnesses = {trust.witnesses_needed}\n"]
    parts += [
        f"[[log]]\norigin = {_quoted(one.origin)}\nkey = {_quoted(one.key.encode())}\n"
        + ("" if one.until is None else f"until = {one.until}\n")
        for one in trust.logs
    ]
    parts += [f"[[witness]]\nkey = {_quoted(key.encode())}\n" for key in trust.witnesses]
    parts += [
        f"[[contract]]\norigin = {_quoted(pin.origin)}\nchain = {_quoted(pin.chain)}\n"
        f'address = "0x{pin.address.hex()}"\ncode_hash = "0x{pin.code_hash.hex()}"\n'
        f'log_id = "0x{pin.log_id.hex()}"\nfinality = {_quoted(pin.finality)}\n'
        f"independent = {str(pin.independent).lower()}\nendpoints = {pin.endpoints}\n"
        for pin in trust.contracts
    ]
    parts += [
        f"[[block]]\nchain = {_quoted(known.chain)}\nnumber = {known.number}\n"
        f'hash = "0x{known.hash.hex()}"\n'
        + (f'header = "0x{known.header.hex()}"\n' if known.header else "")
        for known in trust.blocks
    ]
    parts += [
        f"[[tsa]]\nindependent = {str(pin.independent).lower()}\n"
        f"certificate = {_quoted(pin.certificate.public_bytes(Encoding.PEM).decode())}\n"
        for pin in trust.authorities
    ]
    parts += [
        f"[[chain]]\nchain = {_quoted(pin.chain)}\nfinality = {_quoted(pin.finality)}\n"
        f"independent = {str(pin.independent).lower()}\nendpoints = {pin.endpoints}\n"
        for pin in trust.networks
    ]
    return "\n".join(parts)


def _quoted(text: str) -> str:
    """A TOML basic string: its escapes are those of JSON, for text without control characters."""
    return dump(text).decode()


def _document(data: bytes) -> object:
    if data.lstrip()[:1] == b"{":
        value: Value = load(data, max_size=MAX_SIZE, where="trust file")
        return value
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        _refuse("the text is neither TOML nor JSON in UTF-8", "trust file", cause=error)


def _log(row: "_Table") -> LogKey:
    row.only("origin", "key", "until")
    key, origin = VerifierKey.parse(row.text("key")), row.text("origin")
    if key.kind is not KeyKind.LOG:
        _refuse("a log key is of type 1 (c2sp.org/signed-note)", f"{row.where}.key")
    if key.name != origin:
        _refuse("the key has another name than the log's origin", f"{row.where}.key")
    until = TreeSize(row.number("until")) if "until" in row.value else None
    return LogKey(origin=origin, key=key, until=until)


def _witness(row: "_Table") -> VerifierKey:
    row.only("key")
    key = VerifierKey.parse(row.text("key"))
    if key.kind is not KeyKind.WITNESS:
        _refuse("a witness key is of type 4 (c2sp.org/tlog-cosignature)", f"{row.where}.key")
    return key


def _contract(row: "_Table", logs: Sequence[LogKey]) -> Contract:
    row.only(
        *("origin", "chain", "address", "code_hash", "log_id"),
        *("finality", "independent", "endpoints"),
    )
    origin = row.text("origin")
    if origin not in {one.origin for one in logs}:
        _refuse("a contract names a log that no [[log]] gives a key for", f"{row.where}.origin")
    return Contract(
        origin=origin,
        chain=row.matching("chain", _CHAIN),
        address=row.prefixed("address", 20),
        code_hash=row.prefixed("code_hash", 32),
        log_id=row.prefixed("log_id", 32),
        finality=row.matching("finality", _FINALITY),
        independent=row.flag("independent"),
        endpoints=row.number("endpoints", default=1, least=1),
    )


def _network(row: "_Table") -> Network:
    row.only("chain", "finality", "independent", "endpoints")
    return Network(
        chain=row.matching("chain", _CHAIN),
        finality=row.matching("finality", _FINALITY),
        independent=row.flag("independent"),
        endpoints=row.number("endpoints", default=1, least=1),
    )


def _block(row: "_Table") -> KnownBlock:
    row.only("chain", "number", "hash", "header")
    if row.text("chain") == BITCOIN:
        return _bitcoin_block(row)
    return KnownBlock(
        chain=row.matching("chain", _CHAIN),
        number=row.number("number"),
        hash=Digest(row.prefixed("hash", 32)),
    )


def _bitcoin_block(row: "_Table") -> KnownBlock:
    """The hash may be left out, since the header has it; both must agree."""
    data = row.prefixed("header", 80)
    try:
        header = parse_bitcoin_header(data)
    except BridgeError as error:
        _refuse(error.what, f"{row.where}.header", cause=error)
    if "hash" in row.value and row.prefixed("hash", 32) != header.hash:
        _refuse("the header does not hash to this", f"{row.where}.hash")
    return KnownBlock(chain=BITCOIN, number=row.number("number"), hash=header.hash, header=data)


def _authority(row: "_Table") -> Authority:
    row.only("certificate", "independent")
    try:
        der = x509.load_pem_x509_certificate(row.text("certificate", max_size=16_384).encode())
        certificate = read_certificate(der.public_bytes(Encoding.DER))
    except (BridgeError, ValueError) as error:
        _refuse("a certificate in PEM is expected", f"{row.where}.certificate", cause=error)
    return Authority(certificate=certificate, independent=row.flag("independent"))


class _Table:
    """One table of the file at its path; an unknown key is a misspelt wish and is refused."""

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, Mapping):
            _refuse("a table is expected", where)
        self.value, self.where = value, where

    def only(self, *names: str) -> None:
        for name in self.value:
            if name not in names:
                _refuse(f"the key is not one of {', '.join(names)}", f"{self.where}.{name!s:.40}")

    def text(self, name: str, *, max_size: int = 1024) -> str:
        found = self.value.get(name)
        if not isinstance(found, str) or not 0 < len(found) <= max_size:
            _refuse(f"a string of 1 to {max_size} characters is expected", f"{self.where}.{name}")
        return found

    def matching(self, name: str, pattern: re.Pattern[str]) -> str:
        found = self.text(name)
        if not pattern.fullmatch(found):
            _refuse(f"the text does not match {pattern.pattern}", f"{self.where}.{name}")
        return found

    def prefixed(self, name: str, size: int) -> bytes:
        """Addresses may be written with the capitals of EIP-55; the bytes are what is compared."""
        found = self.text(name).lower()
        if not _HEX.fullmatch(found) or len(found) != 2 + 2 * size:
            _refuse(f"0x and {2 * size} hex digits are expected", f"{self.where}.{name}")
        return bytes.fromhex(found[2:])

    def number(self, name: str, *, default: int | None = None, least: int = 0) -> int:
        found = self.value.get(name, default)
        if isinstance(found, bool) or not isinstance(found, int) or not least <= found < 1 << 53:
            _refuse(f"a whole number from {least} is expected", f"{self.where}.{name}")
        return found

    def flag(self, name: str) -> bool:
        found = self.value.get(name, False)
        if not isinstance(found, bool):
            _refuse("true or false is expected", f"{self.where}.{name}")
        return found

    def inner(self, name: str) -> "_Table":
        return _Table(self.value.get(name, {}), f"{self.where}.{name}")

    def rows(self, name: str) -> tuple["_Table", ...]:
        found = self.value.get(name, [])
        if not isinstance(found, list):
            _refuse(f"a list of tables [[{name}]] is expected", f"{self.where}.{name}")
        return tuple(
            _Table(row, f"{self.where}.{name}[{place}]") for place, row in enumerate(found)
        )


def _refuse(what: str, where: str, *, cause: Exception | None = None) -> NoReturn:
    raise BridgeError(
        "trust-form",
        Fault.OPERATOR,
        what=what,
        where=where,
        do="correct the trust file; docs/spec/verify.md shows one",
    ) from cause
