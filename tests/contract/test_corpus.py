"""Every published sample: a valid bundle or a reasoned refusal, the same in every process."""

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from adapters.hl7v2.batch import split
from adapters.hl7v2.dialect import Hl7v2
from bridge.core.errors import BridgeError, Fault

_PROGRAM = """
import hashlib, sys
from pathlib import Path
sys.path.insert(0, {here!r})
from test_corpus import digest_of, messages
print(digest_of(messages(Path({root!r}))))
"""


def messages(root: Path) -> Iterator[bytes]:
    """The messages of every sample file, in a fixed order."""
    for path in sorted(root.rglob("*.hl7")):
        yield from split(path.read_bytes()).messages


def digest_of(raws: Iterator[bytes]) -> str:
    """One digest over all bundles and refusals."""
    dialect = Hl7v2()
    total = hashlib.sha256()
    for raw in raws:
        try:
            total.update(dialect.convert(raw, sender="").canonical)
        except BridgeError as refusal:
            total.update(str(refusal).encode())
    return total.hexdigest()


@pytest.fixture(scope="session")
def corpus(shared: Path) -> list[bytes]:
    """All sample messages."""
    return list(messages(shared / "corpus"))


def test_every_sample_converts_or_is_refused_with_a_reason(corpus: list[bytes]) -> None:
    """No exception but a BridgeError of the sender's fault, and few of those."""
    dialect = Hl7v2()
    refused = []

    for raw in corpus:
        try:
            dialect.convert(raw, sender="")
        except BridgeError as refusal:
            refused.append(refusal)

    assert all(refusal.fault is Fault.SENDER for refusal in refused)
    assert len(refused) < len(corpus) / 10


def test_every_bundle_is_valid_r4_and_closed(corpus: list[bytes]) -> None:
    """The models take every resource; each reference names an entry or something contained."""
    dialect = Hl7v2()

    for raw in corpus:
        try:
            bundle = json.loads(dialect.convert(raw, sender="").canonical)
        except BridgeError:
            continue
        made = [entry["resource"] for entry in bundle["entry"]]
        for resource in made:
            get_fhir_model_class(resource["resourceType"]).model_validate(resource)
        names = {f"{one['resourceType']}/{one['id']}" for one in made}
        inside = {f"#{one['id']}" for top in made for one in top.get("contained", ())}
        assert set(_references(made)) <= names | inside
        assert len({entry["fullUrl"] for entry in bundle["entry"]}) == len(made)


def test_no_number_of_a_sample_crosses_to_another_patient(corpus: list[bytes]) -> None:
    """The same message about somebody else: people, places and devices are what both share.

    And what moves between patients by its number (docs/adr/0023).
    """
    dialect = Hl7v2()
    shared: set[str] = set()

    for raw in corpus:
        other = _about_somebody_else(raw)
        with suppress(BridgeError):
            shared |= {kind for kind, _ in _names(dialect, raw) & _names(dialect, other)}

    assert shared <= {
        *("Account", "Appointment", "Device", "Encounter", "EpisodeOfCare", "Location"),
        *("Organization", "Patient", "Practitioner", "PractitionerRole"),
    }


def _about_somebody_else(raw: bytes) -> bytes:
    """Each number of PID with a letter before it; MRG keeps its own, so that Patient is shared.

    Empty where PID has no number.
    """
    field, component, repeat = raw[3:4], raw[4:5], raw[5:6]
    lines = re.split(rb"[\r\n]+", raw)
    for at, line in enumerate(lines):
        if line.startswith(b"PID" + field):
            parts = line.split(field)
            for number in {2, 3, 4, 18, 19} & set(range(len(parts))):
                parts[number] = repeat.join(
                    b"X" + one if one and not one.startswith((component, b'"')) else one
                    for one in parts[number].split(repeat)
                )
            lines[at] = field.join(parts)
    made = b"\r".join(lines)
    return b"" if made == b"\r".join(re.split(rb"[\r\n]+", raw)) else made


def _names(dialect: Hl7v2, raw: bytes) -> set[tuple[str, str]]:
    entries = json.loads(dialect.convert(raw, sender="").canonical)["entry"]
    return {(one["resource"]["resourceType"], one["resource"]["id"]) for one in entries}


def test_another_process_makes_the_same_bytes(corpus: list[bytes], shared: Path) -> None:
    """Neither hash seed nor process decides anything."""
    program = _PROGRAM.format(here=str(Path(__file__).parent), root=str(shared / "corpus"))
    environment = {**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": os.pathsep.join(sys.path)}

    elsewhere = subprocess.run(
        [sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True
    )

    assert elsewhere.stdout.strip() == digest_of(iter(corpus))


def _references(value: Any) -> Iterator[str]:
    """Every literal reference in a JSON value."""
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        for held in value.values():
            yield from _references(held)
    elif isinstance(value, list):
        for held in value:
            yield from _references(held)
