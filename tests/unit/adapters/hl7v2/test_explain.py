"""Lineage both ways, and residue."""

from collections.abc import Callable

import pytest

from adapters.hl7v2.dialect import Hl7v2
from adapters.hl7v2.explain import explain, residue
from adapters.hl7v2.overlays import parse_profile
from bridge.core.errors import BridgeError

Build = Callable[..., bytes]


def test_element_leads_to_rows_and_positions(dialect: Hl7v2, message: Build) -> None:
    """`Observation.status` names the row, its file and line, and OBX-11."""
    raw = message("ORU^R01", "OBR|1||F|X", "OBX|1|NM|1||5||||||F", "OBX|2|NM|2||6||||||P")

    found = explain(dialect, raw, "Observation.status")

    assert [one.source for one in found] == ["OBX-11", "OBX[2]-11"]
    assert "OBX.Observation.toml, line" in found[0].row


def test_element_that_holds_a_default_leads_to_its_row(dialect: Hl7v2, message: Build) -> None:
    """Nothing in the message says that an appointment stands: the row does, of the segment."""
    raw = message("SIU^S18", "SCH|A1|F1")

    (found,) = explain(dialect, raw, "Appointment.status")

    assert (found.source, found.row[:10]) == ("SCH", "SCH:status")


def test_position_leads_to_elements(dialect: Hl7v2, message: Build) -> None:
    """`PID-5` fed the patient's name."""
    found = explain(dialect, message("ADT^A08"), "PID-5")

    assert [one.target.partition(".")[2] for one in found] == ["name"]


def test_unknown_question_names_the_nearest(dialect: Hl7v2, message: Build) -> None:
    """A typing error is met with the right name."""
    with pytest.raises(BridgeError, match=r"no row touched Patient.nam[A-Z].* - use Patient.name"):
        explain(dialect, message("ADT^A08"), "Patient.namE")


def test_residue_lists_what_nobody_read(dialect: Hl7v2, message: Build) -> None:
    """Fields, components and whole local segments, with their occurrence."""
    raw = message("ADT^A08", "PV1|1|I|||||||||||||||||V1^2^M11^^^^^^9", "ZZZ|a||b", "ZZZ|c")

    found = residue(dialect, raw)

    assert {"PV1-19.9", "ZZZ-1", "ZZZ-3", "ZZZ[2]-1"} <= set(found)
    assert not [one for one in found if one.startswith(("MSH", "PID-3", "PID-5"))]


def test_delimiters_with_nothing_between_them_are_no_residue(
    dialect: Hl7v2, message: Build
) -> None:
    """Senders that write every component of an empty field have lost nothing."""
    raw = message("ADT^A08", "ZZZ|^^&&~^|b")

    assert residue(dialect, raw) == ("ZZZ-2",)


def test_row_is_of_the_map_that_made_the_element(dialect: Hl7v2) -> None:
    """Several maps have a row OBR-7: the one of the asked resource is named."""
    raw = (
        b"MSH|^~\\&|A|B|||20260102080000+0000||ORU^R01|1|P|2.5\r"
        b"OBR|1|P1|F1|X^y^L|||20260102\rOBX|1|NM|1^a^L||5\r"
    )

    lines = explain(dialect, raw, "Observation.effectiveDateTime")

    assert [line.row.partition(",")[0] for line in lines] == ["OBR-7 (OBX.Observation.toml"]


def test_field_whose_row_was_dropped_names_who_dropped_it() -> None:
    """With the reason that the overlay gives."""
    overlay = "match = { 'MSH-3' = 'A' }\n[[drop]]\nid = 'PV1-7'\nwhy = 'holds the clerk'"
    dialect = Hl7v2((parse_profile("acme", overlay),))
    raw = b"MSH|^~\\&|A|B|||2026||ADT^A08|1|P|2.5\rPID|1||1\rPV1|1|I|||||7^Clerk\r"

    with pytest.raises(BridgeError, match=r"acme.toml, line 2 drops it: holds the clerk"):
        explain(dialect, raw, "PV1-7")
