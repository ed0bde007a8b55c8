"""A mapping as a document that makes the same bundles again."""

from dataclasses import replace

import msgspec
import pytest

from adapters.hl7v2.compiler.archive import document, parse_archive, this_code
from adapters.hl7v2.compiler.layers import base_maps, resolve
from adapters.hl7v2.compiler.rows import map_form, map_of, row_form, row_of
from adapters.hl7v2.dialect import Historic, Hl7v2
from adapters.hl7v2.grammar import shipped
from adapters.hl7v2.overlays import parse_profile
from adapters.hl7v2.profiles import ANYONE, SenderProfile
from bridge.core.errors import BridgeError
from bridge.core.ids import sha256

OVERLAY = """
match = { "MSH-3" = "LABX" }
namespace = "https://lab.example/fhir"
zone = "America/Chicago"
charset = "8859/1"
[systems]
KLAB = "https://lab.example/klab"
[tables.loinc]
GLU = ["http://loinc.org", "2345-7", "Glucose"]
[[replace]]
id = "OBX-3"
table = "local:loinc"
[[add]]
from = "ZPI-2"
to = "Patient.extension[]"
as = "ST.string"
url = "https://lab.example/vip"
"""
RAW = (
    "MSH|^~\\&|LABX|X|||202407011200||ORU^R01|1|P|2.5\rPID|1||1||Müller\rPV1|1|I|||||7^Clerk\r"
    "OBR|1||F|X^x^KLAB|||202407011230\rOBX|1|NM|GLU^Gluc^99L||5||||||F\rZPI|1|gold\r"
).encode("iso8859-1")


def written(profile: SenderProfile) -> bytes:
    """The document of a profile."""
    return document(resolve(profile), profile, shipped())


def test_digest_follows_meaning_and_nothing_else() -> None:
    """A moved line or a reason is the same mapping; a row, zone or table is another."""
    maps = base_maps()
    base = written(ANYONE)
    moved = [replace(rules, place="elsewhere") for rules in maps]
    changed = [replace(maps[0], rows=maps[0].rows[1:]), *maps[1:]]

    assert document(moved, ANYONE, shipped()) == base
    assert document(changed, ANYONE, shipped()) != base
    assert written(parse_profile("z", "zone = 'Europe/Vienna'")) != base
    assert written(parse_profile("z", "unmapped_code = 'reject'\nvalidate_bundles = true\n"
                   f"namespace = '{ANYONE.namespace}'")) == base  # fmt: skip


def test_kept_mapping_converts_as_it_did() -> None:
    """Whatever overlays there are now, byte for byte, its own digest in the Provenance."""
    then = Hl7v2((parse_profile("labx", OVERLAY),))
    first = then.convert(RAW, sender="")

    again = Historic(then.mappings[first.mapping]).convert(RAW, sender="")

    assert again == first
    assert sha256(then.mappings[first.mapping]) == first.mapping
    assert Hl7v2().convert(RAW, sender="").canonical != first.canonical


def test_what_was_read_again_is_what_was_written() -> None:
    """Rows, tables, structures and profile survive the document; so do rows and maps alone."""
    profile = parse_profile("labx", OVERLAY)

    old = parse_archive(written(profile))

    assert document(old.maps, old.profile, old.grammar) == written(profile)
    assert old.code == this_code()
    for rules in base_maps():
        form = map_form(rules)
        again = map_of(rules.name, form, rules.place, [row.place for row in rules.rows])
        assert map_form(again) == form
        assert [row_form(row_of(row_form(row), "")) for row in rules.rows] == form["row"]


def test_other_structures_are_those_of_the_document() -> None:
    """A grammar that was changed since is not used."""
    found = msgspec.json.decode(written(ANYONE))
    found["structures"] = found["structures"].replace("[mapped]", "# then\n[mapped]")

    old = parse_archive(msgspec.json.encode(found))

    assert old.grammar.text != shipped().text
    assert old.grammar.structure("ORU_R01").steps.keys() == shipped().structure(
        "ORU_R01").steps.keys()  # fmt: skip


@pytest.mark.parametrize(
    ("key", "value", "error"),
    [
        ("format", "x/2", r"the mapping is written in the form 'x/2'"),
        ("functions", ["py:site.labx.stain." + "a" * 64], r"used py:site.labx.stain, whose file"),
    ],
)
def test_document_that_cannot_be_followed_is_refused(key: str, value: object, error: str) -> None:
    """It says what is missing."""
    found = {**msgspec.json.decode(written(ANYONE)), key: value}

    with pytest.raises(BridgeError, match=error):
        parse_archive(msgspec.json.encode(found))
