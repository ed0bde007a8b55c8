"""A role for each kind of content."""

from contextlib import nullcontext

import pytest

from bridge.core.errors import BridgeError
from bridge.core.policy.access import CLINICAL, OVERSIGHT, Caller, Role, allow


@pytest.mark.parametrize(
    ("role", "allowed", "may"),
    [
        (Role.SENDER, CLINICAL, False),
        (Role.READER, CLINICAL, True),
        (Role.COMPLIANCE, CLINICAL, True),
        (Role.ADMIN, CLINICAL, True),
        (Role.READER, OVERSIGHT, False),
        (Role.COMPLIANCE, OVERSIGHT, True),
        (Role.ADMIN, OVERSIGHT, True),
    ],
)
def test_role_decides(role: Role, allowed: frozenset[Role], may: bool) -> None:  # noqa: FBT001  a table
    """Each role against each kind."""
    caller = Caller(subject="x", roles=frozenset({role}))

    expected = nullcontext() if may else pytest.raises(BridgeError, match="one of the roles")

    with expected:
        allow(caller, allowed)


def test_caller_without_role_is_told_which_it_needs() -> None:
    """The words name the roles."""
    with pytest.raises(BridgeError, match=r"one of the roles admin, compliance \(access token\)"):
        allow(Caller(subject="x", roles=frozenset()), OVERSIGHT)
