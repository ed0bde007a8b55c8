"""The condition language."""

import pytest

from adapters.hl7v2.compiler.conditions import python_of
from bridge.core.errors import BridgeError


@pytest.mark.parametrize(
    ("text", "python"),
    [
        ("PV1-2 valued", "(f[2] not in EMPTY)"),
        ("not PV1-2.1 valued", "(not (f[2].partition(rep)[0].partition(sep)[0] not in EMPTY))"),
        ("PV1-2 = 'P'", "(f[2].partition(rep)[0].partition(sep)[0] == 'P')"),
        ("OBR-4.2.1 != 'x y'", "(b.comp(s_OBR[4], 2, 1) != 'x y')"),
        ("trigger in ('A01', 'A04')", "(b.trigger in ('A01', 'A04',))"),
        ("code = 'ADT' and (lead = 'PID' or lead = 'MSH')",
         "((b.code == 'ADT') and ((g.lead == 'PID') or (g.lead == 'MSH')))"),
    ],
)  # fmt: skip
def test_condition_becomes_an_expression(text: str, python: str) -> None:
    """Comparison, in, valued, and, or, not."""
    assert python_of(text, "PV1", "x.toml, line 1") == python


@pytest.mark.parametrize(
    "text",
    ["PV1-2", "PV1-2 = P", "PV1-2 like 'x'", "PV1-2 = 'x", "(PV1-2 valued", "PV1-2 valued x",
     "__import__ = 'x'", "PV1-2 in ('a'", "'a' = 'a'", "PV1-2 valued; 1"],
)  # fmt: skip
def test_anything_else_is_refused_with_its_line(text: str) -> None:
    """Python never gets in through a condition."""
    with pytest.raises(BridgeError, match=r"\(x.toml, line 1\) - "):
        python_of(text, "PV1", "x.toml, line 1")
