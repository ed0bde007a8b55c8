"""Generated functions."""

import traceback

import pytest

from adapters.hl7v2.compiler.emit import emit
from adapters.hl7v2.compiler.layers import base_maps
from adapters.hl7v2.compiler.rows import parse_map
from adapters.hl7v2.dialect import Hl7v2
from bridge.core.errors import BridgeError


def test_source_can_be_read_and_names_its_rows(dialect: Hl7v2) -> None:
    """The dump is Python with the row beside each statement."""
    source = dialect.engine().sources["PV1.Encounter"]

    compile(source, "x", "exec")
    assert "# PV1-19 (PV1.Encounter.toml, line" in source


def test_hot_path_has_no_closure_and_no_regex(dialect: Hl7v2) -> None:
    """What runs for each message is plain statements."""
    for source in dialect.engine().sources.values():
        code = "\n".join(line.split("  #")[0] for line in source.splitlines())
        assert not any(word in code for word in ("lambda", "import ", " re.", "datetime("))


def test_traceback_names_the_row() -> None:
    """A defect inside a row shows the row's line of the generated source."""
    rules = next(rules for rules in base_maps() if rules.name == "PV2.Encounter")
    made = emit(rules, {}, tracing=False)
    text = ""

    try:
        made.apply([], None, None)  # type: ignore[arg-type] # broken on purpose
    except AttributeError:
        text = traceback.format_exc()

    assert "<PV2.Encounter fast>" in text


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ('as = "XPN.Humanname"', r"no datatype function XPN.Humanname .* - use XPN.HumanName"),
        ('as = "XPN.HumanName"\ntable = "AdministrativeSex"', r"takes no table"),
        ('as = "IS.code"\ntable = "AdministrativSex"', r"- use AdministrativeSex"),
        ('call = "birth-tim"', r"no rule birth-tim .* - use birth-time"),
    ],
)
def test_row_that_cannot_be_generated_is_refused(row: str, error: str) -> None:
    """Before any message is read."""
    text = f'segment = "PID"\ntarget = "Patient"\n[[row]]\nfrom = "PID-5"\nto = "name[]"\n{row}'

    with pytest.raises(BridgeError, match=error):
        emit(parse_map("m", text), {}, tracing=False)
