"""No rule makes conversion slower unseen: a ceiling of interpreter steps for each kind of message.

Whoever needs more raises the number here, and says in the commit what it buys. Steps are counted,
not timed, so that a busy machine counts the same.
"""

import sys
from collections.abc import Callable

import pytest

from adapters.hl7v2.dialect import Hl7v2
from tests.bench.feed import adt, mdm, oru, oru_large, siu, vxu
from tests.bench.steps import steps

CEILINGS: dict[Callable[[int], bytes], int] = {
    adt: 24_600,
    oru: 29_500,
    oru_large: 83_500,
    vxu: 15_000,
    siu: 17_500,
    mdm: 16_000,
}
"""About a twentieth above what was counted when the number was written."""
DOCTORS = 20
"""Messages that show the converter what comes again in this feed."""
COUNTED_ON = (3, 11)


@pytest.mark.skipif(
    sys.version_info[:2] != COUNTED_ON,
    reason="another Python minor version has other instructions",
)
@pytest.mark.parametrize("make", CEILINGS, ids=lambda make: make.__name__)
def test_conversion_takes_no_more_steps_than_it_did(
    make: Callable[[int], bytes], dialect: Hl7v2
) -> None:
    """A patient that was never seen, of a feed that was."""
    for number in range(DOCTORS):
        dialect.convert(make(number), sender="")

    taken = steps(lambda raw: dialect.convert(raw, sender=""), make(1_000_000))

    assert taken <= CEILINGS[make]


@pytest.fixture(scope="module")
def dialect() -> Hl7v2:
    """The base rules."""
    return Hl7v2()
