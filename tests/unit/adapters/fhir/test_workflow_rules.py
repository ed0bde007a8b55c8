"""Rules on orders, doses and estimates: what may be said in two ways must be said in one."""

import pytest

from adapters.fhir.rules import rules_of
from bridge.core.record.bundle import JsonObject


def _broken(type_name: str, value: JsonObject) -> list[str]:
    return [rule.key for rule in rules_of(type_name) if not rule.holds(value)]


@pytest.mark.parametrize(
    ("value", "keys"),
    [
        ({"type": "named-event"}, ["trd-3"]),
        ({"type": "named-event", "name": "admit"}, []),
        ({"type": "periodic", "timingDate": "2026"}, []),
        ({"type": "data-added"}, ["trd-3"]),
        ({"type": "data-added", "data": [{}]}, []),
    ],
)
def test_trigger_says_what_triggers(value: JsonObject, keys: list[str]) -> None:
    """Each kind of trigger has the element that it needs."""
    assert _broken("TriggerDefinition", value) == keys


@pytest.mark.parametrize(
    ("value", "keys"),
    [
        ({"genomeBuild": "38"}, ["msq-5"]),
        ({"genomeBuild": "38", "chromosome": {}}, []),
        ({"referenceSeqString": "A", "referenceSeqId": {}}, ["msq-6"]),
    ],
)
def test_reference_sequence_is_given_in_one_way(value: JsonObject, keys: list[str]) -> None:
    """Two ways may say two things."""
    assert _broken("MolecularSequenceReferenceSeq", value) == keys


@pytest.mark.parametrize("value", [{}, {"resource": {}, "action": [{}]}])
def test_action_of_a_group_leads_to_one_thing(value: JsonObject) -> None:
    """Neither and both are refused."""
    assert _broken("RequestGroupAction", value) == ["rqg-1"]
