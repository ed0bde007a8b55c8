"""Documents."""

from collections.abc import Callable
from typing import Any

import pytest

CASES: list[Any] = [
    pytest.param("ED.Attachment", "^AP^PDF^Base64^ ", "", None, [], id="white-space"),
    pytest.param(
        "RP.Attachment",
        "x^^^text/xml",
        "",
        {"url": "x", "contentType": "text/xml"},
        [],
        id="whole-media-type",
    ),
    pytest.param(
        "ED.Attachment",
        "Src^AP^PDF^Base64^JVBERi0xLjQ=",
        "",
        {
            "contentType": "application/pdf",
            "data": "JVBERi0xLjQ=",
            "size": "8",
            "hash": "GChKT9CWeATJoCy1voZ5i1RQkVM=",
        },
        [],
        id="pdf",
    ),
    pytest.param(
        "ED.Attachment",
        "^application^^Base64^JVBERi0xLjQ=",
        "",
        {
            "contentType": "application/pdf",
            "data": "JVBERi0xLjQ=",
            "size": "8",
            "hash": "GChKT9CWeATJoCy1voZ5i1RQkVM=",
        },
        [],
        id="type-from-the-bytes",
    ),
    pytest.param(
        "ED.Attachment",
        "^TEXT^^A^hello^world",
        "",
        {
            "contentType": "text/plain",
            "data": "aGVsbG9ed29ybGQ=",
            "size": "11",
            "hash": "Yf5x9EnP9m/v41bZqqbjXaJEyLc=",
        },
        [],
        id="plain-text",
    ),
    pytest.param(
        "ED.Attachment",
        "^IM^JPEG^Hex^FFD8FF",
        "",
        {
            "contentType": "image/jpeg",
            "data": "/9j/",
            "size": "3",
            "hash": "o/8WOFvqHUU0nqEc4j5PM3t9TdU=",
        },
        [],
        id="hex",
    ),
    pytest.param(
        "ED.Attachment",
        "^AP^PDF^Base64^JVBERi0xLjQ",
        "",
        {
            "contentType": "application/pdf",
            "data": "JVBERi0xLjQ=",
            "size": "8",
            "hash": "GChKT9CWeATJoCy1voZ5i1RQkVM=",
        },
        ["attachment-padding"],
        id="no-padding",
    ),
    pytest.param(
        "ED.Attachment",
        "^AP^PDF^Base64^JVBE\\.br\\Ri0x",
        "",
        {
            "contentType": "application/pdf",
            "data": "JVBERi0x",
            "size": "6",
            "hash": "TBji7B0ebZ5T9XSZpmrraR1oc3A=",
        },
        [],
        id="folded",
    ),
    pytest.param(
        "ED.Attachment", "^AP^PDF^Base64^!!!", "", None, ["attachment-encoding"], id="no-base64"
    ),
    pytest.param(
        "ED.Attachment", "^AP^PDF^Hex^xyz", "", None, ["attachment-encoding"], id="no-hex"
    ),
    pytest.param(
        "ED.Attachment",
        "^AP^x-own^^JVBERi0x",
        "",
        {
            "contentType": "application/x-own",
            "data": "JVBERi0x",
            "size": "6",
            "hash": "TBji7B0ebZ5T9XSZpmrraR1oc3A=",
        },
        ["attachment-encoding-unsaid"],
        id="encoding-unsaid",
    ),
    pytest.param("ED.Attachment", "^AP^PDF^Base64^", "", None, [], id="no-data"),
    pytest.param(
        "RP.Attachment",
        "https://pacs.example/1 2^PACS^IM^JPEG",
        "",
        {"url": "https://pacs.example/1%202", "contentType": "image/jpeg"},
        [],
        id="pointer",
    ),
    pytest.param("RP.Attachment", "^PACS", "", None, [], id="no-pointer"),
]


@pytest.mark.parametrize(("name", "text", "table", "expected", "found"), CASES)
def test_document_is_whole_or_reported(
    convert: Callable[..., Any],
    name: str,
    text: str,
    table: str,
    expected: object,
    found: list[str],
) -> None:
    """A document carries type, size and hash, or there is none and a word about it."""
    value = convert(name, text, table)

    assert value == (expected, found)
