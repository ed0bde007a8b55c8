"""What an assigning authority is referred to as, worked out a second way."""

from bridge.core.record.identity import resource_id

__all__ = ["organization"]


def organization(name: str, universal: str = "") -> dict[str, str]:
    """A reference to the authority of that name and URI, in the name space of the tests."""
    space = "urn:x:stmary"
    key = ("urn:ietf:rfc:3986", universal) if universal else (f"{space}/NamingSystem/HD", name)
    return {
        "reference": f"Organization/{resource_id(space, 'Organization', *key)}",
        "display": name,
    }
