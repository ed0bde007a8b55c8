"""A page token goes back to where it was made, and nowhere else."""

import pytest

from bridge.core.errors import BridgeError
from bridge.core.ids import parse_instant
from bridge.store.paging import bound, opened, page_token

AT = parse_instant("2026-11-22T14:00:00.123456Z")
BINDING = bound("search", "clinic", "Patient")


def test_token_opens_for_whom_it_was_made() -> None:
    """Id and time come back exactly."""
    token = page_token(BINDING, "a" * 64, AT)

    assert opened(token, BINDING) == ("a" * 64, AT)


@pytest.mark.parametrize(
    "binding",
    [
        pytest.param(bound("search", "other", "Patient"), id="caller"),
        pytest.param(bound("search", "clinic", "Observation"), id="query"),
        pytest.param(bound("search", "clinicP", "atient"), id="shifted border"),
    ],
)
def test_token_of_another_is_refused(binding: str) -> None:
    """It shows nothing to whoever found the link."""
    token = page_token(BINDING, "a", AT)

    with pytest.raises(BridgeError, match=r"another caller or another query \(page\)"):
        opened(token, binding)


@pytest.mark.parametrize("token", ["", "x", "=====", "W10", "bnVsbA", "\u00e9", "A" * 5000])
def test_other_text_is_refused(token: str) -> None:
    """Whatever a stranger writes there."""
    with pytest.raises(BridgeError, match=r"this is no page token of this server \(page\)"):
        opened(token, BINDING)
