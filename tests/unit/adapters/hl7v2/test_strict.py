"""Messages judged by the letter, with segment, field and reason of what is wrong."""

import pytest

from adapters.hl7v2.dialect import Hl7v2
from adapters.hl7v2.overlays import parse_profile
from bridge.core.errors import BridgeError
from bridge.core.ids import RecordId
from bridge.flows.receive import SHARE, Inbound, prepare
from tests.fakes.sources import CountedEntropy, FixedClock

STRICT = Hl7v2((parse_profile("s", 'match = { "MSH-3" = "A" }\nvalidate = "strict"'),))
ADT = (
    "MSH|^~\\&|A|B|C|D|20240101120000||ADT^A01^ADT_A01|1|P|2.5\rEVN|A01|20240101120000\r"
    "PID|1||1^^^H^MR||Doe^Jane||19800101|F\rPV1|1|I\r"
)
ORU = (
    "MSH|^~\\&|A|B|C|D|20240101120000||ORU^R01^ORU_R01|1|P|2.5\rPID|1||1^^^H^MR||Doe^Jane\r"
    "OBR|1||F|X^y^z\rOBX|1|NM|1^a^LN||5.0|mg||N|||F\r"
)
PID = "PID|1||1^^^H^MR||Doe^Jane||19800101|F\r"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(ADT, id="as-it-is"),
        pytest.param(ADT + "ZPI|1|gold\r", id="own-segment"),
        pytest.param(ADT.replace("^ADT_A01", ""), id="structure-inferred"),
        pytest.param(ADT.replace("ADT^A01^ADT_A01", "ADT^A08"), id="other-trigger"),
        pytest.param(ADT.replace("19800101", '""'), id="deletion"),
        pytest.param(ADT.replace("ADT^A01^ADT_A01", "ADT^A01").replace("|2.5", "|2.3"), id="2.3"),
        pytest.param(ORU, id="result"),
        pytest.param(ORU.replace("NM|1^a^LN||5.0", "CE|1^a^LN||1^2^3"), id="coded-result"),
        pytest.param(ADT.translate(str.maketrans("|^~\\&", "#*+!%")), id="other-delimiters"),
    ],
)
def test_right_message_is_taken(text: str) -> None:
    """Z segments are nobody's business."""
    STRICT.convert(text.encode(), sender="")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (ADT.replace("EVN|A01|20240101120000\r", ""), r"a segment is missing in ADT_A01 \(EVN\)"),
        (ADT.replace(PID, PID * 2), r"a segment stands more often than it may in ADT_A01 \(PID\)"),
        (ADT + "SCH|1\r", r"the structure ADT_A01 has no such segment \(SCH\)"),
        (ADT.replace("EVN|A01|20240101120000\r" + PID, PID + "EVN|A01|20240101120000\r"),
         r"its structure has no place for it \(EVN\)"),
        (ORU.replace("OBR|1||F|X^y^z\r", ""), r"a segment is missing in ORU_R01 \(OBR\)"),
        (ADT.replace("Doe^Jane", ""), r"a required field is empty \(PID-5\)"),
        (ADT.replace("|19800101", "|19800101~19810101"),
         r"may stand 1 times, it stands 2 times \(PID-7\)"),
        (ADT.replace("|19800101", "|198x0101"), r"no value of its datatype \(TS\) \(PID-7\)"),
        (ADT.replace("PID|1", "PID|x"), r"no value of its datatype \(SI\) \(PID-1\)"),
        (ADT.replace("^MR", "^MR" + "^" * 12 + "x"), r"parts that its datatype .* \(PID-3\)"),
        (ADT.replace("|F\r", "|" + "F" * 200 + "\r"), r"longer than its datatype .* \(PID-8\)"),
        (ADT.replace("EVN|A01|20240101120000", "EVN|A01|20240101120000|||||||||x"),
         r"has no such field \(EVN-11\)"),
        (ORU.replace("5.0", "five"), r"no value of its datatype \(NM\) \(OBX-5\)"),
        (ORU.replace("NM|1^a^LN||5.0", "CE|1^a^LN||1^2^3^4^5^6^7"), r"parts .* \(OBX-5\)"),
        (ORU.replace("NM|", "QQ|"), r"parts that its datatype does not have \(OBX-5\)"),
        (ORU + "OBX|2|NM|1^a^LN||x\r", r"\(OBX\[2\]-5\)"),
        (ADT.replace("|2.5", "|2.9"), r"no tables of this version are here \(MSH-12\)"),
        (ADT.replace("|2.5", ""), r"no tables of this version are here \(MSH-12\)"),
        (ADT.replace("ADT^A01^ADT_A01", "ZZZ^Z01"), r"no such message structure \(MSH-9\)"),
    ],
)  # fmt: skip
def test_breach_is_refused_with_its_place(text: str, error: str) -> None:
    """And nothing of the value in the words."""
    with pytest.raises(BridgeError, match=error) as refused:
        STRICT.convert(text.encode(), sender="")
    assert refused.value.code.startswith("strict-")
    assert "198x" not in str(refused.value)


def test_other_senders_are_taken_as_they_are() -> None:
    """Strictness is what a profile asks for."""
    text = ADT.replace("|A|B|", "|OTHER|B|").replace("Doe^Jane", "")

    assert STRICT.convert(text.encode(), sender="").control_id == "1"


@pytest.mark.parametrize(
    ("text", "err"),
    [
        (ADT.replace("Doe^Jane", ""), b"||PID^1^5|101^"),
        (ADT.replace("|19800101", "|198x0101"), b"||PID^1^7|102^"),
        (ADT.replace("EVN|A01|20240101120000\r", ""), b"||EVN^1|100^"),
        (ADT.replace("|2.5", "|2.9"), b"||MSH^1^12|203^"),
        (ADT.replace("ADT^A01^ADT_A01", "ZZZ^Z01"), b"||MSH^1^9|201^"),
    ],
)
def test_answer_names_segment_field_and_reason(text: str, err: bytes) -> None:
    """ERR-2 the place, ERR-3 the row of table 0357."""
    inbound = Inbound(raw=text.encode(), feed="f", number=1)

    offer = prepare(inbound, dialect=STRICT, at=FixedClock().now(),
                    random=CountedEntropy().take(SHARE))  # fmt: skip

    assert b"\rMSA|AE|1" in offer.row.answer or b"\rMSA|AR|1" in offer.row.answer
    assert err.removeprefix(b"|") in offer.row.answer, offer.row.answer
    assert offer.row.id != RecordId("")
