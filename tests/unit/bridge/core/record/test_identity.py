"""Ids that every process makes alike."""

import hashlib
import json

import pytest

from bridge.core.record.identity import lane, resource_id

HOSPITAL = "https://north.example"


def naive(*parts: str) -> str:
    """As the docstring says, by another JSON writer."""
    text = json.dumps(parts, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:40]


@pytest.mark.parametrize(
    "key",
    [("MRN-1",), ("urn:oid:1.2.3", "5"), ('a"b', "c\\d"), ("", "Müller \N{GRINNING FACE}", "\n")],
    ids=["one-part", "two-parts", "escapes", "beyond-ascii"],
)
def test_id_is_the_start_of_the_digest_of_a_json_array(key: tuple[str, ...]) -> None:
    """A stranger makes the same id with a JSON writer and SHA-256."""
    assert resource_id(HOSPITAL, "Patient", *key) == naive(
        "fhir-anchor/id/1", HOSPITAL, "Patient", *key
    )
    assert lane(HOSPITAL, *key) == naive("fhir-anchor/lane/1", HOSPITAL, *key)


def test_parts_that_join_alike_give_other_ids() -> None:
    """("a", "bc") is not ("ab", "c"), and no text can pretend to be two parts."""
    keys = [("a", "bc"), ("ab", "c"), ('a","bc',), ("abc",)]

    assert len({resource_id(HOSPITAL, "Patient", *key) for key in keys}) == len(keys)


def test_other_name_space_or_type_gives_another_id() -> None:
    """The MRN of one hospital is not that of another."""
    ids = {
        resource_id(HOSPITAL, "Patient", "1"),
        resource_id("https://south.example", "Patient", "1"),
        resource_id(HOSPITAL, "Encounter", "1"),
        lane(HOSPITAL, "1"),
    }

    assert len(ids) == 4
