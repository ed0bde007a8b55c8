"""What a resource is found by."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec import Raw

from bridge.core.record import canon
from bridge.core.record.bundle import Json, JsonObject
from bridge.core.search.index import (
    MAX_ROWS,
    DateRow,
    IndexRow,
    QuantityRow,
    ReferenceRow,
    TextRow,
    TokenRow,
    index_rows,
)
from bridge.core.search.ranges import EARLIEST


def _rows(kind: str, param: str, **elements: Json) -> list[IndexRow]:
    resource: JsonObject = {"resourceType": kind, "id": "a", **elements}
    return [row for row in index_rows(resource) if row.param == param]


def test_codings_are_tokens_with_their_systems() -> None:
    """Each coding of a concept is found, a coding without system under the empty one."""
    code: JsonObject = {"coding": [{"system": "urn:a", "code": "1"}, {"code": "2"}], "text": "x"}

    assert _rows("Observation", "code", code=code) == [
        TokenRow(param="code", system="urn:a", value="1"),
        TokenRow(param="code", system="", value="2"),
    ]


def test_identifiers_and_flags_are_tokens() -> None:
    """A medical record number is found by system and value."""
    assert _rows("Patient", "identifier", identifier=[{"system": "urn:mrn", "value": "1"}]) == [
        TokenRow(param="identifier", system="urn:mrn", value="1")
    ]
    assert _rows("Patient", "active", active=False) == [
        TokenRow(param="active", system="", value="false")
    ]
    assert _rows("Patient", "deceased", deceasedDateTime="2026-01-01") == [
        TokenRow(param="deceased", system="", value="true")
    ]


def test_phone_is_only_what_is_a_phone() -> None:
    """The condition of a path is honoured."""
    telecom: list[Json] = [
        {"system": "phone", "value": "1"},
        {"system": "email", "value": "a@b"},
    ]

    assert _rows("Patient", "phone", telecom=telecom) == [
        TokenRow(param="phone", system="", value="1")
    ]


def test_names_are_found_by_every_part() -> None:
    """Case and accents do not matter, the exact text is kept beside."""
    name: list[Json] = [{"family": "M\u00fcller", "given": ["Eva", "Ann"]}]

    assert _rows("Patient", "name", name=name) == [
        TextRow(param="name", value="muller", exact="M\u00fcller"),
        TextRow(param="name", value="eva", exact="Eva"),
        TextRow(param="name", value="ann", exact="Ann"),
    ]


def test_period_without_start_reaches_back_for_ever() -> None:
    """An open end is found by every date before it."""
    assert _rows("Encounter", "date", period={"end": "2026-01-01"}) == [
        DateRow(
            param="date",
            low=EARLIEST,
            high=DateRow(
                param="",
                low=EARLIEST,
                high=cast("DateRow", _rows("Patient", "birthdate", birthDate="2026-01-01")[0]).high,
            ).high,
        )
    ]
    day = cast("DateRow", _rows("Patient", "birthdate", birthDate="2026-01-01")[0])
    assert day.low == datetime(2026, 1, 1, tzinfo=UTC)


def test_patient_is_a_subject_that_is_a_patient() -> None:
    """`patient` finds only references to a Patient, `subject` all."""
    patient = _rows("Observation", "patient", subject={"reference": "Patient/p/_history/2"})
    group = _rows("Observation", "patient", subject={"reference": "Group/g"})

    assert patient == [ReferenceRow(param="patient", target_type="Patient", target_id="p")]
    assert group == []
    assert _rows("Observation", "subject", subject={"reference": "Group/g"}) == [
        ReferenceRow(param="subject", target_type="Group", target_id="g")
    ]


@pytest.mark.parametrize(
    ("reference", "place"),
    [
        ("http://x.example/fhir/Patient/p", ("http://x.example/fhir", "Patient", "p")),
        ("https://x/a/b/Patient/p/_history/3", ("https://x/a/b", "Patient", "p")),
        ("Patient/p/_history/3", ("", "Patient", "p")),
        ("urn:uuid:0b1f8f3e-0000-4000-8000-000000000000", ("", "", "")),
        ("http://x.example/Patient?identifier=1", ("", "", "")),
        ("http://x.example/Patient", ("", "", "")),
    ],
)
def test_reference_is_found_by_base_type_and_id(
    reference: str, place: tuple[str, str, str]
) -> None:
    """Whatever version it names; what is no RESTful URL is found as it stands."""
    base, kind, name = place

    assert _rows("Observation", "subject", subject={"reference": reference}) == [
        ReferenceRow(
            param="subject", target_base=base, target_type=kind, target_id=name or reference
        )
    ]


def test_reference_of_another_type_at_another_server_is_no_patient() -> None:
    """`patient` asks for patients, wherever they are."""
    group = {"reference": "http://x.example/fhir/Group/g"}

    assert _rows("Observation", "patient", subject=cast("Json", group)) == []


def test_canonical_is_found_by_its_url() -> None:
    """With and without its version."""
    assert _rows("QuestionnaireResponse", "questionnaire", questionnaire="http://q|1") == [
        ReferenceRow(param="questionnaire", target_type="", target_id="http://q|1"),
        ReferenceRow(param="questionnaire", target_type="", target_id="http://q"),
    ]


def test_identifier_of_a_reference_is_a_token_of_its_own() -> None:
    """`:identifier` looks for it."""
    subject: JsonObject = {"identifier": {"system": "urn:mrn", "value": "1"}}

    assert _rows("Observation", "subject:identifier", subject=subject) == [
        TokenRow(param="subject:identifier", system="urn:mrn", value="1")
    ]


def test_quantity_is_found_by_code_and_by_unit() -> None:
    """The digits are kept; a code has its system, a unit has none."""
    value: JsonObject = {"value": Raw(b"5.40"), "unit": "mg/l", "system": "urn:u", "code": "mg"}

    assert _rows("Observation", "value-quantity", valueQuantity=value) == [
        QuantityRow(param="value-quantity", value=Decimal("5.40"), system="urn:u", code="mg"),
        QuantityRow(param="value-quantity", value=Decimal("5.40"), system="", code="mg/l"),
    ]


def test_index_is_bounded() -> None:
    """A list of a million identifiers must not fill the index, nor a long one break it."""
    many: list[Json] = [{"value": str(number)} for number in range(5000)]

    assert len(_rows("Patient", "identifier", identifier=many)) == 2000
    assert _rows("Patient", "identifier", identifier=[{"value": "x" * 513}]) == []


def test_real_resources_are_indexed_without_repeats(shared: Path) -> None:
    """Every published example has rows, each once, in the same order each time."""
    for path in sorted((shared / "fhir-samples/us-core-9-examples").glob("*.json")):
        resource = cast("JsonObject", canon.parse(path.read_bytes()))

        rows = index_rows(resource)

        assert len(rows) == len(set(rows))
        assert rows == index_rows(resource)


def test_rows_end_at_their_bound_within_one_element() -> None:
    """A list of a million references, or one element of a million codes, is not read to its end."""
    read = 0

    class Counted(list[Any]):
        def __iter__(self) -> Iterator[Any]:
            nonlocal read
            for item in super().__iter__():
                read += 1
                yield item

    codes = Counted({"system": "s", "code": f"{n}"} for n in range(100_000))
    rows = index_rows({"resourceType": "Observation", "code": {"coding": codes}})

    assert (len(rows), read) == (MAX_ROWS, MAX_ROWS)
