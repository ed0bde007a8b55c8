"""Invalid R4, a case for each kind of rule, each written for one mistake and refused at its place.

`invalid_r4.json`: the rule's code and the place of the first finding, and the input as a value, or
as text where it is no JSON. Written from https://hl7.org/fhir/R4/, none of it taken from elsewhere.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.fhir.dialect import problems_in
from bridge.core.errors import BridgeError

CASES: dict[str, dict[str, Any]] = json.loads(
    Path(__file__).with_name("invalid_r4.json").read_text("utf-8")
)
BYTES = {
    "bom": (b'\xef\xbb\xbf{"resourceType":"Patient"}', "json-bom"),
    "utf-16": ('{"resourceType":"Patient"}'.encode("utf-16"), "json-utf8"),
    "latin-1": (b'{"resourceType":"Patient","name":[{"family":"M\xfcller"}]}', "json-utf8"),
    "string-over-1-MB": (
        b'{"resourceType":"Patient","name":[{"family":"' + b"x" * 1_048_577 + b'"}]}',
        "value-form",
    ),
}


def _first(raw: bytes) -> tuple[str, str]:
    try:
        found = problems_in(raw)
    except BridgeError as error:
        return error.code, error.where
    return (found[0].code, found[0].where) if found else ("", "")


@pytest.mark.parametrize("name", CASES)
def test_mistake_is_refused_at_its_place(name: str) -> None:
    """The code of the rule and the path of the element, which a sender can look up."""
    case = CASES[name]
    raw = case["text"] if "text" in case else json.dumps(case["input"])

    assert _first(raw.encode()) == (case["code"], case["where"])


@pytest.mark.parametrize(("raw", "code"), BYTES.values(), ids=list(BYTES))
def test_bytes_that_are_no_clean_json_are_refused(raw: bytes, code: str) -> None:
    """FHIR JSON is UTF-8 without byte order mark."""
    assert _first(raw)[0] == code


def test_what_is_right_stays_right(shared: Path) -> None:
    """Every published example is accepted, but for one without its div and one with a file name."""
    wrong = {"us-core-9-examples/diagnosticreport-cbc.json", "ihe-pcf/Binary-B-ink.json"}
    samples = shared / "fhir-samples"
    refused = set()

    for path in sorted(samples.rglob("*.json")):
        raw = path.read_bytes()
        if b'"resourceType"' in raw[:400] and _first(raw) != ("", ""):
            refused.add(str(path.relative_to(samples)))

    assert refused <= wrong
