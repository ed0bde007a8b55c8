"""Who said it: provisional resources, assumptions, and mentions in any order."""

from functools import reduce
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from bridge.core.record.bundle import JsonObject
from bridge.core.record.standing import is_provisional, mentioned, provisional, said, sure


def test_a_provisional_resource_becomes_sure_and_keeps_its_other_tags() -> None:
    """The tag comes and goes alone; an empty meta does not stay."""
    plain: JsonObject = {"resourceType": "Patient", "id": "a"}
    tagged: JsonObject = plain | {"meta": {"tag": [{"code": "x"}]}}

    assert is_provisional(provisional(plain))
    assert sure(provisional(plain)) == plain
    assert sure(provisional(tagged)) == tagged
    assert sure(plain) is plain


def test_an_assumption_fills_only_what_is_absent() -> None:
    """Also a choice element in its other type counts as there."""
    newer: JsonObject = {"status": "in-progress", "occurrenceString": "unknown", "note": "n"}

    left = said(
        {"status": "x", "occurrenceDateTime": "2024"}, newer, {"status", "occurrenceString"}
    )

    assert left == {"note": "n"}


_words = st.sampled_from(["a", "bb", "cc"])
_mentions = st.fixed_dictionaries(
    {"id": st.just("p")},
    optional={
        "name": st.lists(st.fixed_dictionaries({"family": _words}), min_size=1, max_size=2),
        "identifier": st.lists(st.fixed_dictionaries({"value": _words}), min_size=1, max_size=2),
        "active": st.booleans(),
    },
)


@given(mentions=st.lists(_mentions, min_size=1, max_size=4))
def test_mentions_end_in_the_same_words_in_any_order(mentions: list[JsonObject]) -> None:
    """Several workers may meet the mentions of a physician in any order."""
    ends = [
        reduce(mentioned, order[1:], mentioned(None, order[0])) for order in permutations(mentions)
    ]

    assert all(end == ends[0] for end in ends)
    assert mentioned(ends[0], mentions[0]) == ends[0]
