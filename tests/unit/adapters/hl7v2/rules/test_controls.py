"""Rules of MessageHeader."""

from collections.abc import Callable
from typing import Any

Build = Callable[..., bytes]
Convert = Callable[[bytes], dict[str, list[dict[str, Any]]]]


def test_acknowledgement_is_a_response(message: Build, convert: Convert) -> None:
    """MSA gives MessageHeader.response where FHIR can hold it."""
    good = convert(message("ACK^A01", "MSA|AA|C77", patient=""))["MessageHeader"][0]
    bad = convert(message("ACK^A01", "MSA|AA|not an id", patient=""))["MessageHeader"][0]

    assert good["response"] == {"identifier": "C77", "code": "ok"}
    assert "response" not in bad
