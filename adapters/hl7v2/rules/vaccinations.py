"""OBX below RXA: what the vaccination record says of funding, education and the series.

CDC implementation guide for immunization messaging 1.5, appendix A (LOINC codes of OBX-3), grouped
by OBX-4; https://hl7.org/fhir/R4/immunization.html. Each stays an Observation as well.
"""

from collections.abc import Callable
from typing import Final, cast

from adapters.hl7v2.build import Build
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.elements import append
from adapters.hl7v2.group import Group
from adapters.hl7v2.rules.registry import rule
from bridge.core.record.bundle import Json, JsonObject

__all__: list[str] = []


@rule("vaccination-fact", reads=("OBX-3", "OBX-4", "OBX-5", "OBX-14"), writes="education")
def vaccination_fact(f: list[str], g: Group, b: Build, r: JsonObject) -> None:
    """By the LOINC code of OBX-3; every other OBX is an Observation alone."""
    make = _FACTS.get(b.comp(f[3], 1))
    if make is not None and f[5] and f[5] != '""':
        b.ctx.at = "OBX-5"
        make(f, g, b, r)


def _concept(f: list[str], b: Build) -> JsonObject | None:
    found: JsonObject | None = DATATYPES["CWE.CodeableConcept"].function(b.first(f[5]), b.ctx, None)
    return found


def _eligibility(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    concept = _concept(f, b)
    if concept:
        append(r, "programEligibility", concept)


def _funding(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    concept = _concept(f, b)
    if concept:
        r["fundingSource"] = concept


def _reason(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    concept = _concept(f, b)
    if concept:
        append(r, "reasonCode", concept)


def _education(f: list[str], b: Build, r: JsonObject) -> JsonObject:
    """The information sheet of this OBX-4."""
    key = (cast("str", r["id"]), f[4])
    made = b.educations.get(key)
    if made is None:
        made = b.educations[key] = {}
        append(r, "education", made)
    return made


def _sheet(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    shown = DATATYPES["CWE.string"].function(b.first(f[5]), b.ctx)
    if shown:
        _education(f, b, r)["documentType"] = shown


def _published(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    time = DATATYPES["TS.dateTime"].function(b.first(f[5]), b.ctx)
    if time:
        _education(f, b, r)["publicationDate"] = time


def _presented(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    time = DATATYPES["TS.dateTime"].function(b.first(f[5]), b.ctx)
    if time:
        _education(f, b, r)["presentationDate"] = time


def _dose_number(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    _protocol(f, b, r, "doseNumber")


def _series_doses(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    _protocol(f, b, r, "seriesDoses")


def _protocol(f: list[str], b: Build, r: JsonObject, name: str) -> None:
    """A number of the series: a whole one where it is, else as it was written."""
    text = DATATYPES["CWE.string"].function(b.first(f[5]), b.ctx)
    if not text:
        return
    protocol = cast("list[JsonObject]", r.setdefault("protocolApplied", [{}]))[0]
    whole = text.isascii() and text.isdigit() and int(text[:9]) > 0 and len(text) < 10
    protocol[f"{name}{'PositiveInt' if whole else 'String'}"] = int(text) if whole else text


def _reaction(f: list[str], g: Group, b: Build, r: JsonObject) -> None:
    """The adverse reaction is the Observation of this OBX."""
    observation = b.near(g, "Observation")
    if observation is None:
        return
    made: JsonObject = {"detail": {"reference": f"Observation/{cast('str', observation['id'])}"}}
    b.ctx.at = "OBX-14"
    time = DATATYPES["TS.dateTime"].function(b.first(f[14]), b.ctx) if f[14] else None
    if time:
        made["date"] = time
    append(r, "reaction", cast("Json", made))


_FACTS: Final[dict[str, Callable[[list[str], Group, Build, JsonObject], None]]] = {
    "64994-7": _eligibility,
    "30963-3": _funding,
    "59785-6": _reason,
    "30956-7": _sheet,
    "69764-9": _sheet,
    "29768-9": _published,
    "29769-7": _presented,
    "30973-2": _dose_number,
    "59782-3": _series_doses,
    "31044-1": _reaction,
}
