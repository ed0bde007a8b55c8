"""Elements of a resource under construction."""

from msgspec import Raw

from adapters.hl7v2.elements import append, element, reference_to
from bridge.core.record.bundle import JsonObject
from bridge.core.record.canon import canonical


def test_appending_to_what_is_kept_as_bytes_keeps_both() -> None:
    """A run of remembered rows leaves an array encoded; a rule may add to it."""
    resource: JsonObject = {"note": Raw(b'[{"text":"a"}]')}

    append(resource, "note", {"text": "b"})

    assert canonical(resource) == b'{"note":[{"text":"a"},{"text":"b"}]}'


def test_element_of_an_array_is_a_copy_in_its_place() -> None:
    """The value may be remembered, and the next message needs it as it was."""
    remembered: JsonObject = {"city": "Springfield"}
    resource: JsonObject = {"address": [remembered]}

    element(resource, "address", 0)["district"] = "Sangamon"

    assert resource["address"] == [{"city": "Springfield", "district": "Sangamon"}]
    assert remembered == {"city": "Springfield"}


def test_element_beyond_the_end_is_the_last_one() -> None:
    """And the first one is made where there is none."""
    resource: JsonObject = {"name": [{"family": "a"}]}

    element(resource, "name", 3)["use"] = "usual"
    element(resource, "contact", 0)["gender"] = "male"

    assert resource == {"name": [{"family": "a", "use": "usual"}], "contact": [{"gender": "male"}]}


def test_reference_is_relative() -> None:
    """It resolves against the base of fullUrl."""
    assert reference_to({"resourceType": "Patient", "id": "a"}) == {"reference": "Patient/a"}
