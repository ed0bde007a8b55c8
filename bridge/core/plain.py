"""Text that an index, a header and a log line can hold, made of whatever a stranger sent."""

__all__ = ["MAX_BYTES", "plain"]

MAX_BYTES = 1_000
"""An index row of PostgreSQL holds 2,704 bytes: two such texts, a type, a parameter and an id."""


def plain(value: str) -> str:
    """The text without NUL and lone surrogates, cut to `MAX_BYTES` of UTF-8.

    Ordinary text comes back as it is. The exact bytes stay in the record's source.
    """
    if len(value) <= MAX_BYTES and value.isascii() and "\0" not in value:
        return value
    whole = value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace")
    return whole[:MAX_BYTES].decode("utf-8", "ignore")
