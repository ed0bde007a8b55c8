"""Addresses."""

from collections.abc import Callable
from typing import Any

import pytest

CASES: list[Any] = [
    pytest.param("XAD.Residence", "^^Born^^^FRA^BDL", "", None, [], id="nobody-lives-there"),
    pytest.param("XAD.Residence", "^^T^^^^H", "", {"city": "T", "use": "home"}, [], id="residence"),
    pytest.param(
        "XAD.Birthplace", "^^Born^^^FRA^N", "", {"city": "Born", "country": "FRA"}, [], id="birth"
    ),
    pytest.param("XAD.Birthplace", "^^T^^^^H", "", None, [], id="no-birth"),
    pytest.param(
        "XAD.Address", "^^A^^^^^x", "", {"city": "A", "district": "x"}, [], id="other-geography"
    ),
    pytest.param(
        "XAD.Address",
        "^^A^^^^H^x^y^^^^^^^N^Y^V",
        "",
        {"city": "A", "district": "y", "use": "old", "type": "physical"},
        [],
        id="bad-address",
    ),
    pytest.param(
        "XAD.Address",
        "^^A^^^^^^^^^^^^^Y^N^M",
        "",
        {"city": "A", "use": "temp", "type": "postal"},
        [],
        id="temporary-for-mail",
    ),
    pytest.param(
        "XAD.Address",
        "115 MAIN^Apt 2^GOODTOWN^KY^42010^USA^H",
        "",
        {
            "line": ["115 MAIN", "Apt 2"],
            "city": "GOODTOWN",
            "state": "KY",
            "postalCode": "42010",
            "country": "USA",
            "use": "home",
        },
        [],
        id="home",
    ),
    pytest.param(
        "XAD.Address",
        "1000&Hospital Lane&12^^^^^^M^^W^77^^2001&2002^^^^^^^Near Highway",
        "",
        {
            "line": ["1000", "Hospital Lane", "12", "Near Highway"],
            "type": "postal",
            "district": "W",
            "_line": [
                {
                    "extension": [
                        {
                            "url": "http://hl7.org/fhir/StructureDefinition/iso21090-ADXP-censusTract",
                            "valueString": "77",
                        }
                    ]
                },
                None,
                None,
                None,
            ],
            "period": {"start": "2001", "end": "2002"},
        },
        [],
        id="street-in-parts",
    ),
    pytest.param(
        "XAD.Address",
        "12 Main St&Main St&12",
        "",
        {"line": ["12 Main St"]},
        [],
        id="street-said-twice",
    ),
    pytest.param(
        "XAD.Address",
        "^^A^^^^BA^^^^^^2001^2002",
        "",
        {"city": "A", "use": "old", "period": {"start": "2001", "end": "2002"}},
        [],
        id="bad-address",
    ),
    pytest.param(
        "XAD.Address", "^^A^^^^TM", "", {"city": "A"}, ["code-unmapped"], id="no-use-in-fhir"
    ),
    pytest.param("XAD.Address", "^^^^^^H", "", None, [], id="use-without-place"),
    pytest.param(
        "AD.Address",
        "1 High St^^Oxford^^OX1 4DP^^O",
        "",
        {"line": ["1 High St"], "city": "Oxford", "postalCode": "OX1 4DP", "use": "work"},
        [],
        id="old-form",
    ),
    pytest.param("SAD.Address", "1 High St", "", {"line": ["1 High St"]}, [], id="street"),
    pytest.param("XAD.string", "1 High St^^Oxford", "", "1 High St, Oxford", [], id="line"),
]


@pytest.mark.parametrize(("name", "text", "table", "expected", "found"), CASES)
def test_address_in_its_parts(
    convert: Callable[..., Any],
    name: str,
    text: str,
    table: str,
    expected: object,
    found: list[str],
) -> None:
    """Every line, place, use and period of an address is kept."""
    value = convert(name, text, table)

    assert value == (expected, found)
