"""Code tables as ConceptMaps and back."""

import json
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.fhir.dialect import problems_in
from adapters.hl7v2.conceptmap import concept_map, table_rows, toml_of
from bridge.core.errors import BridgeError

ROWS = {
    "NA": ("http://loinc.org", "2951-2", "Sodium [Moles/volume]"),
    "K": ("http://loinc.org", "2823-3", ""),
    'odd "code" \\ \x07': ("https://north.example/codes", "x", "Höhe"),
    "bare": ("", "y", ""),
}
TEXT = st.text(min_size=1, max_size=12).filter(lambda text: text.isprintable() and text.strip())
URL = "https://north.example/fhir/ConceptMap/x"


def silent(_: str) -> None:
    """Nothing is to be said."""
    raise AssertionError


def noted(value: object) -> tuple[dict[str, tuple[str, str, str]], list[str]]:
    """Rows and what the table cannot say."""
    said: list[str] = []
    return dict(table_rows(value, said.append, where="x.json")), said


@given(st.dictionaries(TEXT, st.tuples(st.sampled_from(["", "http://a", "urn:b"]), TEXT, TEXT)))
def test_table_survives_the_concept_map_and_the_overlay(rows: Any) -> None:
    """There and back again, both ways, without a word."""
    made = concept_map("x", rows, url=URL)
    again = table_rows(json.loads(json.dumps(made)), silent, where="x.json")

    assert again == rows
    assert concept_map("x", again, url=URL) == made
    parsed = tomllib.loads(toml_of("x", rows))["tables"]["x"]
    assert {code: tuple(row) for code, row in parsed.items()} == rows


def test_concept_map_is_valid_r4() -> None:
    """As any server judges it."""
    sent = {code: row for code, row in ROWS.items() if "\x07" not in code}
    made = concept_map("x", sent, url=URL, source="https://north.example/codes")

    assert problems_in(json.dumps(made).encode()) == ()
    assert tomllib.loads(toml_of("a b", ROWS))["tables"]["a b"].keys() == ROWS.keys()


def element(code: str, *targets: dict[str, Any]) -> dict[str, Any]:
    """One of a group."""
    return {"code": code, "target": list(targets)}


def mapped(*elements: dict[str, Any], **more: object) -> dict[str, Any]:
    """A ConceptMap of one group."""
    group = {"target": "http://t", "element": list(elements), **more}
    return {"resourceType": "ConceptMap", "status": "active", "group": [group]}


def test_what_a_table_cannot_say_is_said() -> None:
    """No match, a weaker one, a choice that was made, what to do without."""
    value = mapped(
        element("A", {"code": "1", "equivalence": "equivalent"}),
        element("B", {"equivalence": "unmatched"}),
        element("C"),
        element("D", {"code": "2", "equivalence": "wider"}),
        element("E", {"code": "3", "equivalence": "wider"}, {"code": "4", "equivalence": "equal"}),
        unmapped={"mode": "provided"},
    )

    rows, said = noted(value)

    assert {code: row[1] for code, row in rows.items()} == {"A": "1", "D": "2", "E": "4"}
    assert [text.partition(": ")[2] for text in said] == [
        "B has no match and gets no row",
        "C has no match and gets no row",
        "D and its target are only wider; a table cannot say",
        "of 2 targets of E the equivalent one was taken",
        "unmapped says what to do without a row; unmapped_code says it here",
    ]


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ([], r"this is no ConceptMap \(x.json\)"),
        ({"resourceType": "Patient"}, r"this is no ConceptMap"),
        ({"resourceType": "ConceptMap", "group": {}}, r"ConceptMap.group is no list"),
        ({"resourceType": "ConceptMap", "group": [{"target": 1}]}, r"a value is not a text"),
        (mapped({"target": []}), r"an element has no code \(x.json, ConceptMap.group\[0\].element"),
        (mapped(element("A", {"code": "1"}, {"code": "2"})), r"A has 2 targets .* - leave one"),
        (mapped(element("A", {"code": "1", "dependsOn": [{}]})), r"depends on something else"),
        (mapped(element("A", {"code": "1"}), element("A", {"code": "2"})), r"A stands in two"),
    ],
)  # fmt: skip
def test_what_only_a_person_can_decide_is_refused(value: object, error: str) -> None:
    """With its place in the ConceptMap."""
    with pytest.raises(BridgeError, match=error):
        noted(value)
