"""The access event says who, when, what for and which, in valid FHIR, and no more."""

import json

import pytest

from adapters.fhir.dialect import FhirDialect
from bridge.core.ids import RecordId, parse_instant
from bridge.core.policy.access import Caller, Role
from bridge.core.policy.audit import Interaction, Shown, access_event, event_facts

AT = parse_instant("2026-11-22T14:00:00.000000Z")
CALLER = Caller(subject="clinic", roles=frozenset({Role.READER}), purpose="HOPERAT")


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(Shown(interaction=Interaction.SEARCH), id="empty search"),
        pytest.param(
            Shown(
                interaction=Interaction.SEARCH,
                names=("Patient/a/_history/1",),
                patients=("a",),
                parameters=("family",),
            ),
            id="search",
        ),
        pytest.param(
            Shown(interaction=Interaction.VREAD, names=("Patient/a/_history/1",)), id="vread"
        ),
    ],
)
def test_event_is_valid_r4(shown: Shown) -> None:
    """Our own judge of FHIR takes it."""
    event = access_event(shown, caller=CALLER, access=RecordId("0190-a"), at=AT)

    bundle = FhirDialect().convert(event, sender="self")

    assert json.loads(bundle.canonical)["entry"][0]["resource"] == json.loads(event)


def test_event_names_profile_by_what_was_shown() -> None:
    """A patient's search is a PatientQuery of IHE BALP."""
    shown = Shown(interaction=Interaction.SEARCH, patients=("a",))

    event = json.loads(access_event(shown, caller=CALLER, access=RecordId("0190-a"), at=AT))

    assert event["meta"]["profile"][0].endswith("IHE.BasicAudit.PatientQuery")
    assert event["purposeOfEvent"][0]["coding"][0]["code"] == "HOPERAT"
    assert event["agent"][0]["who"] == {"identifier": {"value": "clinic"}}


def test_what_an_event_is_found_by_can_be_read_back() -> None:
    """Id, time, and the patients in order."""
    shown = Shown(interaction=Interaction.READ, names=("Patient/b",), patients=("b", "a"))
    event = access_event(shown, caller=CALLER, access=RecordId("0190-a"), at=AT)

    assert event_facts(event) == ("0190-a", "2026-11-22T14:00:00.000000Z", ("a", "b"))


def test_bytes_that_are_no_event_say_nothing() -> None:
    """Whatever an administrator put there."""
    assert event_facts(b"{") == ("", "", ())
