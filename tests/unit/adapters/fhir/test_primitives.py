"""The grammar of each primitive type, at its edges."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from adapters.fhir.primitives import GRAMMARS
from bridge.core.record.bundle import Json


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", "a" * 64),
        ("id", "A-1.b"),
        ("code", "a b"),
        ("uri", "urn:oid:2.16.840.1"),
        ("uri", "relative/path"),
        ("canonical", "http://x/y|1.0#z"),
        ("uuid", "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"),
        ("date", "2024-02-29"),
        ("date", "2024"),
        ("dateTime", "2024-02-29T23:59:60Z"),
        ("dateTime", "2024-02-29T23:59:59.123456789+14:00"),
        ("instant", "2015-02-07T13:28:17.239+02:00"),
        ("time", "23:59:59"),
        ("base64Binary", "QUJD\r\nREVG"),
        ("base64Binary", "QQ=="),
        ("decimal", Raw(b"-1.50e+3")),
        ("decimal", 3),
        ("integer", Raw(b"-2147483648")),
        ("positiveInt", Raw(b"1")),
        ("unsignedInt", Raw(b"0")),
        ("string", "tab\tline\n"),
        ("boolean", False),
    ],
)
def test_value_of_the_grammar_is_accepted(name: str, value: Json) -> None:
    """The widest spellings that R4 allows."""
    assert GRAMMARS[name](value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", "a" * 65),
        ("id", "a_b"),
        ("id", ""),
        ("code", " a"),
        ("code", "a  b"),
        ("code", "a\x00b"),
        ("uri", "a b"),
        ("uri", "urn:oid:3.1"),
        ("uri", "urn:uuid:1234"),
        ("oid", "urn:oid:1.02"),
        ("date", "2023-02-29"),
        ("date", "2024-13"),
        ("date", "0000"),
        ("date", "24-01-01"),
        ("dateTime", "2024-01-01T10:00Z"),
        ("dateTime", "2024-01-01T10:00:00"),
        ("dateTime", "2024-01-01T24:00:00Z"),
        ("dateTime", "2024-01-01T10:00:00+15:00"),
        ("instant", "2024-01-01"),
        ("time", "24:00:00"),
        ("base64Binary", "QUJ"),
        ("base64Binary", "Q=JD"),
        ("base64Binary", "QUJ-"),
        ("decimal", "1.0"),
        ("decimal", True),
        ("integer", Raw(b"2147483648")),
        ("integer", Raw(b"1.0")),
        ("positiveInt", Raw(b"0")),
        ("unsignedInt", Raw(b"-1")),
        ("string", "  "),
        ("string", "a\x07"),
        ("string", "x" * 1_048_577),
        ("boolean", "true"),
        ("boolean", 1),
    ],
)
def test_value_outside_the_grammar_is_refused(name: str, value: Json) -> None:
    """The nearest spellings that R4 does not allow."""
    assert not GRAMMARS[name](value)


@given(st.from_regex(re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII), fullmatch=True))
def test_every_id_of_the_grammar_is_an_id(text: str) -> None:
    """The check is the grammar of R4, no more and no less."""
    assert GRAMMARS["id"](text)
    assert not GRAMMARS["id"](f"{text}\n")


@given(st.dates())
def test_every_day_of_the_calendar_is_a_date(day: object) -> None:
    """Days that exist are dates and dateTimes."""
    assert GRAMMARS["date"](str(day))
    assert GRAMMARS["dateTime"](str(day))


@given(st.one_of(st.text(), st.booleans(), st.none(), st.just({}), st.just([])))
def test_any_value_gets_an_answer(value: Json) -> None:
    """No grammar raises, whatever it is asked."""
    assert all(grammar(value) in (True, False) for grammar in GRAMMARS.values())
