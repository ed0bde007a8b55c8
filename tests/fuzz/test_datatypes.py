"""Any text at all: every datatype function gives a valid FHIR R4B value or None, never an error."""

import json
import re
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from fhir.resources.R4B import get_fhir_model_class
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.tables import load

_DAY = r"([0-9]([0-9]([0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)"
_DATE = _DAY + r"(-(0[1-9]|1[0-2])(-(0[1-9]|[1-2][0-9]|3[0-1]))?)?"
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?"
_ZONE = r"(Z|(\+|-)((0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_FULL = rf"{_DAY}-(0[1-9]|1[0-2])-(0[1-9]|[1-2][0-9]|3[0-1])T{_TIME}{_ZONE}"
PRIMITIVES = {
    "boolean": r"true|false",
    "code": r"[^\s]+(\s[^\s]+)*",
    "date": _DATE,
    "dateTime": rf"{_DATE}|{_FULL}",
    "decimal": r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?",
    "id": r"[A-Za-z0-9\-\.]{1,64}",
    "instant": _FULL,
    "integer": r"-?(0|[1-9][0-9]*)",
    "markdown": r"[\s\S]*\S[\s\S]*",
    "positiveInt": r"[1-9][0-9]*",
    "string": r"[\s\S]*\S[\s\S]*",
    "time": _TIME,
    "unsignedInt": r"0|[1-9][0-9]*",
    "uri": r"\S+",
    "url": r"\S+",
}
"""https://hl7.org/fhir/R4/datatypes.html, the grammar of each primitive."""

FRAGMENTS = st.sampled_from(
    [
        *"^&~\\ \t\n\x00\x0b\u3000\ud7ff",
        '""',
        *(
            "2.16.840.1.113883.6.1",
            "1.02",
            "ISO",
            "UUID",
            "DNS",
            "URI",
            "http://a b",
            "urn:oid:1.2",
        ),
        *(
            "7f9b3e64-1b70-4a5f-9c79-3e0f6a2f1c11",
            "LN",
            "L",
            "HL70001",
            "99X",
            "UCUM",
            "MR",
            "NNUSA",
        ),
        *("20240229", "20230229", "202403311", "20240331023000", "20241027023000", "2400", "0001"),
        *(
            "20240101235960.123+0100",
            "99991231240000",
            "1850010112",
            "2024-01-02T03:04:05Z",
            "+9999",
        ),
        *("7.40", "-0", "+007", ".5", "5.", "1e5", "1e99999", "<", ">=", "-", ":", "/", "12:5"),
        *("PRN", "PH", "NET", "Internet", "a@b.c", "(555)555-5555", "F", "H", "M", "BA", "MD"),
        *("Q4H", "BID", "QOD", "Q2J135", "5ID", "0800,2400,x", "D10", "X3", "DW", "PC", "min", "h"),
        *(
            "AP",
            "PDF",
            "Base64",
            "Hex",
            "A",
            "JVBERi0=",
            "JVBERi0",
            "text",
            "\\E\\",
            "\\X0D\\",
            "\\",
        ),
    ]
)
FIELDS = st.one_of(
    st.lists(FRAGMENTS, max_size=30).map("".join),
    st.lists(FRAGMENTS, max_size=25).map("^".join),
    st.lists(FRAGMENTS, max_size=12).map("&".join),
    st.text(max_size=60),
    st.text(alphabet="0123456789+-.^&", max_size=40),
)
ZONES = st.sampled_from([None, ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe")])
CONTEXTS = st.builds(
    Context,
    subcomponent=st.sampled_from(["&", ""]),
    escape=st.sampled_from(["\\", ""]),
    facility=st.sampled_from(["", "ST MARY"]),
    offset=st.sampled_from(["", "+01:00"]),
    zone=ZONES,
    namespace=st.just("urn:fhir-anchor:test"),
)
TABLES = st.sampled_from([None, load("MaritalStatus"), load("Priority"), load("RepeatPattern")])


@pytest.mark.parametrize("name", sorted(DATATYPES))
@settings(max_examples=60)
@given(text=FIELDS, ctx=CONTEXTS, table=TABLES)
def test_any_text_gives_a_valid_value_or_none(
    name: str, text: str, ctx: Context, table: Any
) -> None:
    """No text makes a datatype function raise, or give what FHIR R4B refuses."""
    kind = DATATYPES[name]

    value = kind.function(text, ctx, table) if kind.coded else kind.function(text, ctx)

    if value is not None:
        _check(kind.gives, value)


def _check(gives: str, value: Any) -> None:
    encoded = msgspec.json.encode(value)
    plain = json.loads(encoded)
    for leaf in _leaves(plain):
        assert leaf not in ("", [], {}), plain
        if isinstance(leaf, str):
            assert not any(point < " " and point not in "\t\n\r" for point in leaf)
    if gives in PRIMITIVES:
        text = value if isinstance(value, str) else encoded.decode()
        assert re.fullmatch(PRIMITIVES[gives], text), text
        return
    for one in plain if gives.endswith("[]") else [plain]:
        # A RelatedPerson is not whole without its patient, whom another field names.
        patient = {"patient": {"reference": "Patient/1"}} if gives == "RelatedPerson" else {}
        get_fhir_model_class(gives.removesuffix("[]")).model_validate({**one, **patient})


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict) and value:
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list) and value:
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value
