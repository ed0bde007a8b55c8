"""RFC 8785 vectors of cyberphone/json-canonicalization 19d51d7f (Apache-2.0).

Our form is RFC 8785 but for two things: numbers stay as written, and empty strings, objects and
arrays are refused. So the reader is tested where a document has neither, and the writer everywhere,
given the numbers as RFC 8785 would spell them.
"""

import json
from pathlib import Path

import pytest
from msgspec import Raw

from bridge.core.errors import BridgeError
from bridge.core.record.bundle import Json
from bridge.core.record.canon import canonical, canonicalise

RESPELT = {
    "333333333.33333329": "333333333.3333333",
    "1E30": "1e+30",
    "4.50": "4.5",
    "2e-3": "0.002",
    "0.000000000000000000000000001": "1e-27",
    "56.0": "56",
}
"""Numbers of the vectors that ECMAScript writes differently."""


def _expected(folder: Path, name: str) -> bytes:
    return bytes.fromhex((folder / "outhex" / f"{name}.txt").read_text())


@pytest.mark.parametrize("name", ["arrays", "french", "structures", "unicode", "values", "weird"])
def test_writer_gives_the_published_bytes(shared: Path, name: str) -> None:
    """Key order, escapes and separators are those of RFC 8785, byte for byte."""
    folder = shared / "vectors/jcs-rfc8785/testdata"
    value: Json = json.loads(
        (folder / "input" / f"{name}.json").read_bytes(),
        parse_float=lambda text: Raw(RESPELT[text]),
        parse_int=Raw,
    )

    assert canonical(value) == _expected(folder, name)


@pytest.mark.parametrize("name", ["french", "unicode", "weird"])
def test_reader_and_writer_give_the_published_bytes(shared: Path, name: str) -> None:
    """Documents without numbers and empty parts have one canonical form in both standards."""
    folder = shared / "vectors/jcs-rfc8785/testdata"

    assert canonicalise((folder / "input" / f"{name}.json").read_bytes()) == _expected(folder, name)


def test_numbers_stay_as_written(shared: Path) -> None:
    """The document of numbers keeps every literal; all else is as published."""
    folder = shared / "vectors/jcs-rfc8785/testdata"
    expected = _expected(folder, "values").decode()
    for ours, theirs in RESPELT.items():
        expected = expected.replace(theirs, ours, 1)

    assert canonicalise((folder / "input/values.json").read_bytes()).decode() == expected


@pytest.mark.parametrize(("name", "where"), [("arrays", r"\$\[1\]\.1"), ("structures", r"\$\.10")])
def test_empty_parts_are_refused(shared: Path, name: str, where: str) -> None:
    """FHIR has no empty object and no empty array, so our form refuses them."""
    source = (shared / f"vectors/jcs-rfc8785/testdata/input/{name}.json").read_bytes()

    with pytest.raises(BridgeError, match=rf"is empty \({where}\)"):
        canonicalise(source)
