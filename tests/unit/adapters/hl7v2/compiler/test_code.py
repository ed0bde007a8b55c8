"""Source under construction."""

from adapters.hl7v2.compiler.code import Code, key, slot_of
from adapters.hl7v2.compiler.rows import parse_map


def test_key_takes_the_first_alternative_that_is_valued() -> None:
    """In the order of the map, the segment's own place last."""
    head = 'segment = "OBR"\ntarget = "ServiceRequest"\nkey = [["OBR-3"], ["OBR-2", "OBR-4.1"]]\n'
    code = Code(rules=parse_map("m", head), tracing=False)

    key(code, 0)

    assert [line.split(" ")[0] for line in code.lines] == ["k", "i", "if", "if", "", "", "if"]
    assert code.lines[-1] == "if not k: k = b.unkeyed(f)"


def test_slots_differ_by_table() -> None:
    """One function with two tables gives two values of one text."""
    assert slot_of("IS.code", "A") != slot_of("IS.code", "B")
    assert slot_of("IS.code", "A") == slot_of("IS.code", "A")
