"""The one error base: what happened, where, and what to do next."""

from enum import Enum

__all__ = ["BridgeError", "Fault"]


class Fault(Enum):
    """Whose move it is. Doors translate it once: `api/problems.py` to HTTP, `ack.py` to MSA-1."""

    SENDER = "sender"
    """The input is wrong; sending it again unchanged fails again."""
    OPERATOR = "operator"
    """A setting, key or permission of this node is wrong."""
    PEER = "peer"
    """Another system (database, broker, chain endpoint) is down or lies; retry later."""
    US = "us"
    """A broken invariant of our own: stop and let recovery decide."""


class BridgeError(Exception):
    """A refusal that a stranger can act on. Carries positions and codes, never PHI.

    Args:
        code: stable machine-readable name in kebab case, such as `merkle-path-length`.
        fault: whose move it is.
        what: what happened, found and expected, in plain words.
        where: segment and field, byte offset, JSON path, leaf index, file and line.
        do: the next step for the reader.
    """

    def __init__(self, code: str, fault: Fault, *, what: str, where: str, do: str) -> None:
        """Keep the parts, and say them as `what (where) - do`."""
        super().__init__(f"{what} ({where}) - {do}")
        self.code, self.fault = code, fault
        self.what, self.where, self.do = what, where, do
        self.kept_as = ""
        """Record in quarantine that holds the refused input, once a flow kept it."""
