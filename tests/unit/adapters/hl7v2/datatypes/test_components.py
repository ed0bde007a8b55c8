"""Components as FHIR strings, codes and URIs."""

import pytest

from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes.components import (
    cleaned,
    code_part,
    is_oid,
    is_uri,
    is_uuid,
    local_uri,
    part,
    subparts,
    token,
    uri_text,
)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(" a ", "a", id="trimmed"),
        pytest.param('""', "", id="delete-marker"),
        pytest.param("a\\F\\b", "a|b", id="escape"),
        pytest.param("a\x01b", "ab", id="control-character"),
        pytest.param("山田　太郎", "山田　太郎", id="ideographic-space"),
        pytest.param("\ud800", "", id="lone-surrogate"),
        pytest.param("&&", "", id="empty-subcomponents"),
    ],
)
def test_part_is_a_fhir_string(ctx: Context, raw: str, expected: str) -> None:
    """A component is trimmed, unescaped and without forbidden characters."""
    assert part([raw], 1, ctx) == expected


def test_empty_subcomponents_are_empty_among_all_components_too(ctx: Context) -> None:
    """`&&^Berg` has no number: nobody is called `&&`."""
    assert cleaned("&&^Berg", ctx, 3) == ["", "Berg", ""]


def test_part_beyond_the_last_is_absent(ctx: Context) -> None:
    """Components that were not sent are empty."""
    assert (part(["a"], 2, ctx), code_part(["a"], 2, ctx)) == ("", "")


def test_subparts_without_delimiter_is_the_whole(ctx: Context) -> None:
    """A sender without subcomponent delimiter has one subcomponent."""
    ctx.subcomponent = ""

    assert subparts("a&b", ctx) == ["a&b"]


def test_token_has_single_spaces() -> None:
    """A FHIR code has no white space but single spaces inside."""
    assert token(" a \t b ") == "a b"


def test_uri_has_no_white_space() -> None:
    """White space in a URI is percent-encoded."""
    assert uri_text("urn:x:a b") == "urn:x:a%20b"


def test_local_uri_quotes_the_name() -> None:
    """What only the sender knows lies in its own name space."""
    assert local_uri("urn:x", "CodeSystem", "A/B") == "urn:x/CodeSystem/A%2FB"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.2.840.1", True),
        ("2.16.840.1.113883.4.1", True),
        ("2.4", False),
        ("1.2.840", False),
        ("3.1.1.1", False),
        ("1.2..3.4", False),
        ("1.2.03.4", False),
    ],
)
def test_oid_is_dotted_digits(text: str, expected: bool) -> None:  # noqa: FBT001 - a table column
    """An OID starts with 0, 1 or 2 and has at least four arcs: a version number is none."""
    assert is_oid(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://lab.example/codes", True),
        ("urn:oid:1.2.840.1", True),
        ("urn:oid:1.2", False),
        ("urn:uuid:7f9b3e64-1b70-4a5f-9c79-3e0f6a2f1c11", True),
        ("urn:uuid:7", False),
        ("urn:iso:std:iso:3166", True),
        ("http:codes", False),
        ("LAB", False),
    ],
)
def test_uri_is_absolute_and_whole(text: str, expected: bool) -> None:  # noqa: FBT001
    """What a sender writes as a URI is one; a `urn:oid:` without an OID is a name."""
    assert is_uri(text) is expected


def test_uuid_is_hyphenated_hex() -> None:
    """A UUID has groups of 8, 4, 4, 4 and 12 hexadecimal digits."""
    assert is_uuid("7f9b3e64-1b70-4a5f-9c79-3e0f6a2f1c11")
    assert not is_uuid("7f9b3e64-1b70-4a5f-9c79-3e0f6a2f1czz")
