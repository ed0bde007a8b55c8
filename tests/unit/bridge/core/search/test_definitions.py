"""The definitions are those of HL7, and complete for what US Core asks."""

import json
from pathlib import Path

from bridge.core.search import definitions as module
from bridge.core.search.definitions import SearchType, parameters_of, patient_parameters
from tests.generators.search_definitions import encoded


def test_file_is_what_the_generator_makes(shared: Path) -> None:
    """The table is generated, never typed."""
    stored = Path(module.__file__).with_name("definitions.json").read_text()

    assert stored == encoded(shared / "fhir-samples")


def test_us_core_searches_have_their_parameters(shared: Path) -> None:
    """Every search that the public test kit asks is one that we index."""
    path = shared / "fhir-samples/inferno-us-core-6.1.0/required-searches.json"
    for group in json.loads(path.read_text()):
        for search in group["searches"]:
            known = {"_id", "_lastUpdated", *parameters_of(group["resource"])}
            assert set(search["names"]) <= known, group["resource"]


def test_parameter_knows_its_places() -> None:
    """A choice element is looked for under each of its names."""
    date = parameters_of("Observation")["date"]

    assert date.type is SearchType.DATE
    assert [(source.steps[0][0], source.type) for source in date.sources] == [
        ("effectiveDateTime", "dateTime"),
        ("effectiveInstant", "instant"),
        ("effectivePeriod", "Period"),
        ("effectiveTiming", "Timing"),
    ]


def test_patient_compartment_names_its_parameters() -> None:
    """What belongs to a patient is found by these; unknown types belong to nobody."""
    assert patient_parameters("Observation") == ("subject", "performer")
    assert patient_parameters("Organization") == ()
    assert parameters_of("Unknown") == {}
