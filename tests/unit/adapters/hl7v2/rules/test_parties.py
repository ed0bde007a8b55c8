"""Companies, and people in their role for one."""

from collections.abc import Callable
from typing import Any

import pytest

Build = Callable[..., bytes]
Convert = Callable[[bytes], dict[str, list[dict[str, Any]]]]


def test_payor_with_number_is_an_organization(message: Build, convert: Convert) -> None:
    """IN1-3 identifies it; a name alone is words."""
    raw = message("ADT^A01", "IN1|1|P1|77^^^H|Acme", "IN1|2|P2||Beta")

    found = convert(raw)

    first, second = (one["payor"][0] for one in found["Coverage"])
    assert first["reference"].startswith("Organization/")
    assert second == {"display": "Beta"}


def test_sending_facility_is_in_the_country_of_the_message(convert: Convert) -> None:
    """MSH-17 (v2-to-FHIR MSH[MessageHeader])."""
    raw = b"MSH|^~\\&|A|H|||20240101120000+0000||ADT^A01|1|P|2.5|||||USA\rPID|1||1\r"

    found = convert(raw)

    assert found["Organization"][0]["address"] == [{"country": "USA"}]
    assert found["MessageHeader"][0]["sender"]["display"] == "H"


def test_company_without_number_is_filed_under_its_name_where_it_can_be_reached(
    message: Build, convert: Convert
) -> None:
    """IN1-4 to IN1-7: an address and a telephone are more than words."""
    raw = message("ADT^A01", "IN1|1|P1||Acme|1 Road^^Town|Roe^Jo|^WPN^PH^^^555^1234")

    found = convert(raw)

    (acme,) = [one for one in found["Organization"] if one.get("name") == "Acme"]
    assert found["Coverage"][0]["payor"][0]["reference"] == f"Organization/{acme['id']}"
    assert (acme["address"][0]["city"], acme["contact"][0]["name"]["family"]) == ("Town", "Roe")
    assert "identifier" not in acme


def test_employer_is_where_to_ask_for_whom(message: Build, convert: Convert) -> None:
    """IN1-11 at IN1-44, IN2-49 and IN2-50."""
    plan = "|".join(["IN1", "1", "P1", *[""] * 8, "Works", *[""] * 32, "1 Road^^Town"])
    person = "|".join(["IN2", *[""] * 48, "Boss^Bo", "^WPN^PH^^^555^1"])

    found = convert(message("ADT^A01", plan, person))

    (works,) = [one for one in found["Organization"] if one.get("name") == "Works"]
    holder = found["Coverage"][0]["policyHolder"]
    assert holder == {"display": "Works", "reference": f"Organization/{works['id']}"}
    assert works["address"][0]["city"] == "Town"
    assert works["contact"][0]["name"]["family"] == "Boss"


def test_organization_that_is_a_contact_has_whom_to_ask(message: Build, convert: Convert) -> None:
    """NK1-13, NK1-30 to NK1-32: the contact person is the organization's."""
    reached = [*[""] * 16, "Green^Jo", "^WPN^PH^^^555^1", "2 Road^^Town"]
    kin = "|".join(["NK1", "1", "", "E", *[""] * 9, "Works", *reached])

    found = convert(message("ADT^A01", kin))

    (works,) = [one for one in found["Organization"] if one.get("name") == "Works"]
    (asked,) = works["contact"]
    assert (asked["name"]["family"], asked["address"]["city"]) == ("Green", "Town")
    contact = found["Patient"][0]["contact"][0]
    assert contact["organization"]["reference"] == f"Organization/{works['id']}"


@pytest.mark.parametrize(
    ("relation", "kind"),
    [("SEL", "Patient"), ("SLF^SELF", "Patient"), ("01^Self", "Patient"), ("SPO", "RelatedPerson")],
)
def test_who_is_himself_is_no_relative(
    message: Build, convert: Convert, relation: str, kind: str
) -> None:
    """IN1-17 by its code, else by its word."""
    found = convert(message("ADT^A01", f"IN1|1|P1||Acme{'|' * 12}Roe^Jo|{relation}"))

    assert found["Coverage"][0]["subscriber"]["reference"].startswith(kind)
    assert ("RelatedPerson" in found) == (kind == "RelatedPerson")
