"""Old mappings followed again."""

import msgspec

from adapters.hl7v2.dialect import Hl7v2
from adapters.hl7v2.history import Hl7v2History
from adapters.hl7v2.overlays import parse_profile
from bridge.core.errors import BridgeError
from bridge.core.ids import sha256
from bridge.ports.mappings import Again, Original

RAW = "MSH|^~\\&|LABX|X|||20240701||ADT^A08|1|P|2.5\rPID|1||1||Müller\r".encode("iso8859-1")
THEN = Hl7v2((parse_profile("labx", 'match = { "MSH-3" = "LABX" }\nfallback = "8859/1"'),))


def again(document: bytes, raw: bytes = RAW) -> Again | BridgeError:
    """By a node that has other overlays now."""
    original = Original(source=raw, pinned="", charset="", bundle=b"", mapping=sha256(document))
    return Hl7v2History(Hl7v2()).again(document, original)


def test_same_bytes_without_doubt() -> None:
    """The code is the same, so a difference would be a change."""
    made = THEN.convert(RAW, sender="")

    assert again(THEN.mappings[made.mapping]) == Again(bundle=made.canonical, doubt="")
    assert Hl7v2History(THEN).mappings == THEN.mappings


def test_other_code_is_a_doubt_that_names_what_moved() -> None:
    """By their own versions, at most five."""
    document = msgspec.json.decode(THEN.mappings[THEN.engine("labx").digest])
    document["code"] = "ab" * 32
    document["versions"] = {**document["versions"], "XPN.HumanName": 99, "gone": 1}

    found = again(msgspec.json.encode(document))

    assert isinstance(found, Again)
    assert found.doubt.startswith("made by rules version abababababab, this node runs ")
    assert "XPN.HumanName 99 to " in found.doubt
    assert "gone 1 to none" in found.doubt


def test_what_cannot_be_followed_is_returned_not_raised() -> None:
    """A function that is gone, a message that is refused now."""
    document = msgspec.json.decode(THEN.mappings[THEN.engine("labx").digest])
    document["maps"][0][1]["row"][0] = {"id": "x", "from": "PID-5", "to": "name[]", "as": "X.Gone"}

    assert "there is no datatype function X.Gone" in str(again(msgspec.json.encode(document)))
    assert isinstance(again(THEN.mappings[THEN.engine("labx").digest], b"no HL7"), BridgeError)
