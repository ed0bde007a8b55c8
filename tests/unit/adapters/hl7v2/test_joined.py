"""OBX after OBX that are one value."""

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from adapters.hl7v2.context import Context
from adapters.hl7v2.joined import joined

Build = Callable[..., bytes]
Convert = Callable[[bytes], dict[str, list[dict[str, Any]]]]

PDF = b64encode(b"%PDF-1.4 " + bytes(range(256)) * 3).decode()
HEAD = "^application^pdf^Base64^"
CUT = 400
"""A multiple of four: the first piece decodes alone."""


def ed(value: str, at: str = "", code: str = "PDF") -> str:
    """An OBX of a document."""
    return f"OBX|1|ED|{code}|{at}|{value}||||||F"


@pytest.mark.parametrize(
    "lines",
    [
        [ed(HEAD + PDF[:CUT], "1"), ed(HEAD + PDF[CUT:], "2")],
        [ed(HEAD + PDF[:CUT]), ed(f"^^^^{PDF[CUT:]}")],
        [ed(HEAD + PDF[:CUT]), ed(PDF[CUT:800]), ed(PDF[800:])],
        [ed(f"{HEAD}{PDF[:CUT]}~{PDF[CUT:]}")],
        [ed(f"{HEAD}{PDF[:CUT]}~{HEAD}{PDF[CUT:]}")],
        [ed(HEAD + PDF[: CUT + 1]), ed(HEAD + PDF[CUT + 1 :])],
        [ed(HEAD + PDF[:CUT]), ed(HEAD + PDF[CUT:])],
    ],
    ids=["numbered", "no-type", "bare", "repeated", "repeated-type", "odd-cut", "same-type"],
)
@pytest.mark.parametrize("kind", ["ORU^R01", "MDM^T02"])
def test_document_in_pieces_is_one(
    message: Build, convert: Convert, kind: str, lines: list[str]
) -> None:
    """However the sender cut it, one Binary holds the bytes that it had."""
    opening = "OBR|1||F1|PDF" if kind == "ORU^R01" else "TXA|1|AR|AP||||||||D1"

    found = convert(message(kind, opening, *lines))

    assert [one["data"] for one in found["Binary"]] == [PDF]


def test_pieces_that_were_encoded_one_by_one_are_one_document(
    message: Build, convert: Convert
) -> None:
    """Padding in the middle: bytes are joined, not texts."""
    whole = b"%PDF-1.4 first" + b"second"
    pieces = [b64encode(whole[:14]).decode(), b64encode(whole[14:]).decode()]

    found = convert(message("ORU^R01", "OBR|1||F1|PDF", *(ed(HEAD + one) for one in pieces)))

    assert [one["data"] for one in found["Binary"]] == [b64encode(whole).decode()]


@pytest.mark.parametrize(
    "second",
    [ed(HEAD + PDF), ed(HEAD + PDF[CUT:], code="OTHER"), ed(f"^image^png^Base64^{PDF[CUT:]}")],
    ids=["begins-itself", "other-code", "other-type"],
)
def test_documents_of_their_own_stay_apart(message: Build, convert: Convert, second: str) -> None:
    """Two documents below one report are two."""
    found = convert(message("ORU^R01", "OBR|1||F1|PDF", ed(HEAD + PDF), second))

    assert len(found["DocumentReference"]) == 2


def test_lines_numbered_by_sub_id_are_one_text(message: Build, convert: Convert) -> None:
    """OBX-4 as a line number; a gap begins another text."""
    lines = [f"OBX|{at}|TX|RAD|{at}|line {at}||||||F" for at in (1, 2, 3, 7)]

    found = convert(message("ORU^R01", "OBR|1||F1|RAD", *lines))

    assert [one["valueString"] for one in found["Observation"]] == [
        "line 1\nline 2\nline 3",
        "line 7",
    ]


def test_sub_ids_of_microbiology_are_no_line_numbers(message: Build, convert: Convert) -> None:
    """There OBX-4 says of which organism a text is."""
    lines = [f"OBX|{at}|TX|NOTE|{at}|organism {at}||||||F" for at in (1, 2)]

    found = convert(message("ORU^R01", "OBR|1||F1|CULT" + "|" * 20 + "MB", *lines))

    assert len(found["Observation"]) == 2


@pytest.mark.parametrize(
    "value", ["", "A", "A^B", "^text^plain^A^a^b", "^^^^x", "~", "^AP^PDF^Base64", "^^^Base64^"]
)
def test_what_is_joined_with_nothing_stays_as_it_was(value: str) -> None:
    """However few components it has, alone or twice."""
    lines = [["OBX", "1", "ED", "C", "", value, *[""] * 20] for _ in range(2)]

    assert joined(lines, Context()) == frozenset()

    assert [fields[5] for fields in lines] == [value, value]
