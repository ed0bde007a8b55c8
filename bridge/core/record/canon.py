"""The canonical form `fhir-anchor/json-literal/1`: the one spelling of a JSON value that is hashed.

UTF-8, no white space, keys in RFC 8785 order (UTF-16 code units), RFC 8785 string escapes, numbers
exactly as written. It differs from RFC 8785 in numbers alone, because FHIR says that 0.010 is not
0.01 (https://hl7.org/fhir/R4/datatypes.html#decimal). Specification: docs/spec/canonical.md.
"""

import json
import re
from collections.abc import Iterator
from typing import NoReturn

import msgspec

from bridge.core.errors import BridgeError, Fault
from bridge.core.record.bundle import Json

__all__ = ["MAX_DEPTH", "MAX_NUMBER", "canonical", "canonicalise", "parse"]

MAX_DEPTH = 64
"""Levels of object and array. The deepest official FHIR R4 example has 20; readers elsewhere give
up at 100 and up."""
MAX_NUMBER = 64
"""Characters of one number. FHIR asks for 18 significant digits; a longer literal is a mistake or
an attack on whoever computes with it."""
MAX_EXPONENT = 999
"""Absolute value of an exponent, for the same reason: 1e999999999 has a gigabyte of digits."""

BOM = b"\xef\xbb\xbf"
WHITE_SPACE = b" \t\r\n"
NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
ONE_KIND = bytes.maketrans(b"{}", b"[]")
OPENING = ord("[")
PLAIN_KEY = re.compile(r"[A-Za-z0-9_]{1,64}", re.ASCII)
ASTRAL = re.compile(rb"[\xf0-\xf4]")
"""First byte of a character beyond U+FFFF: only there UTF-8 order and UTF-16 order differ."""

SORTED = msgspec.json.Encoder(order="sorted")
AS_GIVEN = msgspec.json.Encoder()


class _Unclean(Exception):  # noqa: N818  a signal inside this file, never seen outside
    """The fast pass met something that the slow pass will name."""


class _Constant(str):
    """NaN or an infinity of the slow pass."""

    __slots__ = ()


class _Members(tuple[tuple[str, object], ...]):
    """An object of the slow pass, with its duplicate keys."""

    __slots__ = ()


def parse(data: bytes) -> Json:
    """The value of one JSON text, whole, strict and bounded.

    Refused beside malformed JSON: invalid UTF-8, a byte order mark, trailing bytes, duplicate keys,
    NaN and infinities, lone surrogates, nesting over `MAX_DEPTH`, empty strings, keys, objects and
    arrays, numbers over `MAX_NUMBER` characters or `MAX_EXPONENT`. The caller bounds the size.

    Returns:
        Objects as dict in the order as written; each number as `msgspec.Raw` with its digits.

    Raises:
        BridgeError: with fault SENDER, `where` a JSON path (keys that are not plain names are shown
            as `?`) or a byte offset; never content.
    """
    text = _text(data)
    _check_depth(data)
    try:
        value: Json = FAST.decode(text)
        suspect = _may_be_unclean(data)
    except _Unclean:
        value, suspect = None, True
    except json.JSONDecodeError as error:
        raise _malformed(error) from None
    if suspect:
        for refusal in _unclean_parts(text):
            raise refusal
    return value


def canonical(value: Json) -> bytes:
    """The bytes of a clean value: one that `parse` returned, or that our code built to its rules.

    Numbers are `msgspec.Raw` (copied) or int; a float is a bug of ours and is not looked for here.
    """
    data = SORTED.encode(value)
    if data.isascii() or ASTRAL.search(data) is None:
        return data
    return AS_GIVEN.encode(_reordered(value))


def canonicalise(data: bytes) -> bytes:
    """The canonical bytes of any spelling of the same value; raises as `parse` does."""
    return canonical(parse(data))


def _text(data: bytes) -> str:
    if data.startswith(BOM):
        raise _refusal("json-bom", "a byte order mark precedes the JSON", "byte 0", "remove it")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise _refusal(
            "json-utf8", "the JSON is not UTF-8", f"byte {error.start}", "send UTF-8"
        ) from None


def _check_depth(data: bytes) -> None:
    """Refuse deep nesting before a recursive parser sees it, in a few passes at C speed."""
    if data.count(b"[") + data.count(b"{") <= MAX_DEPTH:
        return
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    brackets = b"".join(data.split(b'"')[::2]).translate(ONE_KIND, NOT_BRACKETS)
    nested = brackets
    for _ in range(MAX_DEPTH + 1):
        if not nested:
            return
        nested = nested.replace(b"[]", b"")
    depth = 0
    for byte in brackets:
        depth += 1 if byte == OPENING else -1
        if depth > MAX_DEPTH:
            raise _refusal(
                "json-depth",
                f"the JSON nests deeper than {MAX_DEPTH} levels",
                "document",
                "send a flatter resource",
            )
        if depth < 0:
            return  # closes what it never opened: the parser says where


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Unclean
    return members


def _integer(text: str) -> msgspec.Raw:
    if len(text) > MAX_NUMBER:
        raise _Unclean
    return msgspec.Raw(text)


def _decimal(text: str) -> msgspec.Raw:
    if _number_too_large(text):
        raise _Unclean
    return msgspec.Raw(text)


def _number_too_large(text: str) -> bool:
    """The scanner has matched the FHIR decimal grammar already: it is the JSON grammar."""
    if len(text) > MAX_NUMBER:
        return True
    _, sign, exponent = text.lower().partition("e")
    return bool(sign) and abs(int(exponent)) > MAX_EXPONENT


def _constant(_text: str) -> NoReturn:
    raise _Unclean


def _may_be_unclean(data: bytes) -> bool:
    """Whether an empty thing or a lone surrogate is possible; content can look like one."""
    dense = data.translate(None, WHITE_SPACE)
    if b'""' in dense or b"{}" in dense or b"[]" in dense:
        return True
    return b"\\u" in data and (b"\\ud" in data or b"\\uD" in data)


FAST = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_decimal, parse_int=_integer, parse_constant=_constant
)
SLOW = json.JSONDecoder(
    object_pairs_hook=_Members,
    parse_float=msgspec.Raw,
    parse_int=msgspec.Raw,
    parse_constant=_Constant,
)
"""Keeps what is wrong, so that it can be named."""


def _unclean_parts(text: str) -> Iterator[BridgeError]:
    """A refusal for each unclean part in document order; none when the suspicion was wrong."""
    try:
        whole: object = SLOW.decode(text)
    except json.JSONDecodeError as error:
        raise _malformed(error) from None
    for path, part in _parts("$", whole):
        finding = _finding(part)
        if finding is not None:
            code, what, do = finding
            yield _refusal(code, what, path, do)


def _parts(path: str, value: object) -> Iterator[tuple[str, object]]:
    """Every value, and every key as a value, with its JSON path; depth is bounded already."""
    yield path, value
    if isinstance(value, _Members):
        for key, member in value:
            name = f"{path}.{key if PLAIN_KEY.fullmatch(key) else '?'}"
            yield name, key
            yield from _parts(name, member)
    elif isinstance(value, list):
        for place, member in enumerate(value):
            yield from _parts(f"{path}[{place}]", member)


def _finding(part: object) -> tuple[str, str, str] | None:
    """Code, what and do of a part that the form refuses."""
    match part:
        case _Members() if len({key for key, _ in part}) != len(part):
            return "json-duplicate-key", "an object has the same key twice", "keep one of them"
        case str() | list() | _Members() if not part:
            return "json-empty", "a string, key, object or array is empty", "leave it out"
        case str() if not _encodable(part):
            return "json-surrogate", "a string has half of a surrogate pair", "send both or none"
        case _Constant():
            return "json-number", "NaN or infinity is not a JSON number", "leave it out"
        case msgspec.Raw() if _number_too_large(bytes(part).decode()):
            return (
                "json-number",
                f"a number has over {MAX_NUMBER} characters or an exponent over {MAX_EXPONENT}",
                "round it to what was measured",
            )
    return None


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _reordered(value: Json) -> Json:
    """The same value with keys in order of their UTF-16 code units, RFC 8785 s3.2.3."""
    if isinstance(value, dict):
        ordered = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be"))
        return {key: _reordered(member) for key, member in ordered}
    if isinstance(value, list):
        return [_reordered(member) for member in value]
    return value


def _malformed(error: json.JSONDecodeError) -> BridgeError:
    offset = len(error.doc[: error.pos].encode())
    if error.msg == "Extra data":
        what = "bytes follow the JSON value"
        return _refusal("json-trailing", what, f"byte {offset}", "send one value alone")
    what = f"the JSON is malformed: {error.msg.removesuffix(' at').lower()}"
    return _refusal("json-syntax", what, f"byte {offset}", "send valid JSON")


def _refusal(code: str, what: str, where: str, do: str) -> BridgeError:
    return BridgeError(code, Fault.SENDER, what=what, where=where, do=do)
