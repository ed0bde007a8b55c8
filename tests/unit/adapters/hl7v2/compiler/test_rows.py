"""Mapping files as rows."""

import pytest

from adapters.hl7v2.compiler.rows import parse_map
from bridge.core.errors import BridgeError

HEAD = 'segment = "PID"\ntarget = "Patient"\n'


def test_rows_remember_their_line() -> None:
    """An error can point at the row."""
    text = (
        HEAD + '\n[[row]]\nid = "PID-5"\nfrom = "PID-5.1"\nto = "name[].family"\nas = "ST.string"'
    )

    rules = parse_map("PID.Patient", text)

    row = rules.rows[0]
    assert (row.place, row.path) == ("PID.Patient.toml, line 4", "name[].family")
    assert row.source is not None
    assert row.source.text == "PID-5.1"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("target = 'Patient'", r"segment is missing \(m.toml, line 1\)"),
        (HEAD + "form = 1", r"unknown key form"),
        (
            HEAD + "[[row]]\nfrom = 'PID-5'\nto = 'x'\nass = 'y'",
            r"unknown key ass .*line 3\) - use as",
        ),
        (HEAD + "[[row]]\nfrom = 'PID5'\nto = 'x'\nas = 'y'", r"'PID5' is no HL7 position"),
        (HEAD + "[[row]]\nfrom = 'PID-5'\nto = 'x[y]'\nas = 'z'", r"'x\[y\]' is no element path"),
        (HEAD + "[[row]]\nfrom = 'PID-5'\nas = 'y'", r"neither to nor call"),
        (HEAD + "[[row]]\nfrom = 'PID-5'\nto = 'x'", r"no way to make its value"),
        (HEAD + "[[row]\n", r"the file is no TOML"),
    ],
)
def test_wrong_file_is_refused_with_its_line(text: str, error: str) -> None:
    """Whoever edits a map is told where and what."""
    with pytest.raises(BridgeError, match=error):
        parse_map("m", text)
