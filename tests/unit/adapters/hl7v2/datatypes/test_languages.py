"""Languages: what FHIR can say of them, and what stays words."""

from collections.abc import Callable
from typing import Any

import pytest


def _spoken(code: str, display: str = "", text: str = "") -> dict[str, object]:
    coding = {"system": "urn:ietf:bcp:47", "code": code}
    if display:
        coding["display"] = display
    return {"coding": [coding], **({"text": text} if text else {})}


CASES: list[Any] = [
    pytest.param("EN", _spoken("en", "English"), [], id="two-letters"),
    pytest.param("eng^English^HL70296", _spoken("en", "English", "English"), [], id="three"),
    pytest.param("ger", _spoken("de", "German", "ger"), [], id="bibliographic"),
    pytest.param("haw", _spoken("haw", "Hawaiian"), [], id="no-shorter-code"),
    pytest.param("SPANISH", _spoken("es", "Spanish", "SPANISH"), [], id="name"),
    pytest.param("fr_TN", _spoken("fr-TN", text="fr_TN"), [], id="of-a-country"),
    pytest.param("aai^^ISO6393", _spoken("aai"), [], id="rare-of-iso-639-3"),
    pytest.param("7^Plattdeutsch^L^nds^^ISO6392", _spoken("nds", "Low German", "Plattdeutsch"), [],
                 id="second-triplet"),
    pytest.param("1201^Martian^L", {"text": "Martian"}, ["code-unmapped"], id="no-language"),
    pytest.param("aai", {"text": "aai"}, ["code-unmapped"], id="three-letters-of-nothing"),
    pytest.param("^Romani", {"text": "Romani"}, [], id="words"),
    pytest.param("", None, [], id="nothing"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected", "found"), CASES)
def test_language_is_of_bcp_47_or_words(
    convert: Callable[..., Any], text: str, expected: object, found: list[str]
) -> None:
    """R4 binds it to BCP 47 and to no other system: any other code would make it invalid."""
    assert convert("CWE.Language", text, "") == (expected, found)


@pytest.mark.parametrize(
    ("text", "expected", "found"),
    [("ENG", "en", []), ("en-gb", "en-GB", []), ("XX", None, ["code-unmapped"]), ("", None, [])],
)
def test_language_of_the_message_is_a_tag(
    convert: Callable[..., Any], text: str, expected: object, found: list[str]
) -> None:
    """MessageHeader.language has a code alone, so what is no language is reported and left out."""
    assert convert("CWE.LanguageTag", text, "") == (expected, found)


def test_site_may_map_its_own_codes(convert: Callable[..., Any]) -> None:
    """A table that a row names goes before what everybody knows."""
    assert convert("CWE.Language", "ara", "PrimaryLanguage") == (_spoken("ar", "Arabic", "ara"), [])
