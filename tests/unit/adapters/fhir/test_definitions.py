"""The definitions that the check reads from the models."""

from adapters.fhir.definitions import resource_shape, type_shape


def test_elements_are_those_of_r4_by_their_json_names() -> None:
    """Type, cardinality, choice, targets and required codes come from the models."""
    shape = resource_shape("Observation")
    assert shape is not None

    value, subject = shape.elements["valueQuantity"], shape.elements["subject"]

    assert (value.choice, value.type_name, value.repeats) == ("value", "Quantity", False)
    assert "Patient" in subject.targets
    assert "entered-in-error" in shape.elements["status"].codes
    assert shape.elements["component"].repeats
    assert shape.elements["_status"].type_name == "_"
    assert set(shape.required) == {"code", "status"}


def test_types_that_only_r4b_has_are_not_known() -> None:
    """R4 is what is promised; abstract types and data types are no resources."""
    for name in ("SubscriptionTopic", "Citation", "DomainResource", "Coding", "patient", ""):
        assert resource_shape(name) is None


def test_backbone_elements_have_shapes_of_their_own() -> None:
    """A backbone element is named by its model."""
    shape = resource_shape("Patient")
    assert shape is not None
    model = shape.elements["contact"].model
    assert model is not None

    assert type_shape(model).name == "PatientContact"
