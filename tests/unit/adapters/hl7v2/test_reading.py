"""What is remembered of texts, and what positions hold."""

import pytest

from adapters.hl7v2.context import Context
from adapters.hl7v2.memory import MAX_TEXT, Memory
from adapters.hl7v2.reading import Reading


def reading(memory: Memory) -> Reading:
    """Of a new message of one sender."""
    return Reading(Context(), memory, "LAB|STMARY", nulls=False)


def upper(text: str, ctx: Context) -> str:
    """A conversion that always has something to say."""
    ctx.note("shouted", "a text was raised")
    return text.upper()


def test_remembered_value_brings_its_findings_again() -> None:
    """A second message hears what the first one heard."""
    memory = Memory()
    first, second = reading(memory), reading(memory)
    first.ctx.at, second.ctx.at = "OBX-3", "OBR-4"

    values = [one.cached(1, upper, "a") for one in (first, second)]

    assert values == ["A", "A"]
    assert [(note.code, note.where) for note in second.ctx.findings] == [("shouted", "OBR-4")]


@pytest.mark.parametrize(("text", "times"), [("a", 1), ("a" * (MAX_TEXT + 1), 2)])
def test_prose_is_not_remembered(text: str, times: int) -> None:
    """It does not come again, and it is of one patient."""
    memory, seen = Memory(), list[str]()

    def convert(said: str, _ctx: Context) -> str:
        seen.append(said)
        return said

    for _ in range(2):
        reading(memory).cached(1, convert, text)

    assert len(seen) == times


def test_value_of_nothing_is_remembered_too() -> None:
    """A text that means nothing means nothing the next time."""
    memory, seen = Memory(), list[str]()

    def nothing(said: str, _ctx: Context) -> None:
        seen.append(said)

    values = [reading(memory).cached(1, nothing, "?") for _ in range(2)]

    assert (values, seen) == ([None, None], ["?"])


def test_first_valued_repetition_stands_and_the_rest_is_reported() -> None:
    """An element that does not repeat takes one."""
    one = reading(Memory())

    assert (one.first("~b"), one.ctx.findings) == ("b", [])
    assert one.first("a~b") == "a"
    assert [note.code for note in one.ctx.findings] == ["repetition-unread"]


@pytest.mark.parametrize(
    ("component", "subcomponent", "held"),
    [(1, 0, "a&b"), (2, 0, "c"), (1, 2, "b"), (3, 0, ""), (2, 2, ""), (0, 0, "a&b^c")],
)
def test_component_of_the_first_repetition(component: int, subcomponent: int, held: str) -> None:
    """Empty where there is none."""
    assert reading(Memory()).comp("a&b^c~d", component, subcomponent) == held
