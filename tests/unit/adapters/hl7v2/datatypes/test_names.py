"""Names of persons."""

from collections.abc import Callable
from typing import Any

import pytest

CASES: list[Any] = [
    pytest.param(
        "XPN.HumanName",
        "Smith^John^Q^III^Dr.^MD^L",
        "",
        {
            "family": "Smith",
            "given": ["John", "Q"],
            "suffix": ["III", "MD"],
            "prefix": ["Dr."],
            "use": "official",
        },
        [],
        id="seven-components",
    ),
    pytest.param(
        "PN.HumanName", "Smith^John", "", {"family": "Smith", "given": ["John"]}, [], id="old-form"
    ),
    pytest.param(
        "XPN.HumanName",
        "EVERYMAN&van&&&Aniston^ADAM",
        "",
        {
            "family": "EVERYMAN",
            "_family": {
                "extension": [
                    {
                        "url": "http://hl7.org/fhir/StructureDefinition/humanname-own-prefix",
                        "valueString": "van",
                    },
                    {
                        "url": "http://hl7.org/fhir/StructureDefinition/humanname-partner-name",
                        "valueString": "Aniston",
                    },
                ]
            },
            "given": ["ADAM"],
        },
        [],
        id="family-in-parts",
    ),
    pytest.param(
        "XPN.HumanName",
        "A^B^^^^^M^^^2001&2002",
        "",
        {
            "family": "A",
            "given": ["B"],
            "use": "maiden",
            "period": {"start": "2001", "end": "2002"},
        },
        [],
        id="validity-range",
    ),
    pytest.param(
        "XPN.HumanName",
        "A^^^^^^^^^^^2001^2002^PF",
        "",
        {"family": "A", "suffix": ["PF"], "period": {"start": "2001", "end": "2002"}},
        [],
        id="effective-dates",
    ),
    pytest.param(
        "XPN.HumanName", "A^^^^^^CURRENT", "", {"family": "A"}, ["code-unmapped"], id="unknown-use"
    ),
    pytest.param(
        "XPN.HumanNames",
        "Berg^Anna^^^^^L^^^^^^^^Nan",
        "",
        [
            {"family": "Berg", "given": ["Anna"], "use": "official"},
            {"use": "nickname", "given": ["Nan"]},
        ],
        [],
        id="called-by",
    ),
    pytest.param(
        "XPN.HumanNames",
        "Yamada^Taro^^^^^L^P^^^F",
        "",
        [
            {
                "family": "Yamada",
                "given": ["Taro"],
                "use": "official",
                "extension": [
                    {
                        "url": "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation",
                        "valueCode": "SYL",
                    }
                ],
                "text": "Yamada Taro",
            }
        ],
        [],
        id="written-in-syllables-family-first",
    ),
    pytest.param("XPN.HumanNames", "^^^^^^L", "", None, [], id="names-without-name"),
    pytest.param("XPN.HumanName", "^^^^^^L", "", None, [], id="use-without-name"),
    pytest.param("XPN.HumanName", "O\\T\\B", "", {"family": "O&B"}, [], id="escaped-delimiter"),
    pytest.param("XPN.string", "Mouse^Mickey^J^III^Dr", "", "Dr Mickey J Mouse III", [], id="line"),
    pytest.param("XPN.string", "Mao^Zedong^^^^^^^^^F", "", "Mao Zedong", [], id="family-first"),
    pytest.param(
        "FN.HumanName",
        "Smith&van",
        "",
        {
            "family": "Smith",
            "_family": {
                "extension": [
                    {
                        "url": "http://hl7.org/fhir/StructureDefinition/humanname-own-prefix",
                        "valueString": "van",
                    }
                ]
            },
        },
        [],
        id="family-alone",
    ),
    pytest.param("FN.string", "Smith&van", "", "Smith", [], id="surname"),
]


@pytest.mark.parametrize(("name", "text", "table", "expected", "found"), CASES)
def test_name_in_its_parts(
    convert: Callable[..., Any],
    name: str,
    text: str,
    table: str,
    expected: object,
    found: list[str],
) -> None:
    """Each part of a name stands where FHIR has it."""
    value = convert(name, text, table)

    assert value == (expected, found)
