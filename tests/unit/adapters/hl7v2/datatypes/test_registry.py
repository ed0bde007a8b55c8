"""The registry of datatype functions."""

import pytest

from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.datatypes.registry import datatype

IN_SCOPE = (
    "ST TX FT NM SI ID IS DT TM TS DTM CE CWE CNE CF CX EI EIP HD XPN PN XAD AD XTN TN XCN CN XON"
    " PL FN SAD CQ MO CP SN NR DR ED RP TQ RI RPT MSG VID PT DLN JCC FC NDL PLN DLD OG VR"
)


def test_every_datatype_in_scope_is_registered() -> None:
    """No datatype of the mapping's list is without a function."""
    registered = {name.partition(".")[0] for name in DATATYPES}

    assert set(IN_SCOPE.split()) - registered == set()


def test_a_name_is_registered_once() -> None:
    """A second function of the same name is refused at import."""
    register = datatype("CX", "Identifier")

    with pytest.raises(ValueError, match=r"datatype CX\.Identifier is registered twice"):
        register(lambda _text, _ctx: None)


def test_sender_may_name_an_authority(ctx: Context) -> None:
    """The sender's own systems stand above every table."""
    ctx.systems = {"MRN": "https://stmary.example/mrn", "LN": "https://stmary.example/codes"}

    identifier = DATATYPES["CX.Identifier"].function("1^^^MRN", ctx)
    coding = DATATYPES["CE.Coding"].function("a^^LN", ctx, None)

    assert identifier["system"] == "https://stmary.example/mrn"
    assert coding["system"] == "https://stmary.example/codes"


def test_same_number_at_two_facilities_stays_two() -> None:
    """A number without authority belongs to the sending facility."""
    convert = DATATYPES["CX.Identifier"].function

    one = convert("1234", Context(facility="EAST"))
    other = convert("1234", Context(facility="WEST"))

    assert one["system"] != other["system"]


def test_delimiters_are_the_message_s_own() -> None:
    """Components and subcomponents are split where MSH says."""
    ctx = Context(component="$", subcomponent="%", namespace="urn:x")

    value = DATATYPES["CX.Identifier"].function("1$$$A%1.2.3.4.5%ISO", ctx)

    assert value["system"] == "urn:oid:1.2.3.4.5"
