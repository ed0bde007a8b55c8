"""Strict JSON of a receipt: no key twice, integers only, every size bounded, a path in each error.

Receipts are read in thirty years by programs in other languages: what two parsers could read in
two ways is refused here. Source: RFC 8259, I-JSON (RFC 7493), docs/spec/receipt.md.
"""

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn, TypeAlias, TypeVar

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest

__all__ = ["MAX_DEPTH", "Members", "Value", "dump", "load", "nesting"]

Value: TypeAlias = "dict[str, Value] | list[Value] | str | bool | int | None"
T = TypeVar("T")

MAX_NUMBER = (1 << 53) - 1
"""I-JSON: what every parser reads exactly. A log of 2^53 leaves takes 28 years at 10 million a
second."""
MAX_DEPTH = 32
"""A receipt nests four deep. Counted before parsing: the parser recurses in C, and a process that
raised Python's recursion limit would end in a stack overflow."""
# Matches from every opening quote, closed or not: else many escaped quotes cost quadratic time.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_HEX = re.compile(r"(?:[0-9a-f]{2})*", re.ASCII)


def load(data: bytes, *, max_size: int, where: str) -> Value:
    """Parse JSON text.

    Args:
        data: UTF-8.
        max_size: refuse more bytes than this.
        where: name of the whole for error texts, such as `receipt`.

    Raises:
        BridgeError: `receipt-json`.
    """
    if len(data) > max_size:
        _refuse("receipt-json", f"{len(data)} bytes exceed the limit of {max_size}", where)
    if nesting(data) > MAX_DEPTH:
        _refuse("receipt-json", "the text nests too deep", where)
    try:
        value: Value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object,
            parse_float=_no_fraction,
            parse_constant=_no_fraction,
            parse_int=_integer,
        )
    except json.JSONDecodeError as error:
        _refuse("receipt-json", "the text is not JSON or is cut", f"{where}, byte {error.pos}")
    except UnicodeDecodeError as error:
        _refuse("receipt-json", "the text is not UTF-8", f"{where}, byte {error.start}")
    if b"\\ud" in data.lower() and not _writable(value):
        _refuse("receipt-json", "a string holds a lone surrogate", where)
    return value


def nesting(data: bytes) -> int:
    """The deepest nesting of a JSON text, strings aside; linear in its size.

    For whoever parses what a stranger sent in a process whose recursion limit was raised, as EVM
    libraries do on import: there the parser ends in a stack overflow, which nothing can catch.
    """
    depth = deepest = 0
    for bracket in _STRING.sub(b"", data).translate(None, _NOT_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def dump(value: Value) -> bytes:
    """The one spelling that we write: no white space, members in order of name, UTF-8."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """One JSON object at its path, read member by member. Each reader refuses the wrong type."""

    value: dict[str, Value]
    where: str

    @classmethod
    def of(cls, value: Value, where: str) -> "Members":
        """The object at this path."""
        if not isinstance(value, dict):
            _refuse("receipt-form", "an object is expected", where)
        return cls(value=value, where=where)

    def text(self, name: str, *, max_size: int = 256) -> str:
        """A string of 1 to `max_size` characters."""
        found = self.value.get(name)
        if not isinstance(found, str) or not 0 < len(found) <= max_size:
            self._expected(name, f"a string of 1 to {max_size} characters")
        return found

    def number(self, name: str) -> int:
        """A whole number from 0 to 2^53 - 1."""
        found = self.value.get(name)
        if not isinstance(found, int) or isinstance(found, bool) or found < 0:
            self._expected(name, "a whole number from 0 to 2^53 - 1")
        return found

    def digest(self, name: str) -> Digest:
        """32 bytes as 64 digits 0-9 a-f."""
        return Digest(self._hex(name, self.value.get(name), size=32))

    def digests(self, name: str, *, at_most: int) -> tuple[Digest, ...]:
        """A list of 32-byte values."""
        return self.each(
            name, lambda value, where: Digest(self._hex(where, value, size=32)), at_most=at_most
        )

    def base64(self, name: str, *, max_size: int) -> bytes:
        """1 to `max_size` bytes in base64 (RFC 4648 s4), the one spelling with padding."""
        found = self.value.get(name)
        data = b""
        if isinstance(found, str) and 0 < len(found) <= 4 * ((max_size + 2) // 3):
            try:
                data = base64.b64decode(found, validate=True)
            except ValueError:
                data = b""
        if not data or len(data) > max_size or base64.b64encode(data).decode("ascii") != found:
            self._expected(name, f"1 to {max_size} bytes in base64")
        return data

    def prefixed(self, name: str, *, size: int = 0, max_size: int = 0) -> bytes:
        """Bytes as Ethereum writes them, `0x` and digits; `size` exact, else 1 to `max_size`."""
        return self._prefixed(name, self.value.get(name), size, max_size)

    def prefixed_list(self, name: str, *, at_most: int, max_size: int) -> tuple[bytes, ...]:
        """A list of byte strings as Ethereum writes them."""
        return self.each(
            name, lambda value, where: self._prefixed(where, value, 0, max_size), at_most=at_most
        )

    def inner(self, name: str) -> "Members":
        """The object under a member."""
        return Members.of(self.value.get(name), f"{self.where}.{name}")

    def each(self, name: str, read: Callable[[Value, str], T], *, at_most: int) -> tuple[T, ...]:
        """The list under a member, each element through `read(element, path)`."""
        found = self.value.get(name)
        if not isinstance(found, list) or len(found) > at_most:
            self._expected(name, f"a list of at most {at_most}")
        return tuple(
            read(element, f"{self.where}.{name}[{place}]") for place, element in enumerate(found)
        )

    def only(self, *names: str) -> None:
        """Refuse members beyond these: this part of the format never grows."""
        extra = sorted(self.value.keys() - set(names))
        if extra:
            _refuse(
                "receipt-form",
                f"{len(extra)} members that this part does not have",
                f"{self.where}.{extra[0][:40]}",
            )

    def beyond(self, *names: str) -> tuple[tuple[str, str], ...]:
        """Members that this version does not know, each as name and JSON text, in order."""
        return tuple(
            (name, dump(self.value[name]).decode("utf-8"))
            for name in sorted(self.value.keys() - set(names))
        )

    def _prefixed(self, name: str, found: Value, size: int, max_size: int) -> bytes:
        if not isinstance(found, str) or not found.startswith("0x"):
            self._expected(name, "0x and an even number of digits 0-9 a-f")
        return self._hex(name, found[2:], size=size, max_size=max_size)

    def _hex(self, name: str, found: Value, *, size: int, max_size: int = 0) -> bytes:
        limit = size or max_size
        low = size or 1
        if (
            not isinstance(found, str)
            or not 2 * low <= len(found) <= 2 * limit
            or not _HEX.fullmatch(found)
        ):
            sizes = f"{size}" if size else f"1 to {max_size}"
            self._expected(name, f"{sizes} bytes as digits 0-9 a-f")
        return bytes.fromhex(found)

    def _expected(self, name: str, what: str) -> NoReturn:
        path = name if name.startswith(self.where) else f"{self.where}.{name}"
        _refuse("receipt-form", f"{what} is expected", path)


def _object(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    found = dict(pairs)
    if len(found) != len(pairs):
        _refuse("receipt-json", "an object has the same member twice", "receipt")
    return found


def _no_fraction(_: str) -> NoReturn:
    _refuse("receipt-json", "a number is not whole", "receipt")


def _integer(digits: str) -> int:
    """Bounded before it is converted: `int` of a million digits takes seconds."""
    if len(digits) > 17 or abs(int(digits)) > MAX_NUMBER or digits == "-0":
        _refuse("receipt-json", "a number exceeds 2^53 - 1", "receipt")
    return int(digits)


def _writable(value: Value) -> bool:
    """Whether UTF-8 can write it: an escape can name half a surrogate pair."""
    try:
        dump(value)
    except UnicodeEncodeError:
        return False
    return True


def _refuse(code: str, what: str, where: str) -> NoReturn:
    raise BridgeError(
        code,
        Fault.SENDER,
        what=what,
        where=where,
        do="fetch the receipt again, or check that the whole file was kept",
    )
