"""Which codes a published code system has: any other code is the sender's own.

`published.csv` lists, a system a line, the codes of every code system of terminology.hl7.org (the
tables of HL7 v2, the vocabulary of v3, FHIR's own) and of DICOM that FHIR R4 carries whole:
https://hl7.org/fhir/R4/terminologies-systems.html, 4.0.1, CC0 1.0. By these a receiver of R4
validates; what HL7 published later it refuses. docs/adr/0023.
"""

import csv
from collections.abc import Mapping
from functools import cache
from importlib import resources

from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes.components import local_uri

__all__ = ["publishes", "system_of"]


def publishes(system: str, code: str) -> bool:
    """Whether the code may be one of the system's; false only where R4 lists all that are."""
    codes = _systems().get(system)
    return codes is None or code in codes


def system_of(system: str, code: str, ctx: Context) -> str:
    """The system, or the sender's own of that name where the published one lacks the code.

    A user-defined table of HL7 v2 is filled by each site: what HL7 does not suggest for it means
    something only there.
    """
    if publishes(system, code):
        return system
    return local_uri(ctx.namespace, "CodeSystem", system.rpartition("/")[2])


@cache
def _systems() -> Mapping[str, frozenset[str]]:
    lines = resources.files("adapters.hl7v2").joinpath("published.csv").read_text("utf-8")
    return {row[0]: frozenset(row[1:]) for row in csv.reader(lines.splitlines())}
