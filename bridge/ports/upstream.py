"""Another FHIR server that is read from."""

from typing import Protocol

__all__ = ["Upstream"]


class Upstream(Protocol):
    """FHIR R4 REST, read only. Trusted for nothing: what it sends is judged like any feed."""

    base: str
    """Its address, ending with a slash."""

    def get(self, url: str) -> bytes:
        """The body of an absolute URL under `base`, or of a path relative to it.

        Raises:
            BridgeError: `upstream-gone` for 400, 404 and 410, `upstream-refused` for 401 and 403,
                `upstream-unreachable` for everything else.
        """
