"""The statements of one row."""

from adapters.hl7v2.compiler.code import Code
from adapters.hl7v2.compiler.rows import parse_map
from adapters.hl7v2.compiler.statements import statements

HEAD = 'segment = "PV1"\ntarget = "Encounter"\n[[row]]\nid = "one"\n'


def lines(row: str, head: str = HEAD) -> list[str]:
    """The statements, without their notes."""
    rules = parse_map("m", head + row)
    code = Code(rules=rules, tracing=False)
    statements(code, rules.rows[0], {})
    return [line.split("  #")[0] for line in code.lines]


def test_empty_field_costs_one_question() -> None:
    """All statements of a row that reads a field stand under it."""
    found = lines('from = "PV1-2"\nto = "class"\nas = "IS.Coding"')

    assert found[:2] == ["    if f[2]:", "        v = f[2]"]
    assert all(line.startswith("        ") for line in found[2:])


def test_default_stands_where_the_element_is_absent() -> None:
    """And is noted as a conclusion where it says something."""
    found = lines('from = "PV1-2"\nto = "status"\nas = "ID.code"\ndefault = "planned"')

    assert found[-3:] == [
        "    if 'status' not in e:",
        "        e['status'] = 'planned'",
        "        b.assume(e, 'status')",
    ]


def test_field_that_repeats_into_one_element_gives_its_first() -> None:
    """Into an array it gives each of its repetitions."""
    one = lines('from = "PV1-2"\nto = "class"\nas = "IS.Coding"')
    many = lines('from = "PV1-4"\nto = "type[]"\nas = "IS.CodeableConcept"')

    assert any("b.first(v)" in line for line in one)
    assert any("for s in v.split(rep):" in line for line in many)


def test_part_of_a_bundle_is_never_deleted() -> None:
    """`""` in MSH has no stored element to delete."""
    head = HEAD.replace("Encounter", "MessageHeader")

    assert not any("erase" in line for line in lines('from="PV1-2"\nto="a"\nas="ID.code"', head))
