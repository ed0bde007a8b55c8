"""ERR: the place, the row of table 0357, and words with every delimiter escaped."""

import pytest

from adapters.hl7v2.err import (
    Condition,
    Place,
    condition,
    err,
    error_problem,
    escape,
    finding_problem,
    place,
)
from adapters.hl7v2.header import DEFAULT, read_header
from bridge.core.errors import BridgeError, Fault
from bridge.core.record.bundle import Finding, Severity


def error(code: str = "x", where: str = "", fault: Fault = Fault.SENDER) -> BridgeError:
    """An error that differs in one thing."""
    return BridgeError(code, fault, what="what", where=where, do="do")


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("PID-3", Place(segment="PID", field=3)),
        ("PID-3, byte 211", Place(segment="PID", field=3)),
        ("OBX[3]-5", Place(segment="OBX", sequence=3, field=5)),
        (
            "OBX[3]-5[2].1.4",
            Place(segment="OBX", sequence=3, field=5, repetition=2, component=1, subcomponent=4),
        ),
        ("PATIENT_RESULT.OBX-5", Place(segment="OBX", field=5)),
        ("ZP1", Place(segment="ZP1")),
        ("byte 211", None),
        ("Bundle.entry[3]", None),
        ("JSON", None),
        ("", None),
    ],
)
def test_place_is_read_from_where(where: str, found: Place | None) -> None:
    """An HL7 path anywhere in the text becomes ERR-2; anything else leaves it empty."""
    assert place(where) == found


@pytest.mark.parametrize(
    ("failure", "found"),
    [
        pytest.param(error("pid-missing", "PID-3"), Condition.REQUIRED_FIELD, id="missing"),
        pytest.param(error("header-missing", "byte 0"), Condition.SEGMENT_SEQUENCE, id="no-MSH"),
        pytest.param(error("unmapped-trigger", "MSH-9"), Condition.EVENT_CODE, id="unmapped"),
        pytest.param(error("segment-order", "OBX"), Condition.SEGMENT_SEQUENCE, id="order"),
        pytest.param(error("date-form", "PID-7"), Condition.DATA_TYPE, id="form"),
        pytest.param(error("table-value", "PID-8"), Condition.TABLE_VALUE, id="table"),
        pytest.param(error("message-type", "MSH-9"), Condition.MESSAGE_TYPE, id="type"),
        pytest.param(error("unknown-trigger", "MSH-9.2"), Condition.EVENT_CODE, id="event"),
        pytest.param(error("version-unsupported", "MSH-12"), Condition.VERSION_ID, id="version"),
        pytest.param(error("processing-id", "MSH-11"), Condition.PROCESSING_ID, id="processing"),
        pytest.param(error("control-id-reused", "MSH-10"), Condition.DUPLICATE_KEY, id="reused"),
        pytest.param(error("syntax", "byte 0"), Condition.SEGMENT_SEQUENCE, id="no-field"),
        pytest.param(error("database-down", "", Fault.PEER), Condition.INTERNAL, id="peer"),
    ],
)
def test_condition_follows_code_and_place(failure: BridgeError, found: Condition) -> None:
    """Table 0357 is chosen by what the code names, then by where it is."""
    assert condition(failure) is found


def test_words_are_escaped_and_control_characters_removed() -> None:
    """Text cannot open a field, a segment or a frame."""
    assert escape("a|b^c~d\\e&f\r\x1cg", DEFAULT, limit=99) == (rb"a\F\b\S\c\R\d\E\e\T\f  g")
    assert escape("a|b^c", read_header(b"MSH|^~|A\r").delimiters, limit=99) == b"a b c"
    assert escape("é" * 5, DEFAULT, limit=3) == b"???"


def test_error_says_where_what_and_what_to_do() -> None:
    """ERR-2 place, ERR-3 condition, ERR-4 E, ERR-5 our code, ERR-7 diagnosis, ERR-8 words."""
    problem = error_problem(error("date-form", "OBX[3]-5.1"), kept="kept as record 1")

    assert err(problem, DEFAULT, before_2_5=False) == (
        b"ERR||OBX^3^5^1^1|102^Data type error^HL70357|E|date-form^^L||"
        b"what (OBX[3]-5.1) - do [date-form] kept as record 1|what - do"
    )


def test_before_2_5_the_place_also_stands_in_err_1() -> None:
    """ERR-1 is all that a receiver of v2.3 knows of ERR."""
    old = err(error_problem(error("syntax", "PID-3"), kept=""), DEFAULT, before_2_5=True)
    nowhere = err(error_problem(error("syntax"), kept=""), DEFAULT, before_2_5=True)
    bare = err(
        error_problem(error("syntax", "PID"), kept=""),
        read_header(b"MSH|^~|A\r").delimiters,
        before_2_5=True,
    )

    assert old.startswith(b"ERR|PID^1^3^102&Data type error&HL70357|PID^1^3|102^")
    assert nowhere.startswith(b"ERR|^^^100&Segment sequence error&HL70357||100^")
    assert bare.startswith(b"ERR|PID^1^^100|PID^1|100^")


def test_finding_is_a_warning() -> None:
    """A warning is severity W and condition 0: the message was accepted."""
    finding = Finding(code="zone-missing", severity=Severity.WARNING, where="PID-7", text="no zone")

    assert err(finding_problem(finding), DEFAULT, before_2_5=False) == (
        b"ERR||PID^1^7|0^Message accepted^HL70357|W|zone-missing^^L||"
        b"no zone (PID-7) [zone-missing]|no zone"
    )
