"""Codes that wait for a person, without content of the message."""

import pytest

from adapters.hl7v2.dialect import Hl7v2
from adapters.hl7v2.overlays import parse_profile
from bridge.core.record.bundle import Unmapped

TASK = """
match = { "MSH-3" = "LABX" }
unmapped_code = "task"
unmapped_trigger = "task"
[tables.loinc]
GLU = ["http://loinc.org", "2345-7", "Glucose"]
[[replace]]
id = "OBX-3"
table = "local:loinc"
"""
HEAD = "MSH|^~\\&|LABX|X|||2024||ORU^R01|1|P|2.5\rPID|1||1|||||qq\rOBR|1||F|X\r"


def unmapped(text: str, overlay: str = TASK) -> set[tuple[str, str, str]]:
    """Field, system and code of each."""
    dialect = Hl7v2((parse_profile("labx", overlay),))
    found = dialect.convert(text.encode(), sender="").unmapped
    assert list(found) == sorted(set(found))
    return {(one.field, one.system, one.code) for one in found}


def test_each_code_is_named_once_with_its_field_and_system() -> None:
    """Mapped codes are not; the second occurrence is found where it stands."""
    text = HEAD + (
        "OBX|1|NM|GLU^Glucose||5\rOBX|2|NM|NA^Sodium^KLAB||5\rOBX|3|NM|NA^Sodium^KLAB||6\r"
        "OBX|4|NM|K^Kalium^KLAB^K2^^KLAB2||6\r"
    )

    assert unmapped(text) == {
        ("PID-8", "", "qq"),
        ("OBX-3", "KLAB", "NA"),
        ("OBX-3", "KLAB", "K"),
        ("OBX-3", "KLAB2", "K2"),
    }


def test_prose_where_a_code_should_be_is_not_written_down() -> None:
    """It might be about a patient: only the field is named."""
    text = HEAD.replace("qq", "F") + "OBX|1|NM|Jane Doe's potassium^^KLAB||5\r"

    assert unmapped(text) == {("OBX-3", "KLAB", "")}


def test_unknown_trigger_is_work_too() -> None:
    """Its type and event."""
    assert unmapped("MSH|^~\\&|LABX|X|||2024||ZZZ^Z01|1|P|2.5\r") == {("MSH-9", "", "ZZZ^Z01")}


@pytest.mark.parametrize("policy", ["keep", "reject"])
def test_nobody_is_asked_unless_the_profile_says_so(policy: str) -> None:
    """`keep` keeps the code with a finding."""
    overlay = TASK.replace('unmapped_code = "task"', f'unmapped_code = "{policy}"')
    text = HEAD.replace("qq", "F" if policy == "reject" else "qq")

    assert unmapped(text, overlay) == set()
    assert Unmapped(field="a", system="", code="") < Unmapped(field="b", system="", code="")
