"""Source under construction."""

from adapters.hl7v2.compiler.code import Code, key, slot_of
from adapters.hl7v2.compiler.rows import parse_map


def test_key_takes_the_first_alternative_that_is_valued() -> None:
    """In the order of the map, the segment's own place last."""
    head = 'segment = "OBR"\ntarget = "ServiceRequest"\nkey = [["OBR-3"], ["OBR-2", "OBR-4.1"]]\n'
    code = Code(rules=parse_map("m", head), tracing=False)

    key(code, 0)

    assert code.lines == [
        "if (i0 := f[3]): k = (i0,)",
        "elif (i0 := f[2]): k = (i0, f[4].partition(rep)[0].partition(sep)[0],)",
        "else: k = b.unkeyed(f)",
    ]


def test_identifier_in_a_key_must_be_valued_wherever_it_stands() -> None:
    """Without the patient, a time of admission is that of anybody."""
    head = (
        'segment = "AL1"\ntarget = "AllergyIntolerance"\nkey = [["AL1-3", "PID-3:CX.Identifier"]]'
    )
    code = Code(rules=parse_map("m", head), tracing=False)

    key(code, 0)

    assert code.lines[0].startswith("if (i0 := f[3]) and s_PID[3] and (i1 := identities.get(")
    assert code.lines[0].endswith("[-1]: k = (i0, *i1,)")


def test_slots_differ_by_table() -> None:
    """One function with two tables gives two values of one text."""
    assert slot_of("IS.code", "A") != slot_of("IS.code", "B")
    assert slot_of("IS.code", "A") == slot_of("IS.code", "A")
