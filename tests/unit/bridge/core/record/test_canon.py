"""The canonical form: what is refused, what is kept as written, and in which order."""

import pytest
from msgspec import Raw

from bridge.core.errors import BridgeError, Fault
from bridge.core.record.canon import MAX_DEPTH, canonical, canonicalise, parse

REFUSED = {
    "duplicate key": (
        b'{"a":[{"b":1,"c":2,"b":1}]}',
        r"an object has the same key twice \(\$\.a\[0\]\) - keep one of them",
    ),
    "duplicate key spelt by escape": (b'{"b":1,"\\u0062":2}', r"the same key twice \(\$\)"),
    "empty string": (b'{"a":""}', r"is empty \(\$\.a\) - leave it out"),
    "empty key": (b'{"a":{"":1}}', r"is empty \(\$\.a\.\?\)"),
    "empty object": (b'{"a":[1, { }]}', r"is empty \(\$\.a\[1\]\)"),
    "empty array": (b'{"a":[1,[\n]]}', r"is empty \(\$\.a\[1\]\)"),
    "empty at the top": (b"{}", r"is empty \(\$\)"),
    "not a number": (b'{"a":NaN}', r"NaN or infinity is not a JSON number \(\$\.a\)"),
    "infinity": (b"[-Infinity]", r"NaN or infinity"),
    "high surrogate alone": (b'["\\ud83d"]', r"half of a surrogate pair \(\$\[0\]\)"),
    "low surrogate in a key": (b'{"\\uDE02":1}', r"half of a surrogate pair \(\$\.\?\)"),
    "byte order mark": (b"\xef\xbb\xbf[1]", r"byte order mark precedes the JSON \(byte 0\)"),
    "invalid UTF-8": (b'["a\xff"]', r"not UTF-8 \(byte 3\) - send UTF-8"),
    "surrogate in UTF-8": (b'["\xed\xa0\x80"]', r"not UTF-8 \(byte 2\)"),
    "trailing bytes": (b'{"a":1} x', r"bytes follow the JSON value \(byte 8\)"),
    "second value": (b"1 2", r"bytes follow the JSON value \(byte 2\)"),
    "nothing": (b"", r"malformed: expecting value \(byte 0\) - send valid JSON"),
    "leading zero": (b"[01]", r"malformed"),
    "leading plus": (b"[+1]", r"malformed"),
    "point without digits": (b"[1.]", r"malformed"),
    "control character": (b'["a\x00"]', r"malformed: invalid control character \(byte 3\)"),
    "offset counts bytes": ('["é" 1]'.encode(), r"malformed: .* \(byte 6\)"),
    "single quotes": (b"{'a':1}", r"malformed"),
    "comma at the end": (b"[1,]", r"malformed"),
    "long integer": (b"[" + b"9" * 65 + b"]", r"a number has over 64 characters .* \(\$\[0\]\)"),
    "long decimal": (b"[0." + b"9" * 65 + b"]", r"a number has over 64 characters"),
    "large exponent": (b"[1E+1000]", r"an exponent over 999 \(\$\[0\]\)"),
    "deep": (b'{"a":' * 65 + b"1" + b"}" * 65, r"deeper than 64 levels \(document\)"),
    "deep past recursion": (b"[" * 1_000_000, r"deeper than 64 levels"),
    "deep behind a feint in a string": (b'["]",' * 65 + b"1" + b"]" * 65, r"deeper than 64"),
    "deep behind an escaped quote": (b'["\\"]",' * 65 + b"1" + b"]" * 65, r"deeper than 64"),
    "unclean and then cut short": (b'{"a":[1,{"b":1,"b":2}', r"malformed"),
    "many brackets, one never closed": (b"[" + b"[1]," * 70, r"malformed"),
    "closed before it is opened": (b"]" * 70 + b"[" * 70, r"malformed"),
    "closed by the other kind": (b"[}" * 40, r"malformed"),
}


@pytest.mark.parametrize(("data", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_unclean_json_is_refused_with_its_place(data: bytes, message: str) -> None:
    """Each refusal is the sender's fault and says where it is."""
    with pytest.raises(BridgeError, match=message) as caught:
        parse(data)

    assert caught.value.fault is Fault.SENDER


def test_refusal_never_repeats_content() -> None:
    """A key that is not a plain name could be a patient's, so the path hides it."""
    with pytest.raises(BridgeError) as caught:
        parse(b'{"Jane Doe":{"Erika Musterfrau":""}}')

    assert str(caught.value) == ("a string, key, object or array is empty ($.?.?) - leave it out")


def test_number_keeps_its_digits() -> None:
    """0.010 is not 0.01, and a large integer is not rounded."""
    value = parse(b"[0.010, 7.40, -0, 1E+2, 123456789012345678901234567890]")

    assert isinstance(value, list)
    assert [bytes(part) for part in value if isinstance(part, Raw)] == [
        b"0.010", b"7.40", b"-0", b"1E+2", b"123456789012345678901234567890",
    ]  # fmt: skip


def test_deepest_allowed_nesting_is_read() -> None:
    """64 levels pass; brackets inside strings are not levels."""
    data = b"[" * MAX_DEPTH + b'"[[[[{{{{\\""' + b"]" * MAX_DEPTH

    assert canonicalise(data) == data


def test_content_that_looks_empty_is_read() -> None:
    """An escaped quote, brackets in a narrative and a whole surrogate pair are clean."""
    data = rb'{"div":"<p>[]{}</p>\"","pair":"\ud83d\ude02","null":[null,"a"]}'

    assert canonicalise(data) == ('{"div":"<p>[]{}</p>\\"","null":[null,"a"],"pair":"😂"}'.encode())


def test_keys_are_sorted_by_utf16() -> None:
    """A key beyond U+FFFF sorts before U+FB33, because its first UTF-16 unit is smaller."""
    value = parse('{"\ufb33":1,"x":{"\ufb33":[{"b":1,"a":2}],"😂":2},"😂":2}'.encode())

    assert canonical(value) == (
        '{"x":{"😂":2,"\ufb33":[{"a":2,"b":1}]},"😂":2,"\ufb33":1}'.encode()
    )


def test_escapes_are_those_of_rfc_8785() -> None:
    """Short escapes where JSON has them, lower-case hexadecimal for other controls, else raw."""
    characters = "".join(map(chr, range(0x20))) + '"\\/\x7f\u2028'

    assert canonical([characters]) == (
        rb'["\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\b\t\n\u000b\f\r\u000e\u000f'
        rb"\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001a\u001b\u001c\u001d"
        rb"\u001e\u001f\"\\/" + b"\x7f\xe2\x80\xa8" + b'"]'
    )


def test_value_built_by_code_is_written() -> None:
    """Code makes numbers as Raw or int, and booleans and null are literals."""
    assert canonical({"b": Raw(b"7.40"), "a": [1, True, None]}) == b'{"a":[1,true,null],"b":7.40}'
