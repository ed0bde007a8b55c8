"""Ten thousand messages that nobody should send, in every run; a million in `make fuzz`."""

from itertools import islice

import pytest

from tests.fuzz.mutants import attempt, mutants, seeds

INPUTS = 10_000
PARTS = 10


@pytest.mark.parametrize("part", range(PARTS))
def test_mutated_samples_give_a_bundle_or_one_refusal(part: int) -> None:
    """Whatever was done to them; what nothing read can be said too."""
    inputs = islice(mutants(1_000 + part, seeds()), INPUTS // PARTS)

    made = [attempt(raw, traced=number % 8 == 0) for number, raw in enumerate(inputs)]

    assert len(made) == INPUTS // PARTS
    assert 0.2 < sum(made) / len(made) < 0.9  # both outcomes are looked at
