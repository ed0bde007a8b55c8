"""Documents of a message as bytes."""

from base64 import b64encode
from collections.abc import Callable
from hashlib import sha1

import pytest

from adapters.hl7v2.dialect import Hl7v2
from adapters.hl7v2.extract import documents
from adapters.hl7v2.rules import documents as rules

Build = Callable[..., bytes]
PDF = b"%PDF-1.4 " + bytes(range(256))


def test_document_comes_out_as_it_went_in_whatever_its_size(
    dialect: Hl7v2, message: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that the bundle has no place for is here all the same, under the hash that it names."""
    monkeypatch.setattr(rules, "MAX_DOCUMENT", 8)
    body = b64encode(PDF).decode()
    raw = message("ORU^R01", "OBR|1||F1|X", f"OBX|1|ED|PDF||^AP^PDF^Base64^{body}||||||F")

    found = documents(dialect, raw)

    assert found == [(f"{sha1(PDF, usedforsecurity=False).hexdigest()}.pdf", PDF)]


def test_message_without_documents_has_none(dialect: Hl7v2, message: Build) -> None:
    """Text is no document."""
    assert documents(dialect, message("ADT^A01")) == []
