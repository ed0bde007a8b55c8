"""What the HL7 v2 dialect makes, the FHIR dialect takes: one node, one idea of valid R4."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

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


ODD = (
    "EVN||20260101|||||STM^1.4^ISO",
    (
        "PID|1||17^^^STM&2.4&ISO^MR~X^^^STM^NNUSA~Y^^^A^PGN||Everyman^Adam||1962|X||2106-3^W^HL70005|"
        "12 High^Flat^Town^ST^1^USA^H^^CNTY^77.1||||klingon|C|CHR^x^HL70006"
    ),
    "NK1|1|Kin^Kate|Mother^mum^HL70063||||||||||||||||| spanglish",
    (
        "PV1|1|I|W^1^2^H&1.4&ISO^O^BED||||||EMR^x^HL70069||||||V^VIP|4^Ad|QQ|V1|||||||||||||||||01|||"
        "VEGAN^x^DCM"
    ),
    "AL1|1|DA|PEN^Penicillin^L|MO|",
    "OBR|1|P1^STM|F1^LAB^urn:oid:9|24331-1^Lipid^LN|||||||||||||||||||||F||1^Q6H",
    "OBX|1|CE|X^x^L||POS^positive^HL70396||||||F|||||8^Ob^Ser",
    "OBX|2|ED|D^doc^L||^application^pdf^Base64^JVBERi0xLjQK||||||F",
)
"""Codes that their tables lack, versions as OIDs, words as languages, a grade without reaction."""


@pytest.mark.parametrize("kind", ["ADT^A01", "ADT^Z01", "ORU^R01", "%s"])
def test_odd_values_are_said_validly(kind: str) -> None:
    """What a sender writes in the wrong place is kept, but nothing false is claimed of it."""
    header = f"MSH|^~\\&|A|STM^2.4^ISO|||20260102080000+0100||{kind}|C|P|2.5||||||||ELVISH"
    raw = "\r".join((header, *ODD, "")).encode()

    bundle = Hl7v2().convert(raw, sender="").canonical

    assert [(one.code, one.where) for one in problems_in(bundle)] == []
    assert [*_false_claims(json.loads(bundle))] == []
    assert all(word in bundle for word in (b"klingon", b"spanglish", b"Mother", b"VEGAN", b"MO"))


def _false_claims(value: Any) -> Iterator[str]:
    """Codes that say to be of a published system which has none such."""
    if isinstance(value, dict):
        system, code = value.get("system"), value.get("code")
        if system and isinstance(code, str) and not publishes(system, code):
            yield f"{system}#{code}"
    for held in value.values() if isinstance(value, dict) else value:
        if isinstance(held, dict | list):
            yield from _false_claims(held)
