"""A document that a program saved otherwise is told from one that somebody edited."""

import pytest

from bridge.core.ids import sha256
from bridge.core.proof.lookalike import lookalike

SEALED = b"MSH|^~\\&|A\rPID|1\r"
JSON = b'{"a":"\xc3\xa9"}'


@pytest.mark.parametrize(
    ("document", "sealed", "words"),
    [
        pytest.param(b"\xef\xbb\xbf" + JSON, JSON, "byte order mark", id="notepad"),
        pytest.param(JSON.decode().encode("utf-16"), JSON, "UTF-16", id="unicode-of-windows"),
        pytest.param(SEALED.replace(b"\r", b"\n"), SEALED, "CR, as HL7", id="unix-editor"),
        pytest.param(SEALED.replace(b"\r", b"\r\n"), SEALED, "CR, as HL7", id="text-mode"),
        pytest.param(SEALED + b"\n", SEALED, "line ends", id="last-line"),
        pytest.param(b"\x0b" + SEALED + b"\x1c\r", SEALED, "MLLP frame", id="frame"),
        pytest.param(SEALED.rstrip(), SEALED, "one more", id="lost-last-line-end"),
    ],
)
def test_way_of_saving_is_named(document: bytes, sealed: bytes, words: str) -> None:
    """So that nobody is accused of what an editor did."""
    assert words in lookalike(document, [sha256(sealed)])


def test_edited_document_has_no_such_excuse() -> None:
    """One digit is one digit."""
    assert lookalike(SEALED.replace(b"1", b"2"), [sha256(SEALED)]) == ""
