"""Plain text."""

from collections.abc import Callable
from typing import Any

import pytest

CASES: list[Any] = [
    pytest.param("ST.string", "Smith \\T\\ Sons", "", "Smith & Sons", [], id="escape"),
    pytest.param("ST.string", " a\x00b ", "", "ab", [], id="control-character"),
    pytest.param("ST.string", "abc^^", "", "abc", [], id="empty-components"),
    pytest.param("ST.string", "a^b", "", "a^b", [], id="unescaped-delimiter"),
    pytest.param("ST.string", '""', "", None, [], id="delete-marker"),
    pytest.param("FT.markdown", "one\\.br\\two", "", "one\ntwo", [], id="line-break"),
    pytest.param("ST.code", " a  b ", "", "a b", [], id="code"),
    pytest.param("ST.uri", "http://a b", "", "http://a%20b", [], id="uri"),
    pytest.param("ST.id", "a.b-1", "", "a.b-1", [], id="id"),
    pytest.param("ST.id", "a_b", "", None, [], id="no-id"),
    pytest.param(
        "ST.id",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "",
        None,
        [],
        id="long-id",
    ),
    pytest.param("TX.Annotation", "note", "", {"text": "note"}, [], id="annotation"),
    pytest.param("ST.Identifier", "987", "", {"value": "987"}, [], id="identifier"),
    pytest.param("TX.HumanName", "Dr Who", "", {"text": "Dr Who"}, [], id="name"),
    pytest.param("NM.string", "<5", "", "<5", [], id="number-as-text"),
]


@pytest.mark.parametrize(("name", "text", "table", "expected", "found"), CASES)
def test_text_is_clean(
    convert: Callable[..., Any],
    name: str,
    text: str,
    table: str,
    expected: object,
    found: list[str],
) -> None:
    """Text is trimmed, unescaped and free of what FHIR forbids."""
    value = convert(name, text, table)

    assert value == (expected, found)
