"""Overlays whose values have the wrong type."""

import pytest

from adapters.hl7v2.overlays import parse_profile
from bridge.core.errors import BridgeError


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("zone = 7", r"zone is not a text \(acme.toml, line 1\) - write a text there"),
        ("\nmatch = 'x'", r"match is not a table \(acme.toml, line 2\) - write a table there"),
        ("systems = 3", r"systems is not a table \(acme.toml, line 1\)"),
        ("[match]\n'MSH-3' = 4", r"match.MSH-3 is not a text \(acme.toml, line 2\)"),
        ("[tables]\nx = 1", r"tables.x is not a table"),
        ("charset = '8859/77'", r"no character set \(acme.toml, line 1\) - use 8859/7"),
        ("namespace = 'acme'", r"namespace is no absolute URI \(acme.toml, line 1\)"),
        ("[fix]\nat = 'PID-3'", r"fix is no list of tables \(acme.toml, line 1\) - write each"),
        ("add = [{ from = 'ZPI-4' }]", r"add is no list of tables \(acme.toml, line 1\)"),
        ("\n[[drop]]\nid = 7", r"id is not a text \(acme.toml, line 2\)"),
        ("[[add]]\nfirst = 'yes'", r"first is not true or false \(acme.toml, line 1\)"),
        ("[[add]]\nwith = 'x'", r"with is not a table \(acme.toml, line 1\)"),
    ],
)  # fmt: skip
def test_wrong_type_is_refused_with_its_line(text: str, error: str) -> None:
    """Never an exception of another kind."""
    with pytest.raises(BridgeError, match=error):
        parse_profile("acme", text)
