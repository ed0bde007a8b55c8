"""How one element meets a newer statement of it."""

import copy
import importlib
import pkgutil

import fhir.resources.R4B
import pytest
from fhir_core.fhirabstractmodel import FHIRAbstractModel
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from pydantic.fields import FieldInfo

from bridge.core.record.bundle import Json, JsonObject
from bridge.core.record.elements import CHOICES, TYPES, choice_of, filled, merged, vacated


def test_discharge_keeps_the_start_of_the_stay() -> None:
    """A message that only knows the end of a period leaves its start alone."""
    admitted: JsonObject = {"period": {"start": "2026-01-01"}, "status": "in-progress"}

    both = merged(admitted, {"period": {"end": "2026-01-03"}, "status": "finished"})

    assert both == {"period": {"start": "2026-01-01", "end": "2026-01-03"}, "status": "finished"}


def test_hospitalization_is_joined_fact_by_fact() -> None:
    """Where a patient came from and where he went are two facts of one element."""
    admitted: JsonObject = {"hospitalization": {"admitSource": {"text": "home"}}}

    both = merged(admitted, {"hospitalization": {"dischargeDisposition": {"text": "hospice"}}})

    assert both["hospitalization"] == {
        "admitSource": {"text": "home"},
        "dischargeDisposition": {"text": "hospice"},
    }


@pytest.mark.parametrize(
    ("name", "stored", "newer"),
    [
        ("maritalStatus", {"coding": [{"code": "M"}], "text": "Married"}, {"text": "Divorced"}),
        (
            "subject",
            {"reference": "Patient/a", "display": "A"},
            {"reference": "Patient/b"},
        ),
        ("context", {"reference": "Encounter/a", "display": "A"}, {"reference": "Encounter/b"}),
        ("valueQuantity", {"value": Raw(b"1"), "unit": "mg"}, {"value": Raw(b"2")}),
        ("name", [{"family": "A", "given": ["B"]}], [{"family": "C"}]),
    ],
    ids=["concept", "reference", "reference-context", "quantity", "unkeyed-list"],
)
def test_one_statement_is_replaced_as_a_whole(name: str, stored: Json, newer: Json) -> None:
    """Parts of an old and a new statement are never mixed."""
    body: JsonObject = {name: stored}

    assert merged(body, {name: newer}) == {name: newer}


@pytest.mark.parametrize(
    ("stored", "newer", "expected"),
    [
        (
            {"valueQuantity": {"value": Raw(b"1")}},
            {"valueString": "low"},
            {"valueString": "low"},
        ),
        (
            {"deceasedBoolean": False},
            {"deceasedDateTime": "2026-01-01"},
            {"deceasedDateTime": "2026-01-01"},
        ),
        (
            {"valueString": "low", "_valueString": {"id": "x"}},
            {"valueBoolean": True},
            {"valueBoolean": True},
        ),
        (
            {"birthDate": "2026-01-01", "_birthDate": {"extension": [{"url": "time"}]}},
            {"birthDate": "2026-01-01"},
            {"birthDate": "2026-01-01", "_birthDate": {"extension": [{"url": "time"}]}},
        ),
        (
            {"birthDate": "2026-01-01", "_birthDate": {"extension": [{"url": "time"}]}},
            {"birthDate": "2026-01-02"},
            {"birthDate": "2026-01-02"},
        ),
        (
            {"occurrencePeriod": {"start": "2026-01-01"}},
            {"occurrenceDateTime": "2026-01-02"},
            {"occurrenceDateTime": "2026-01-02"},
        ),
    ],
    ids=["value", "deceased", "value-extension", "same-day", "other-day", "occurrence"],
)
def test_choices_and_extensions_follow_their_value(
    stored: JsonObject, newer: JsonObject, expected: JsonObject
) -> None:
    """A choice element has one type; an extension goes with the value that it described."""
    assert merged(stored, newer) == expected


def test_identifiers_are_joined_by_system_and_value() -> None:
    """A second number of a patient does not take the first one away."""
    stored: JsonObject = {
        "identifier": [
            {"system": "urn:mrn", "value": "1", "use": "usual"},
            {"system": "urn:ssn", "value": "9"},
        ]
    }
    newer: JsonObject = {
        "identifier": [
            {"system": "urn:mrn", "value": "1", "type": {"text": "MR"}},
            {"system": "urn:acct", "value": "7"},
        ]
    }

    assert merged(stored, newer)["identifier"] == [
        {"system": "urn:mrn", "value": "1", "use": "usual", "type": {"text": "MR"}},
        {"system": "urn:acct", "value": "7"},
        {"system": "urn:ssn", "value": "9"},
    ]


def test_several_extensions_of_one_url_replace_those_before() -> None:
    """Nothing says which of several equal keys is which, so the newer set stands."""
    stored: JsonObject = {"extension": [{"url": "u", "valueCode": "a"}, {"url": "v"}]}
    newer: JsonObject = {
        "extension": [{"url": "u", "valueCode": "b"}, {"url": "u", "valueCode": "c"}]
    }

    assert merged(stored, newer)["extension"] == [
        {"url": "u", "valueCode": "b"},
        {"url": "u", "valueCode": "c"},
        {"url": "v"},
    ]


def test_links_are_joined_by_the_other_patient() -> None:
    """A later link to the same patient changes that link only."""
    stored: JsonObject = {"link": [{"other": {"reference": "Patient/a"}, "type": "seealso"}]}
    newer: JsonObject = {
        "link": [
            {"other": {"reference": "Patient/a"}, "type": "replaced-by"},
            {"other": {"reference": "Patient/b"}, "type": "seealso"},
        ]
    }

    assert merged(stored, newer) == newer


def test_choices_are_those_of_the_models() -> None:
    """Two elements of a type share a choice exactly when R4B says so."""
    for name, model in _models():
        fields = {
            (info.alias or field): _one_of_many(info)
            for field, info in model.model_fields.items()
            if "List[" not in str(info.annotation)
        }
        for element, choice in fields.items():
            if choice:
                assert choice_of(element) == choice, f"{name}.{element}"
                assert choice in CHOICES
                assert element.removeprefix(choice) in TYPES
            elif choice_of(element) != element:
                others = [e for e in fields if e != element and choice_of(e) == choice_of(element)]
                assert not others or name in _NEVER_JOINED, f"{name}.{element}"


_NEVER_JOINED = {"ClinicalImpressionFinding", "OperationDefinitionParameterReferencedFrom"}
"""Items of lists, which are replaced as a whole."""


def _one_of_many(info: FieldInfo) -> str:
    extra = info.json_schema_extra
    return str(extra.get("one_of_many", "")) if isinstance(extra, dict) else ""


def _models() -> list[tuple[str, type[FHIRAbstractModel]]]:
    found = []
    for module in pkgutil.iter_modules(fhir.resources.R4B.__path__):
        if module.name != "tests":
            members = vars(importlib.import_module(f"fhir.resources.R4B.{module.name}"))
            found += [
                (name, member)
                for name, member in members.items()
                if isinstance(member, type) and issubclass(member, FHIRAbstractModel)
            ]
    return found


_codes = st.sampled_from(["a", "b", "c"])
_identifier = st.fixed_dictionaries({}, optional={"system": _codes, "value": _codes, "use": _codes})
_extension = st.one_of(
    st.fixed_dictionaries({"url": _codes}, optional={"valueCode": _codes}),
    st.fixed_dictionaries({"url": _codes}, optional={"valueString": _codes}),
)
_period = st.fixed_dictionaries({}, optional={"start": _codes, "end": _codes})
_resources = st.fixed_dictionaries(
    {},
    optional={
        "birthDate": _codes,
        "_birthDate": st.fixed_dictionaries({"extension": st.lists(_extension, min_size=1)}),
        "deceasedBoolean": st.booleans(),
        "valueQuantity": st.fixed_dictionaries({"value": st.just(Raw(b"1.0")), "unit": _codes}),
        "period": _period,
        "hospitalization": st.fixed_dictionaries({}, optional={"preAdmission": _period}),
        "identifier": st.lists(_identifier, min_size=1, max_size=4),
        "extension": st.lists(_extension, min_size=1, max_size=4),
        "name": st.lists(_identifier, min_size=1, max_size=3),
    },
)


@given(stored=_resources, newer=_resources)
def test_a_second_time_changes_nothing(stored: JsonObject, newer: JsonObject) -> None:
    """Merging is idempotent and alters neither side."""
    before = copy.deepcopy((stored, newer))
    once = merged(stored, newer)

    assert merged(once, newer) == once
    assert (stored, newer) == before


@given(stored=_resources, newer=_resources)
def test_a_poorer_message_never_removes_an_element(stored: JsonObject, newer: JsonObject) -> None:
    """Every element that was stored is there after, but for an extension of a value that went."""
    both = merged(stored, newer)

    assert stored.keys() - {"_birthDate"} <= both.keys()
    assert newer.items() <= both.items() or newer.keys() <= both.keys()


_words = st.sampled_from(["Anna", "Berta", "A"])
_name = st.fixed_dictionaries(
    {"family": _words}, optional={"given": st.lists(_words, min_size=1, max_size=2), "use": _codes}
)
_telecom = st.fixed_dictionaries({"value": st.sampled_from(["1", "2"])}, optional={"use": _codes})
_people = st.fixed_dictionaries(
    {},
    optional={
        "name": st.lists(_name, min_size=1, max_size=3),
        "telecom": st.lists(_telecom, min_size=1, max_size=3),
        "gender": st.sampled_from(["female", "unknown"]),
        "birthDate": st.sampled_from(["1970", "1970-03", "1970-03-05"]),
    },
)


@given(stored=_people, newer=_people)
def test_people_meet_a_second_time_unchanged(stored: JsonObject, newer: JsonObject) -> None:
    """Lists whose items are told apart by their use are joined once."""
    once = merged(stored, newer)

    assert merged(once, newer) == once


@given(rich=_people, kept=st.sets(st.sampled_from(["name", "telecom", "gender", "birthDate"])))
def test_some_of_what_is_stored_changes_nothing(rich: JsonObject, kept: set[str]) -> None:
    """A message that repeats elements, and says less of the first name, leaves all as it is."""
    stored = merged({}, rich) if "name" not in rich else merged({}, rich | {"name": [_FULL]})
    poor: JsonObject = {name: value for name, value in stored.items() if name in kept}
    if "name" in poor:
        poor["name"] = [{"family": "BERG", "given": ["A."]}]
    if "birthDate" in poor:
        poor["birthDate"] = "1970"

    assert merged(stored, poor) == stored


_FULL: JsonObject = {"family": "Berg", "given": ["Anna", "Maria"], "prefix": ["Dr"]}


@given(stored=_people, newer=_people)
def test_filling_overwrites_nothing(stored: JsonObject, newer: JsonObject) -> None:
    """Whoever only identifies a patient adds elements and alters none."""
    both = filled(stored, newer)

    assert both.keys() == stored.keys() | newer.keys()
    assert {name: both[name] for name in stored} == stored


def test_death_without_date_leaves_the_date() -> None:
    """That somebody died says less than when; that he lives says something else."""
    stored: JsonObject = {"deceasedDateTime": "2024-01-09"}

    assert merged(stored, {"deceasedBoolean": True}) == stored
    assert merged(stored, {"deceasedBoolean": False}) == {"deceasedBoolean": False}


def test_roles_of_a_visit_are_replaced_one_by_one() -> None:
    """A message that knows the attending physician alone leaves the others."""

    def held(role: str, name: str) -> JsonObject:
        kind: JsonObject = {"coding": [{"code": role}]}
        return {"type": [kind], "individual": {"display": name}}

    stored: JsonObject = {"participant": [held("ATND", "A"), held("REF", "B")]}

    both = merged(stored, {"participant": [held("ATND", "C")]})

    assert both == {"participant": [held("ATND", "C"), held("REF", "B")]}


def test_people_of_an_appointment_are_one_statement() -> None:
    """A schedule restates all who come: nobody stays who is no longer named."""
    stored: JsonObject = {"participant": [{"actor": {"display": "A"}}, {"actor": {"display": "B"}}]}
    newer: JsonObject = {"participant": [{"actor": {"display": "C"}}]}

    assert merged(stored, newer) == newer


def test_exact_values_leave_nothing_of_the_stored_ones() -> None:
    """The item that a newer one replaces becomes it, where it stood; others stay."""
    stored: JsonObject = {
        "name": [
            {"use": "official", "family": "Berg", "given": ["Anna", "Maria"]},
            {"use": "maiden", "family": "Roth"},
        ],
        "maritalStatus": {"text": "married", "coding": [{"code": "M"}]},
        "note": [{"text": "a"}, {"text": "b"}],
    }
    newer: JsonObject = {
        "name": [{"use": "official", "family": "Berg", "given": ["Anna"]}],
        "maritalStatus": {"text": "married"},
        "note": [{"text": "a"}],
    }

    made = vacated(stored, newer, ("name", "maritalStatus", "note", "gender"))

    assert made == {
        "name": [newer["name"][0], stored["name"][1]],  # type: ignore[index]  # lists
        "maritalStatus": {"text": "married"},
        "note": [{"text": "a"}],
    }
    assert merged(made, newer)["name"] == made["name"]


def test_a_period_that_would_end_before_it_starts_is_the_newer_one() -> None:
    """Two messages that contradict each other make no period between them (R4 per-1)."""
    stored: JsonObject = {"period": {"start": "2024-01-05"}}

    assert merged(stored, {"period": {"end": "2023"}}) == {"period": {"end": "2023"}}
    assert merged(stored, {"period": {"end": "2025"}}) == {
        "period": {"start": "2024-01-05", "end": "2025"}
    }
