"""The judge itself: facts, references, and rules of the table."""

import pytest

from tests.scoring.facts import Fact, facts_of, load
from tests.scoring.judge import Rule, judge, positions, rules

PATIENT = b"""{"entry": [
  {"fullUrl": "urn:uuid:1", "resource": {"resourceType": "Patient", "id": "x",
    "meta": {"tag": [{"code": "t"}]}, "text": {"div": "<div/>"},
    "identifier": [{"system": "urn:oid:1.2", "value": "17"}],
    "name": [{"family": "Doe", "given": ["Jane"]}], "multipleBirthInteger": 2}},
  {"resource": {"resourceType": "Observation", "valueQuantity": {"value": 7.40},
    "subject": {"reference": "urn:uuid:1"}, "performer": [{"display": "Jane Doe"}]}}]}"""


def test_facts_drop_ids_and_meta_and_resolve_references() -> None:
    """What is left is type, path and value; a reference is what its target is known by."""
    facts = {str(fact) for fact in facts_of(load(PATIENT))}

    assert facts == {
        "Patient.identifier.system = urn:oid:1.2",
        "Patient.identifier.value = 17",
        "Patient.name.family = Doe",
        "Patient.name.given = Jane",
        "Patient.multipleBirthInteger = 2",
        "Observation.valueQuantity.value = 7.4",
        "Observation.subject = -> 17 | doe jane",
        "Observation.performer = -> doe jane",
    }


def test_reference_is_met_by_any_of_its_labels() -> None:
    """One says the identifier, the other the name as well."""
    expected = Fact(kind="A", path="b", value="-> 1 | x", labels=frozenset({"1", "x"}))
    actual = Fact(kind="A", path="b", value="-> 1", labels=frozenset({"1"}))

    judged = judge(frozenset({expected}), frozenset({actual}), (), {})

    assert judged.found == (expected,)


@pytest.mark.parametrize(
    ("rule", "explained"),
    [
        (Rule(reason="r", kind="P*", path="n.*"), True),
        (Rule(reason="r", path="name"), False),
        (Rule(reason="r", value="d.*"), False),
        (Rule(reason="r", value="D.*"), True),
        (Rule(reason="r", source="PID-5\\.1"), True),
        (Rule(reason="r", source="NK1-.*"), False),
        (Rule(reason="r", same="words"), True),
        (Rule(reason="r", same="instant"), False),
    ],
    ids=["element", "other-path", "case", "value", "source", "other-source", "words", "instant"],
)
def test_rule_explains_what_it_says(rule: Rule, *, explained: bool) -> None:
    """All conditions of a rule must hold."""
    expected = Fact(kind="Person", path="n.f", value="Doe")
    ours = Fact(kind="Person", path="n.f", value="DOE ")
    known = positions(b"MSH|^~\\&|A\rPID|1||||Doe^Jane")

    judged = judge(frozenset({expected}), frozenset({ours}), (rule,), known)

    assert bool(judged.explained) == explained


def test_every_rule_gives_its_reason() -> None:
    """One line, in words."""
    assert all(len(rule.reason.split()) > 4 for rule in rules())
