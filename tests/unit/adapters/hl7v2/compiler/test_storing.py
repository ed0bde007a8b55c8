"""Where a value goes."""

from typing import Any

import pytest

from adapters.hl7v2.compiler.code import Code
from adapters.hl7v2.compiler.rows import parse_map, parse_to
from adapters.hl7v2.compiler.storing import store, touch_row
from adapters.hl7v2.elements import element

ROWS = parse_map("m", 'segment = "PID"\ntarget = "Patient"\n[[row]]\nfrom = "PID-5.2"\n'
                 'to = "name[].given[]"\nas = "ST.string"')  # fmt: skip


def stored(path: str, *, siblings: dict[str, Any] | None = None, **before: Any) -> dict[str, Any]:
    """The element after the statements have put 1 there."""
    code = Code(rules=ROWS, tracing=False)
    store(code, 0, "e", parse_to(path, "here"), "1" if not siblings else "{'a': 1}", siblings or {})
    scope: dict[str, Any] = {"e": before, "EMPTY_OBJECT": {}, "element": element}
    exec("\n".join(code.lines), scope)  # noqa: S102 - the lines under test
    found: dict[str, Any] = scope["e"]
    return found


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("a", {}, {"a": 1}),
        ("a[]", {}, {"a": [1]}),
        ("a[]", {"a": [0]}, {"a": [0, 1]}),
        ("a.b", {"a": {"c": 2}}, {"a": {"c": 2, "b": 1}}),
        ("a[].b", {"a": [{"b": 0}]}, {"a": [{"b": 0}, {"b": 1}]}),
        ("a[0].b", {"a": [{"c": 2}]}, {"a": [{"c": 2, "b": 1}]}),
    ],
)
def test_path_is_made_on_the_way(path: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Objects and elements of arrays that are absent come into being."""
    assert stored(path, **before) == after


def test_constants_beside_a_value_do_not_replace_what_it_says() -> None:
    """`with` fills what the text left open."""
    assert stored("x", siblings={"a": 2, "b": 3}) == {"x": {"a": 1, "b": 3}}


def test_only_the_trace_build_notes_what_it_reads() -> None:
    """The fast one has no statement for it."""
    noted = [Code(rules=ROWS, tracing=tracing) for tracing in (True, False)]

    for code in noted:
        touch_row(code, 0, ROWS.rows[0], frozenset())

    assert [len(code.lines) for code in noted] == [1, 0]
    assert "'PID', 5, (2,), b.target(r, 'name.given')" in noted[0].lines[0]
