"""Equal values once, and the time of a long list."""

from msgspec import Raw

from adapters.hl7v2.distinct import distinct
from bridge.core.record.bundle import Json


def test_the_first_of_equal_values_stays_in_its_place() -> None:
    """The order of members makes no other value; another text does."""
    first: Json = {"system": "a", "value": "1"}

    kept = distinct([first, "x", {"value": "1", "system": "a"}, Raw(b"2"), "x", Raw(b"2.0")])

    assert kept == [first, "x", Raw(b"2"), Raw(b"2.0")]


def test_a_value_is_compared_with_none_of_the_others() -> None:
    """A list of a hundred thousand would be five thousand million comparisons."""
    compared = []

    class Watched(dict[str, Json]):
        def __eq__(self, other: object) -> bool:
            compared.append(other)
            return super().__eq__(other)

        __hash__ = None

    values: list[Json] = [Watched(value=str(i % 50)) for i in range(100)]

    kept = distinct(values)

    assert (len(kept), compared) == (50, [])
