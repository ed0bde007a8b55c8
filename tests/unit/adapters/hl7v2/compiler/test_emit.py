"""Generated functions."""

import re
import traceback
from collections.abc import Callable

import pytest

from adapters.hl7v2.compiler.emit import emit
from adapters.hl7v2.compiler.layers import base_maps
from adapters.hl7v2.compiler.rows import parse_map
from adapters.hl7v2.dialect import Hl7v2
from bridge.core.errors import BridgeError
from bridge.core.record.canon import canonical

RESULTS = (
    "OBR|1|P1|F1|24323-8^CMP^LN|||20240102063000+0100",
    "OBX|1|NM|2345-7^Glucose^LN||95|mg/dL^mg/dL^UCUM|70-99|N~ZZ|||F",
    "OBX|2|NM|2345-7^Glucose^LN|2|96|mg/dL^mg/dL^UCUM|70-99|N~ZZ|||F",
    'OBX|3|CE|600-7^Culture^LN||1^A^L~2^B^L|||""|||X',
)


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


def test_trace_build_gives_the_same_bytes(dialect: Hl7v2, message: Callable[..., bytes]) -> None:
    """What is remembered together in the fast build comes row by row in the trace build."""
    raw = message("ORU^R01", *RESULTS)

    fast = [dialect.convert(raw, sender="") for _ in range(2)]
    trace = dialect.converted(raw, sender="", tracing=True)

    assert {one.canonical for one in fast} == {canonical(trace.bundle)}
    assert [one.findings for one in fast] == [tuple(trace.build.ctx.findings)] * 2


def test_fields_of_a_segment_are_taken_at_once(dialect: Hl7v2) -> None:
    """Each row asks for its own; nothing is indexed twice, and texts in the source stay."""
    source = dialect.engine().sources["PV1.Encounter"]

    body = source[source.index("def PV1_Encounter(") :]
    assert " = fields(f)" in body
    assert not re.search(r"\bf\[", "".join(line.split("  #")[0] for line in body.splitlines()))
