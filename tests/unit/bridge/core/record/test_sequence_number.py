"""What a running number says: next, a gap, back, start over."""

import pytest

from bridge.core.record.sequence_number import step


@pytest.mark.parametrize(
    ("last", "number", "after", "code"),
    [
        pytest.param(None, 7, 7, "", id="the-first"),
        pytest.param(7, 8, 8, "", id="the-next"),
        pytest.param(7, 10, 10, "sequence-gap", id="two-are-missing"),
        pytest.param(7, 7, 7, "sequence-back", id="the-same-again"),
        pytest.param(7, 3, 3, "sequence-back", id="lower"),
        pytest.param(7, 0, None, "", id="zero-starts-over"),
        pytest.param(7, -1, None, "", id="minus-one-starts-over"),
    ],
)
def test_number_is_judged_by_the_one_before(
    last: int | None, number: int, after: int | None, code: str
) -> None:
    """Each step says where the count stands and what was odd."""
    made = step(last, number)

    assert (made.last, made.code) == (after, code)


def test_gap_says_how_many_did_not_come() -> None:
    """Whoever asks the sender knows what to ask for."""
    assert step(7, 10).detail == "MSH-13 went from 7 to 10: 2 did not come over this node"
