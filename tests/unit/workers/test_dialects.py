"""Senders' overlays of a node, read and handed to the commands."""

from pathlib import Path

import pytest

from bridge.core.errors import BridgeError
from bridge.flows.receive import SHARE, Inbound, prepare
from bridge.settings import Settings, load
from tests.fakes.sources import CountedEntropy, FixedClock
from workers.dialects import code_tables, converters, hl7v2_of, mappings

MESSAGE = (
    b"MSH|^~\\&|ACMELAB|NORTH|||202601020800+0000||ADT^A08|1|P|2.5\rPID|1||17||Doe^Jo\rZPI|1|gold\r"
)
OVERLAY = """
match = { "MSH-3" = "ACMELAB" }
namespace = "https://acme.example/fhir"
[[add]]
from = "ZPI-2"
to = "Patient.extension[]"
as = "ST.string"
url = "https://acme.example/fhir/tier"
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """One sender of our own."""
    (tmp_path / "acme.toml").write_text(OVERLAY)
    return load(environment={}, overrides={"senders.folder": str(tmp_path)})


def test_sender_is_known_by_what_it_matches(settings: Settings) -> None:
    """MSH-3 chooses the overlay."""
    bundle = hl7v2_of(settings).convert(MESSAGE, sender="")

    assert b'"valueString":"gold"' in bundle.canonical


def test_residue_is_what_the_senders_rules_leave(settings: Settings) -> None:
    """The overlay reads ZPI-2; pinned to no sender's rules nobody would."""
    parts = converters(settings, "")

    assert parts.residue(MESSAGE, "") == ("ZPI-1",)


def test_unknown_sender_is_refused_with_the_nearest(settings: Settings) -> None:
    """Before the first file is read."""
    with pytest.raises(BridgeError, match=r"there is no sender acm \(--sender\) - use acme"):
        converters(settings, "acm")


def test_rules_are_of_a_name_a_file_or_nobody(settings: Settings, tmp_path: Path) -> None:
    """`acme`, its path, `base` without overlay, and all of them by match."""
    made = mappings(settings)

    digests = [made.rules(name).convert(MESSAGE).mapping for name in
               ("acme", str(tmp_path / "acme.toml"), "", "base")]  # fmt: skip

    assert made.names == ("acme",)
    assert digests[0] == digests[1] == digests[2] != digests[3]
    assert made.rules("acme").summary.startswith("acme: ")


def test_explain_and_residue_go_through_the_senders_rules(settings: Settings) -> None:
    """The added row is found by its file and line."""
    rules = mappings(settings).rules("acme")

    assert [line.row for line in rules.explain(MESSAGE, "ZPI-2")] == ["ZPI-2 (acme.toml, line 4)"]
    assert rules.residue(MESSAGE) == ("ZPI-1",)


def test_overlay_that_cannot_be_read_is_refused(settings: Settings, tmp_path: Path) -> None:
    """Bytes that are no UTF-8."""
    (tmp_path / "broken.toml").write_bytes(b"\xff")

    with pytest.raises(BridgeError, match=r"cannot be read as UTF-8 \(.*broken.toml\)"):
        hl7v2_of(settings)


def test_table_is_exported_and_imported_again(settings: Settings, tmp_path: Path) -> None:
    """Under the sender's name space; an unknown one is refused with the nearest."""
    table = '[tables.to-loinc]\nGLU = ["http://loinc.org", "2345-7", "Glucose"]\n'
    (tmp_path / "acme.toml").write_text(OVERLAY.partition("[[add]]")[0] + table)
    parts = code_tables(settings)

    made = parts.exported("acme", "to-loinc")

    assert made["url"] == "https://acme.example/fhir/ConceptMap/to-loinc"
    assert parts.toml("to-loinc", parts.rows(made, list[str]().append, "x.json")) == table
    with pytest.raises(BridgeError, match=r"acme has no table to-lonc \(TABLE\) - use to-loinc"):
        parts.exported("acme", "to-lonc")
    with pytest.raises(BridgeError, match=r"there is no sender acm .* use acme"):
        parts.exported("acm", "to-loinc")


def test_bundle_that_a_wrong_row_makes_waits_in_quarantine(tmp_path: Path) -> None:
    """The type check cannot know a site's codes; the judge of R4 does, if the node asks it."""
    row = "[[replace]]\nid = 'PID-8'\ntable = ''\n"
    (tmp_path / "acme.toml").write_text(OVERLAY.partition("[[add]]")[0] + row)
    raw = MESSAGE.replace(b"Doe^Jo", b"Doe^Jo|||M?")

    offers = [
        prepare(
            Inbound(raw=raw, feed="f", number=1),
            dialect=hl7v2_of(
                load(
                    environment={},
                    overrides={
                        "senders.folder": str(tmp_path),
                        "senders.validate_bundles": asked,
                        "data": str(tmp_path / "none"),
                    },
                )
            ),
            at=FixedClock().now(),
            random=CountedEntropy().take(SHARE),
        )
        for asked in (False, True)
    ]

    assert offers[0].reason is None
    assert offers[1].reason is not None
    assert offers[1].reason.code == "bundle-invalid"
    assert "gender" in offers[1].reason.where
    assert "M?" not in str(offers[1].reason)
    assert b"\rMSA|AE|1" in offers[1].row.answer
