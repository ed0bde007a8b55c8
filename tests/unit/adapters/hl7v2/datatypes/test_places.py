"""Places."""

from collections.abc import Callable
from typing import Any

import pytest

CASES: list[Any] = [
    pytest.param(
        "PL.Location",
        "A^^^^^^^^^77",
        "",
        [
            {
                "identifier": [
                    {"system": "urn:x:stmary/NamingSystem/location", "value": "A"},
                    {"value": "77"},
                ],
                "name": "A",
                "mode": "instance",
                "physicalType": {
                    "coding": [
                        {
                            "system": "http://terminology.hl7.org/CodeSystem/location-physical-type",
                            "code": "wa",
                            "display": "Ward",
                        }
                    ]
                },
            }
        ],
        [],
        id="id-without-authority",
    ),
    pytest.param(
        "PL.Location",
        "6N^1/2^A^GEN&1.2.3.4&ISO",
        "",
        [
            {
                "identifier": [
                    {"system": "urn:x:stmary/NamingSystem/location/GEN/6N/1%2F2", "value": "A"}
                ],
                "name": "A",
                "mode": "instance",
                "physicalType": {
                    "coding": [
                        {
                            "system": "http://terminology.hl7.org/CodeSystem/location-physical-type",
                            "code": "bd",
                            "display": "Bed",
                        }
                    ]
                },
            },
            {
                "identifier": [
                    {"system": "urn:x:stmary/NamingSystem/location/GEN/6N", "value": "1/2"}
                ],
                "name": "1/2",
                "mode": "instance",
                "physicalType": {
                    "coding": [
                        {
                            "system": "http://terminology.hl7.org/CodeSystem/location-physical-type",
                            "code": "ro",
                            "display": "Room",
                        }
                    ]
                },
            },
            {
                "identifier": [{"system": "urn:x:stmary/NamingSystem/location/GEN", "value": "6N"}],
                "name": "6N",
                "mode": "instance",
                "physicalType": {
                    "coding": [
                        {
                            "system": "http://terminology.hl7.org/CodeSystem/location-physical-type",
                            "code": "wa",
                            "display": "Ward",
                        }
                    ]
                },
            },
            {
                "identifier": [
                    {"system": "urn:x:stmary/NamingSystem/location", "value": "GEN"},
                    {"system": "urn:ietf:rfc:3986", "value": "urn:oid:1.2.3.4"},
                ],
                "name": "GEN",
                "mode": "instance",
                "physicalType": {
                    "coding": [
                        {
                            "system": "http://terminology.hl7.org/CodeSystem/location-physical-type",
                            "code": "si",
                            "display": "Site",
                        }
                    ]
                },
            },
        ],
        [],
        id="bed-in-a-hospital",
    ),
    pytest.param(
        "PL.Location",
        "ICU^^^^^^^^Intensive care^77&X&1.2.3.4.5&ISO",
        "",
        [
            {
                "identifier": [
                    {"system": "urn:x:stmary/NamingSystem/location", "value": "ICU"},
                    {"value": "77", "system": "urn:oid:1.2.3.4.5"},
                ],
                "name": "ICU",
                "mode": "instance",
                "physicalType": {
                    "coding": [
                        {
                            "system": "http://terminology.hl7.org/CodeSystem/location-physical-type",
                            "code": "wa",
                            "display": "Ward",
                        }
                    ]
                },
                "description": "Intensive care",
            }
        ],
        [],
        id="details",
    ),
    pytest.param("PL.Location", "^^^^^N", "", None, [], id="no-place"),
    pytest.param("PL.display", "6N^1234^A^GENHOS", "", "6N, 1234, A, GENHOS", [], id="display"),
    pytest.param("PL.display", "6N^^^^^^^^Ward six", "", "Ward six", [], id="described"),
    pytest.param("PL.string", "6N", "", "6N", [], id="text"),
    pytest.param(
        "NDL.Location",
        "1&A^^^6N^12",
        "",
        [
            {
                "identifier": [{"system": "urn:x:stmary/NamingSystem/location/6N", "value": "12"}],
                "name": "12",
                "mode": "instance",
                "physicalType": {
                    "coding": [
                        {
                            "system": "http://terminology.hl7.org/CodeSystem/location-physical-type",
                            "code": "ro",
                            "display": "Room",
                        }
                    ]
                },
            },
            {
                "identifier": [{"system": "urn:x:stmary/NamingSystem/location", "value": "6N"}],
                "name": "6N",
                "mode": "instance",
                "physicalType": {
                    "coding": [
                        {
                            "system": "http://terminology.hl7.org/CodeSystem/location-physical-type",
                            "code": "wa",
                            "display": "Ward",
                        }
                    ]
                },
            },
        ],
        [],
        id="ndl",
    ),
    pytest.param(
        "PL.Location",
        "ER^^^^O^C",
        "",
        [
            {
                "identifier": [{"system": "urn:x:stmary/NamingSystem/location", "value": "ER"}],
                "name": "ER",
                "mode": "instance",
                "physicalType": {
                    "coding": [
                        {
                            "system": "http://terminology.hl7.org/CodeSystem/location-physical-type",
                            "code": "wa",
                            "display": "Ward",
                        }
                    ]
                },
                "type": [
                    {
                        "coding": [
                            {
                                "system": "http://terminology.hl7.org/CodeSystem/v2-0305",
                                "code": "C",
                                "display": "Clinic",
                            }
                        ]
                    }
                ],
            }
        ],
        [],
        id="kind-of-place",
    ),
]


@pytest.mark.parametrize(("name", "text", "table", "expected", "found"), CASES)
def test_place_chain(
    convert: Callable[..., Any],
    name: str,
    text: str,
    table: str,
    expected: object,
    found: list[str],
) -> None:
    """A place is the chain of places around it, the narrowest first."""
    value = convert(name, text, table)

    assert value == (expected, found)
