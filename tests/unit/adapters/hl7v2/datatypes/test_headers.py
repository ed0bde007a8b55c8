"""Types of the message header."""

from collections.abc import Callable
from typing import Any

import pytest

CASES: list[Any] = [
    pytest.param(
        "MSG.Coding",
        "ADT^A01^ADT_A01",
        "",
        {
            "system": "http://terminology.hl7.org/CodeSystem/v2-0003",
            "code": "A01",
            "display": "ADT^A01^ADT_A01",
        },
        [],
        id="event",
    ),
    pytest.param(
        "MSG.Coding",
        "ZMX^Z01",
        "",
        {"system": "urn:x:stmary/CodeSystem/v2-0003", "code": "Z01", "display": "ZMX^Z01"},
        [],
        id="site-s-own-event",
    ),
    pytest.param("MSG.Coding", "ACK", "", None, [], id="no-event"),
    pytest.param("MSG.code", "ORU^R01", "", "R01", [], id="code"),
    pytest.param("MSG.string", "ORU^R01", "", "ORU^R01", [], id="text"),
    pytest.param(
        "PT.Meta",
        "P^A",
        "",
        {
            "tag": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/v2-0103",
                    "code": "P",
                    "display": "Production",
                },
                {
                    "system": "http://terminology.hl7.org/CodeSystem/v2-0207",
                    "code": "A",
                    "display": "Archive",
                },
            ]
        },
        [],
        id="tags",
    ),
    pytest.param("PT.Meta", "?", "", None, ["code-unmapped"], id="unknown"),
    pytest.param("PT.code", "T", "", "T", [], id="processing-id"),
    pytest.param("VID.code", "2.5.1^USA", "", "2.5.1", [], id="version"),
    pytest.param("VID.string", "2.5.1", "", "2.5.1", [], id="version-text"),
]


@pytest.mark.parametrize(("name", "text", "table", "expected", "found"), CASES)
def test_header_type(
    convert: Callable[..., Any],
    name: str,
    text: str,
    table: str,
    expected: object,
    found: list[str],
) -> None:
    """MSH's own types keep their codes."""
    value = convert(name, text, table)

    assert value == (expected, found)
