"""What is known of FHIR JSON before it is parsed."""

import sys

import pytest

from adapters.fhir import dialect
from adapters.fhir.glance import MAX_ENTRIES, check_entries, head_of
from bridge.core.errors import BridgeError
from bridge.core.record import canon

ENTRY = b'{"resource":{"resourceType":"Basic","extension":[{"url":"u","valueDecimal":1.50}]}},'


def _bundle(entries: int) -> bytes:
    listed = (ENTRY * entries).rstrip(b",")
    return b'{"resourceType":"Bundle","type":"collection","entry":[' + listed + b"]}"


def test_bundle_of_too_many_entries_is_refused_before_any_is_parsed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A body of a million entries costs a glance, also to say what it was."""
    raw = _bundle(MAX_ENTRIES + 1)
    monkeypatch.setattr(canon, "parse", lambda _: pytest.fail("it was parsed"))

    with pytest.raises(
        BridgeError, match=r"over 50,000 entries \(Bundle.entry\) - send it in parts"
    ):
        dialect.convert(raw, sender="")
    envelope = dialect.FhirDialect().envelope(raw, sender="s")

    assert envelope.message_type == "Bundle/collection"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"3",
        b'{"entry":3}',
        b'{"entry":null}',
        b'{"entry":[3]}',
        b"\xff",
        b'{"a":' * sys.getrecursionlimit(),
        _bundle(3),
    ],
)
def test_everything_else_is_left_to_the_parser(raw: bytes) -> None:
    """Which says what is wrong, and where."""
    check_entries(raw)
    head_of(raw)


def test_head_names_type_identifier_and_message_header() -> None:
    """As the parsed Bundle would, whatever else is in it."""
    raw = (
        b'{"resourceType":"Bundle","type":"message","identifier":{"value":"I1"},"entry":'
        b'[{"resource":{"resourceType":"MessageHeader","id":"h","x":[{}]}},{"y":1}]}'
    )

    assert head_of(raw) == {
        "resourceType": "Bundle",
        "type": "message",
        "identifier": {"value": "I1"},
        "entry": [{"resource": {"resourceType": "MessageHeader", "id": "h"}}],
    }
