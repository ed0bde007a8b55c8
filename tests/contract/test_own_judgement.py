"""What the HL7 v2 dialect makes, the FHIR dialect takes: one node, one idea of valid R4."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from adapters.fhir.dialect import problems_in
from adapters.hl7v2.batch import split
from adapters.hl7v2.dialect import Hl7v2
from adapters.hl7v2.published import publishes
from bridge.core.errors import BridgeError


def test_no_bundle_breaks_a_rule_of_r4(shared: Path) -> None:
    """Every file of the corpus: shape, constraints, bundle rules, references and code systems."""
    dialect, corpus, broken = Hl7v2(), shared / "corpus", set()
    with (corpus / "INDEX.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    for row in rows:
        for raw in split((corpus / row["repo"] / row["path"]).read_bytes()).messages[:50]:
            try:
                bundle = dialect.convert(raw, sender="").canonical
            except BridgeError:
                continue
            broken |= {f"{row['path']}: {one.code} {one.where}" for one in problems_in(bundle)}
            broken |= {f"{row['path']}: {claim}" for claim in _false_claims(json.loads(bundle))}

    assert broken == set()


def _false_claims(value: Any) -> Iterator[str]:
    """Codes that say to be of a published system which has none such."""
    if isinstance(value, dict):
        system, code = value.get("system"), value.get("code")
        if system and isinstance(code, str) and not publishes(system, code):
            yield f"{system}#{code}"
    for held in value.values() if isinstance(value, dict) else value:
        if isinstance(held, dict | list):
            yield from _false_claims(held)
