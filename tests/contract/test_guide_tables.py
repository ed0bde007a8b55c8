"""Our code tables beside those of the v2-to-FHIR guide: each difference has its reason here."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from adapters.hl7v2.tables import load, names

OURS: Final = {
    "AllergenType[AllergyIntoleranceCategory]": "AllergenType.Category",
    "AllergenType[AllergyIntoleranceOriginalCategory]": "AllergenType.Code",
    "AllergySeverity[AllergyIntolerance.criticality-original]": "AllergySeverity.Code",
    "AllergySeverity[AllergyIntolerance.criticality]": "AllergySeverity.Criticality",
    "AllergySeverity[AllergyIntolerance.reaction.severity]": "AllergySeverity.Reaction",
    "AddressType[Type]": "AddressType.Type",
    "AddressType[Use]": "AddressType.Use",
    "AppointmentReasonCodes": "AppointmentReason",
    "AppointmentTypeCodes": "AppointmentType",
    "Event[EncounterStatus]": "Event.EncounterStatus",
    "ExtendedPriorityCodes": "Priority",
    "FillerStatusCodes[Appointment]": "AppointmentStatus",
    "ObservationResultStatusCodesInterpretation": "ObservationResultStatus",
    "OrderControlCode[ServiceRequest.status]": "OrderControlCode",
    "PatientClass[EncounterClass]": "PatientClass.EncounterClass",
    "PatientClass[EncounterStatus]": "PatientClass.EncounterStatus",
    "ResultStatus[Non-Queries]": "ResultStatus",
}
"""What the guide calls a table that has another name here; `Name.csv` is `Name` in both."""
LEFT: Final = {
    "BodyParts": "table 0550 as it is: BodySite has what a field is bound to",
    "CountryCode": "R4 takes countries of two and of three letters: they stay as sent",
    "NameAssemblyOrder": "XPN.11 orders the text of the name",
    "YesNoIndicator[AvailabilityStatus]": "two codes: a condition in the rows of SPM",
}
_PATTERN = "a pattern, not a code: schedules are said in Timing.repeat"
_LATER = "came after R4, which lacks it (docs/adr/0026)"
OTHERWISE: Final = {
    "AppointmentReasonCodes": {
        "CHECKUP": "SNOMED's visit is annual, which nobody said",
        "ROUTINE": "SNOMED's disposition says that no follow-up is planned",
    },
    "DocumentConfidentialityStatus": dict.fromkeys(
        "RUV", "readers of R4 obey v3-Confidentiality; the sent code stands beside it"
    ),
    "Event[EncounterStatus]": {"A04": "who is registered has arrived"},
    "EventRelatedPeriod": dict.fromkeys(
        ("IC", "ICM", "ICD", "ICV"), "R4's binding of Timing.repeat.when is required and lacks it"
    ),
    "EventType": {
        **dict.fromkeys((f"S{number}" for number in range(38, 53)), _LATER),
        "Varies": "no code",
    },
    "IdentifierType": {"NNxxx": _PATTERN},
    "MaritalStatus": {"C": _LATER},
    "OrderControlCode[ServiceRequest.status]": {
        "CA": "a request to cancel cancels at once (docs/adr/0020)",
        "HD": "a request to hold holds at once",
    },
    "RepeatPattern": dict.fromkeys(
        (
            *("Q<integer>S", "Q<integer>M", "Q<integer>H", "Q<integer>D", "Q<integer>W"),
            *("Q<integer>L", "Q<integer>J<day#>", "xID", '"U <spec>"', "PRNxxx", "Once"),
            *('"Meal Related Timings"', "A", "P", "I", "M", "D", "V"),
        ),
        _PATTERN,
    ),
    "UniversalIDType": {"L,M,N": "three codes in one row: each has its own here"},
}
"""Codes of the guide's tables that become something else here, and why."""


def _rows(file: Path) -> Iterator[tuple[str, str, str]]:
    """Code, system and code of FHIR, of every row of the guide that has all three."""
    with file.open(encoding="utf-8-sig", newline="") as lines:
        for row in list(csv.reader(lines))[2:]:
            code, target, system = (row[at].strip() if at < len(row) else "" for at in (0, 6, 9))
            if code and target:
                yield code, system.rstrip("/"), target


def test_every_table_of_the_guide_is_ours_or_left_for_a_reason(shared: Path) -> None:
    """A table that the guide adds is noticed here."""
    files = (shared / "v2-to-fhir" / "codesystems").glob("*.csv")

    lacking = {
        file.stem
        for file in files
        if OURS.get(file.stem, file.stem) not in names() and [*_rows(file)]
    }

    assert lacking == LEFT.keys()


def test_each_code_becomes_what_the_guide_says_or_differs_for_a_reason(shared: Path) -> None:
    """Code and system, of every row; a reason that is no longer needed is noticed too."""
    differing: dict[str, set[str]] = {}
    for file in (shared / "v2-to-fhir" / "codesystems").glob("*.csv"):
        name = OURS.get(file.stem, file.stem)
        if name not in names():
            continue
        said: dict[str, set[tuple[str, str]]] = {}
        for code, system, target in _rows(file):
            said.setdefault(code, set()).add((system, target))
        ours = load(name)
        for code, meant in said.items():
            made = ours.get(code, ("", "", ""))
            known = {(made[0], made[1]), ("", made[1])}
            if not known & meant:
                differing.setdefault(file.stem, set()).add(code)

    assert differing == {name: set(reasons) for name, reasons in OTHERWISE.items()}


@pytest.mark.parametrize("reasons", [LEFT, *OTHERWISE.values()])
def test_every_reason_is_said(reasons: dict[str, str]) -> None:
    """An empty reason is none."""
    assert all(reasons.values())
