"""Overlays over the layers beneath them, and refusals that name the line."""

import json

import pytest

from adapters.hl7v2.dialect import Hl7v2
from adapters.hl7v2.explain import residue
from adapters.hl7v2.overlays import NO_FOLDER, Folder, parse_profile
from adapters.hl7v2.site import SiteFunction
from bridge.core.errors import BridgeError

LABX = """
match = { "MSH-3" = "LABX" }
namespace = "https://lab.example/fhir"
zone = "America/Chicago"

[tables.loinc]
GLU = ["http://loinc.org", "2345-7", "Glucose"]

[[replace]]
id = "OBX-3"
table = "local:loinc"

[[drop]]
id = "PV1-7"
why = "holds the clerk"

[[add]]
from = "ZPI-2"
to = "Patient.extension[]"
as = "ST.string"
url = "https://lab.example/vip"
"""
RAW = (
    b"MSH|^~\\&|LABX|X|||202407011200||ORU^R01|1|P|2.5\rPID|1||1\rPV1|1|I|||||7^Clerk\r"
    b"OBR|1||F|X|||202407011230\rOBX|1|NM|GLU^Gluc^99L||5||||||F\rZPI|1|gold\r"
)


def test_overlay_replaces_drops_and_adds_rows() -> None:
    """The sender's own table, field and zone hold for its messages only."""
    dialect = Hl7v2((parse_profile("labx", LABX),))

    made = dialect.convert(RAW, sender="")

    text = made.canonical.decode()
    assert '"code":"2345-7"' in text
    assert "https://lab.example/vip" in text
    assert "Clerk" not in text
    assert "2024-07-01T12:30:00-05:00" in text
    assert "PV1-7" in residue(dialect, RAW)
    assert dialect.engine("labx").digest != dialect.engine("").digest
    other = json.loads(dialect.convert(RAW.replace(b"LABX", b"ELSE"), sender="").canonical)
    assert "gold" not in str(other)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("zoone = 'x'", r"unknown key zoone \(bad.toml, line 1\) - use zone"),
        ("zone = 'Mars/Base'", r"is no time zone \(bad.toml, line 1\)"),
        ("match = { 'PID-3' = 'x' }", r"PID-3 is no field of MSH"),
        ("unmapped_code = 'x'", r"use keep, task or reject"),
        ("\n[[drop]]\nid = 'PV1-77'", r"no row 'PV1-77' \(bad.toml, line 2\) - use PV1-7"),
        ("[[replace]]\nid = 'OBX-3'\ntable = 'Nope'", r"no table Nope \(bad.toml, line 1\)"),
        ("[[replace]]\nid = 'PID-7'\nas = 'TS.Date'", r"- use TS.date"),
        ("[[replace]]\nid = 'PID-7'\nto = 'birthdate'", r"no element birthdate .*- use birthDate"),
        ("[[replace]]\nid = 'PID-7'\nas = 'XPN.HumanName'", r"is a date, XPN.HumanName gives"),
        ("[[add]]\nfrom = 'PID-5'\nto = 'Patiend.name[]'\nas = 'XPN.HumanName'", r"use Patient"),
        ("[[fix]]\ndo = 'authority'", r"no fix 'authority' .*- use authority-from-msh4"),
        ("[tables.x]\nA = 1", r"A of table x is no triple"),
        ("a b", r"the file is no TOML"),
    ],
)
def test_bad_overlay_is_refused_with_line_and_right_name(text: str, error: str) -> None:
    """A node does not start on rules that it cannot follow."""
    with pytest.raises(BridgeError, match=error):
        Hl7v2((parse_profile("bad", text),))


def test_policies_can_refuse() -> None:
    """Unmapped codes and triggers are refused where the profile says so."""
    text = 'match = { "MSH-3" = "LABX" }\nunmapped_code = "reject"\nunmapped_trigger = "reject"'
    dialect = Hl7v2((parse_profile("p", text),))

    with pytest.raises(BridgeError, match=r"a code is in no table .*\(PID-8\)"):
        dialect.convert(b"MSH|^~\\&|LABX|X|||2024||ADT^A08|1|P|2.5\rPID|1||1|||||qq\r", sender="")
    with pytest.raises(BridgeError, match=r"trigger event is not mapped .*\(MSH-9\)"):
        dialect.convert(b"MSH|^~\\&|LABX|X|||2024||ZZZ^Z01|1|P|2.5\r", sender="")


class Files:
    """A senders' folder in memory."""

    def __init__(self, **files: str) -> None:
        """Named `site_north`, `realm_at`."""
        self._files = files

    def layers(self, kind: str) -> dict[str, str]:
        """Those of the kind."""
        return {name.partition("_")[2]: text for name, text in self._files.items()
                if name.startswith(kind)}  # fmt: skip

    def function(self, name: str, where: str) -> SiteFunction:
        """Upper case."""
        del where
        return SiteFunction(name=name, digest="a" * 64, gives="string",
                            function=lambda text, _ctx: text.upper())  # fmt: skip


REALM = """
zone = "Europe/Vienna"
[systems]
ICD = "https://at.example/icd"
LOCAL = "https://at.example/local"
[tables.units]
MG = ["http://unitsofmeasure.org", "mg", ""]
[[drop]]
id = "PV1-7"
why = "not for us"
"""
SITE = """
realm = "at"
namespace = "https://north.example"
unmapped_code = "task"
[systems]
LOCAL = "https://north.example/local"
"""


def test_sender_over_site_over_realm() -> None:
    """The later layer wins; tables and systems are joined by name; rows apply in this order."""
    profile = parse_profile("labx", 'site = "north"\nzone = "UTC"\nmatch = { "MSH-3" = "L" }',
                            Files(site_north=SITE, realm_at=REALM))  # fmt: skip

    assert profile.zone is not None
    assert (profile.zone.key, profile.namespace) == ("UTC", "https://north.example")
    assert profile.unmapped_code == "task"
    assert profile.systems == {
        "ICD": "https://at.example/icd", "LOCAL": "https://north.example/local",
    }  # fmt: skip
    assert "local:units" in profile.tables
    assert [one.place for one in profile.overlays] == [
        "realm/at.toml", "site/north.toml", "labx.toml",
    ]  # fmt: skip
    assert profile.overlays[0].dropped[0]["id"] == "PV1-7"


@pytest.mark.parametrize(
    ("text", "files", "error"),
    [
        ('site = "nort"', Files(site_north=SITE, realm_at=REALM), r"no site nort .* use north"),
        ('site = "north"', Files(site_north=SITE),
         r"no realm at \(site/north.toml, line 2\) - write realm/at.toml"),
        ('realm = "at"', Files(realm_at="match = {}"), r"unknown key match \(realm/at.toml"),
        ('realm = "at"', Files(realm_at="realm = 'x'"), r"unknown key realm \(realm/at.toml"),
        ('realm = "at"', Files(realm_at="\nzone = 'x/y'"), r"no time zone \(realm/at.toml, line 2"),
        ("[[replace]]\nid = 'PID-7'\nas = 'py:site.x.y'", NO_FOLDER, r"no file for py:site.x.y"),
    ],
)  # fmt: skip
def test_bad_layer_is_refused_with_its_own_file(text: str, files: Folder, error: str) -> None:
    """Whoever wrote the layer is told."""
    with pytest.raises(BridgeError, match=error):
        parse_profile("bad", text, files)


def test_sites_own_function_converts() -> None:
    """Its file's digest is in the mapping digest."""
    text = ("match = { 'MSH-3' = 'LABX' }\n[[add]]\nfrom = 'ZPI-2'\nto = 'Patient.extension[]'\n"
            "as = 'py:site.x.shout'\nurl = 'https://x.example'")  # fmt: skip
    dialect = Hl7v2((parse_profile("labx", text, Files()),))

    made = dialect.convert(RAW, sender="")

    assert b'"valueString":"GOLD"' in made.canonical
    assert b"py:site.x.shout." + b"a" * 64 in dialect.mappings[made.mapping]


ADD = "[[add]]\nfrom = 'ZPI-2'\n"
BAD = {
    "unclosed": ("match = { 'MSH-3' = 'A'", r"no TOML: Unclosed inline table .*\(bad.toml\)"),
    "said-twice": ("zone = 'UTC'\nzone = 'UTC'", r"no TOML: Cannot overwrite a value"),
    "too-deep": ("a = " + "[" * 5_000, r"nests too deeply \(bad.toml\) - write it flat"),
    "endless-number": ("a = " + "9" * 5000, r"a number has too many digits \(bad.toml\)"),
    "too-large": ("# " + "x" * (17 << 20), r"the file has \d+ characters, over 16777216"),
    "zone-is-a-folder": ("zone = 'Europe'", r"'Europe' is no time zone \(bad.toml, line 1\)"),
    "zone-is-a-file": ("zone = '/etc/passwd'", r"is no time zone .* - use an IANA name"),
    "zone-misspelt": ("\nzone = 'Europe/Viena'", r"line 2\) - use Europe/Vienna"),
    "match-position": ("match = { 'MSH-999' = 'x' }", r"MSH-999 is no field of MSH"),
    "dropped-twice": ("[[drop]]\nid = 'PV1-7'\n[[drop]]\nid = 'PV1-7'",
                      r"row PV1-7 is dropped already \(bad.toml, line 3\)"),
    "drop-of-nothing": ("[[drop]]\nwhy = 'x'", r"the row's id is missing \(bad.toml, line 1\)"),
    "drop-required": ("\n[[drop]]\nid = 'OBX-3'",
                      r"Observation.code is required and may stay empty \(bad.toml, line 2\)"),
    "section": ("[[dropp]]\nid = 'OBX-3'", r"unknown key dropp \(bad.toml, line 1\) - use drop"),
    "row-key": ("[[replace]]\nid = 'OBX-3'\ntabel = 'x'", r"unknown key tabel .* - use table"),
    "position-zero": ("[[add]]\nfrom = 'PID-0'\nto = 'Patient.active'\nas = 'ID.boolean'",
                      r"'PID-0' counts from 1 to 127"),
    "path": (ADD + "to = 'Patient..name'\nas = 'ST.string'", r"'.name' is no element path"),
    "path-below-text": (ADD + "to = 'Patient.birthDate.x'\nas = 'ST.string'",
                        r"date has no element x .* - end the path before it"),
    "id-taken": (ADD + "id = 'PID-7'\nto = 'Patient.active'\nas = 'ID.boolean'",
                 r"there is a row PID-7 already .* - give the row another id"),
    "extension-without-url": (ADD + "to = 'Patient.extension[]'\nas = 'ST.string'",
                              r"an extension has no url"),
    "url-without-extension": (ADD + "to = 'Patient.active'\nas = 'ID.boolean'\nurl = 'http://x'",
                              r"active is no extension and takes no url"),
    "url": (ADD + "to = 'Patient.extension[]'\nas = 'ST.string'\nurl = 'x y'",
            r"url is no absolute URI"),
    "ref-misspelt": (ADD + "to = 'Patient.managingOrganization'\nref = 'Organisation'",
                     r"no map makes a Organisation .* - use Organization"),
    "ref-of-other-type": (ADD + "to = 'Patient.managingOrganization'\nref = 'Encounter'",
                          r"cannot refer to a Encounter .* - refer to Organization"),
    "on": (
        "[[add]]\nfrom = 'ZPI-1'\nto = 'Patient.active'\non = 'Devicee'\nfixed = true",
        r"no map makes a Devicee .* - use Device",
    ),
    "constant-type": (ADD + "to = 'Patient.active'\nfixed = 'yes'", r"write true or false"),
    "constant-date": (ADD + "to = 'Patient.birthDate'\nfixed = 2020-01-01",
                      r"fixed holds what no bundle can"),
    "constant-text": (ADD + "to = 'Patient.maritalStatus'\nfixed = 'M'",
                      r"the constant of a CodeableConcept is no table"),
    "constant-element": (ADD + "to = 'Patient.telecom[]'\nfixed = { uze = 'home' }",
                         r"ContactPoint has no element uze .* - use use"),
    "table-row": ("[tables.x]\nB = ['http://l', '1', '']\nA = ['http://l', '1']",
                  r"A of table x is no triple \(bad.toml, line 3\)"),
    "table-system": ("[tables.x]\nA = ['loinc', '1', '']",
                     r"the system of A is no absolute URI \(bad.toml, line 2\)"),
    "table-name": ("[tables.a-to-b]\n[[replace]]\nid = 'OBX-3'\ntable = 'local:a-b'",
                   r"no table local:a-b \(bad.toml, line 2\) - use local:a-to"),
    "system": ("[systems]\nK = 'not a uri'", r"systems.K is no absolute URI \(bad.toml, line 2\)"),
    "namespace": ("namespace = 'https://a b'", r"namespace is no absolute URI"),
}  # fmt: skip
WHEN = {
    "PV1-2 == 'P'": r"'==' is no comparison .* - write one =",
    "PV1-2 = P": r"'P' is not quoted",
    "(PV1-2 = 'P'": r"when ends or lacks \)",
    "PV1-2 = 'P' and": r"when ends or lacks a word",
    "triger = 'A01'": r"'triger' is no position and no word .* - use trigger",
    "not " * 3000 + "PID-3 valued": r"when has over 500 characters",
}


@pytest.mark.parametrize("name", BAD)
def test_every_slip_is_named_with_its_place(name: str) -> None:
    """What a person can mistype, and what no person would."""
    text, error = BAD[name]

    with pytest.raises(BridgeError, match=error):
        Hl7v2((parse_profile("bad", text),))


@pytest.mark.parametrize("when", WHEN, ids=[str(number) for number in range(len(WHEN))])
def test_wrong_condition_is_refused(when: str) -> None:
    """With what is missing or meant."""
    text = f'\n[[replace]]\nid = "PID-7"\nwhen = "{when}"'

    with pytest.raises(BridgeError, match=WHEN[when]) as refused:
        Hl7v2((parse_profile("bad", text),))
    assert "(bad.toml, line 2)" in str(refused.value)
