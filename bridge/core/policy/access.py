"""Who may be shown what: a role for each kind of content."""

import re
from dataclasses import dataclass
from enum import Enum

from bridge.core.errors import BridgeError, Fault

__all__ = ["CLINICAL", "OVERSIGHT", "Caller", "Role", "allow"]

_PURPOSE = re.compile(r"[A-Z][A-Z-]{1,31}")


class Role(Enum):
    """What a caller is; `admin` may do all."""

    SENDER = "sender"
    """Sends, and reads the status of what it sent."""
    READER = "reader"
    """Reads clinical content."""
    COMPLIANCE = "compliance"
    """Reads clinical content and who saw it."""
    MONITOR = "monitor"
    """Reads the state and the metrics of the node, and nothing else."""
    ADMIN = "admin"


CLINICAL = frozenset({Role.READER, Role.COMPLIANCE, Role.ADMIN})
OVERSIGHT = frozenset({Role.COMPLIANCE, Role.ADMIN})
"""Who may read the access events of others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, and what for."""

    subject: str
    """Client id or user, as authenticated; never empty."""
    roles: frozenset[Role]
    purpose: str = "TREAT"
    """Code of https://terminology.hl7.org/ValueSet-v3-PurposeOfUse.html."""


def allow(caller: Caller, allowed: frozenset[Role]) -> None:
    """Return when the caller may, raise when not.

    Raises:
        BridgeError: `access-refused`, `access-purpose`.
    """
    if not caller.roles & allowed:
        names = ", ".join(sorted(role.value for role in allowed))
        raise BridgeError(
            "access-refused",
            Fault.OPERATOR,
            what=f"this needs one of the roles {names}",
            where="access token",
            do="ask the operator for a token with that role",
        )
    if not _PURPOSE.fullmatch(caller.purpose):
        raise BridgeError(
            "access-purpose",
            Fault.SENDER,
            what="the purpose of use is no code of v3-PurposeOfUse",
            where="purpose",
            do="send a code such as TREAT or HOPERAT",
        )
