"""The change set: which paths it speaks, and what a deletion takes."""

import pytest

from bridge.core.errors import BridgeError
from bridge.core.record.bundle import Json, JsonObject
from bridge.core.record.patch import Assumption, Deletion, Exactly, Path, parse_path, read, without


def path_of(text: str) -> Path:
    """A path that is known to be right."""
    path = parse_path(text)
    assert path is not None
    return path


@pytest.mark.parametrize(
    ("path", "left"),
    [
        ("birthDate", {"name": [{"given": ["A"]}], "deceasedBoolean": True}),
        ("deceased", {"birthDate": "2026", "_birthDate": {}, "name": [{"given": ["A"]}]}),
        ("name.given", {"birthDate": "2026", "_birthDate": {}, "deceasedBoolean": True}),
        (
            "name.family",
            {
                "birthDate": "2026",
                "_birthDate": {},
                "name": [{"given": ["A"]}],
                "deceasedBoolean": True,
            },
        ),
    ],
    ids=["with-extension", "choice", "empties-its-parents", "absent"],
)
def test_delete_takes_the_element_and_what_it_leaves_empty(path: str, left: JsonObject) -> None:
    """FHIR knows no empty object or list, so an emptied parent goes as well."""
    body: JsonObject = {
        "birthDate": "2026",
        "_birthDate": {},
        "name": [{"given": ["A"]}],
        "deceasedBoolean": True,
    }

    assert without(body, path_of(path)) == left


TELECOM: list[Json] = [
    {"use": "home", "value": "1"},
    {"use": "work", "value": "2", "type": {"coding": [{"code": "PH"}]}},
    {"value": "3"},
]


@pytest.mark.parametrize(
    ("path", "left"),
    [
        ("telecom.where(use='work')", ["1", "3"]),
        ("telecom.where(use !~ 'home' and use !~ 'work')", ["1", "2"]),
        ("telecom.where(type.coding.code='PH' and use='work')", ["1", "3"]),
        ("telecom.where(type.coding.code='PH' and use='home')", ["1", "2", "3"]),
        ("telecom.where(use='home').value", [None, "2", "3"]),
        ("telecom.where(use='it is odd)')", ["1", "2", "3"]),
    ],
    ids=["equal", "others", "nested", "both", "below", "text"],
)
def test_a_choice_takes_only_the_items_it_names(path: str, left: list[str | None]) -> None:
    """Items that meet every condition go; the others stay in their order."""
    body = without({"telecom": TELECOM}, path_of(path))

    items = body["telecom"]
    assert isinstance(items, list)
    assert [item.get("value") for item in items if isinstance(item, dict)] == left


@pytest.mark.parametrize(
    "path",
    [
        "id",
        "resourceType",
        "name[0]",
        "name.first()",
        "telecom.where(use = 'work')",
        "telecom.where(use='a' or use='b')",
        "telecom.where(use='it\\'s')",
        "telecom.where(use='a').where(system='b')",
        "telecom.where()",
        "telecom.where(" + " and ".join(["use='a'"] * 17) + ")",
        "telecom.",
        "",
    ],
)
def test_what_is_not_in_the_subset_is_no_path(path: str) -> None:
    """A path that FHIRPath might read otherwise is refused, never guessed."""
    assert parse_path(path) is None


def _parameter(name: str, **parts: str) -> JsonObject:
    held: list[Json] = [{"name": key, "valueString": value} for key, value in parts.items()]
    return {"parameter": [{"name": name, "part": held}]}


def test_a_change_set_says_deletions_and_assumptions() -> None:
    """Both kinds of parameter name their target."""
    deleted = _parameter("operation", target="Patient/a", type="delete", path="Patient.birthDate")
    assumed = _parameter("default", target="Encounter/b", path="Encounter.status")
    identified = _parameter("default", target="Patient/a", path="Patient")
    exact = _parameter("exact", target="Patient/a", path="Patient.name")

    found = [one for body in (deleted, assumed, identified, exact) for one in read(body, "here")]

    assert found == [
        Deletion(target=("Patient", "a"), path=Path(names=("birthDate",))),
        Assumption(target=("Encounter", "b"), element="status"),
        Assumption(target=("Patient", "a"), element=""),
        Exactly(target=("Patient", "a"), element="name"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        _parameter("default", target="Patient/a", path="Patient.name.family"),
        _parameter("default", target="Patient/a", path="Patient.birthDate", type="delete"),
        _parameter("default", target="Patient/a", path="Patient."),
        _parameter("exact", target="Patient/a", path="Patient"),
        _parameter("exact", target="Patient/a", path="Patient.name.family"),
        _parameter("another", target="Patient/a", path="Patient.birthDate"),
    ],
    ids=["deep", "with-type", "no-name", "exact-whole", "exact-deep", "other-name"],
)
def test_a_parameter_in_another_form_is_refused(body: JsonObject) -> None:
    """The error names the place and nothing of the content."""
    with pytest.raises(BridgeError, match=r"nor a default.*here\.parameter\[0\]") as got:
        list(read(body, "here"))

    assert got.value.code == "patch-form"
