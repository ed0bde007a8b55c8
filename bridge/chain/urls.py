"""How an address that the operator configured is called in errors and reports."""

from urllib.parse import urlsplit

__all__ = ["public_name"]


def public_name(url: str) -> str:
    """Host and port alone: path, query and user of such a URL may be credentials."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "an address that is no URL"
    return host[:100] + (f":{port}" if port else "")
